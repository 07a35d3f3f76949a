import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gunzipSync, gzipSync } from 'node:zlib';
import * as fc from 'fast-check';
import { compareKeys } from '../key-order.ts';
import type { StoreSnapshot } from '../moving/snapshot.ts';
import type { StoredValue } from '../store.ts';
import { readBackup } from './read-backup.ts';
import { writeBackup, type BackupOptions } from './write-backup.ts';

const { signal } = new AbortController();
const facts = { time: '2026-11-25T12:00:00Z', backend: 'sqlite', arcVersion: '0.1.0' };

function snapshotOf(values: readonly StoredValue[]): StoreSnapshot {
  return {
    revision: 1000,
    compactedRevision: 7,
    async *objects() {
      for (let from = 0; from < values.length; from += 7) yield values.slice(from, from + 7);
    },
  };
}

async function written(values: readonly StoredValue[], options: Partial<BackupOptions> = {}): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of writeBackup(snapshotOf(values), facts, { signal, ...options })) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function read(bytes: Uint8Array, chunkSize = 1 << 16): Promise<StoredValue[]> {
  const backup = await readBackup(async function* () {
    for (let from = 0; from < bytes.length; from += chunkSize) yield bytes.subarray(from, from + chunkSize);
  });
  assert.deepEqual(backup.header, { revision: 1000, compactedRevision: 7, ...facts });
  const found: StoredValue[] = [];
  for await (const page of backup.objects(signal)) found.push(...page);
  return found;
}

const plain = (values: readonly StoredValue[]): unknown =>
  values.map(({ key, revision, value }) => [key, revision, Buffer.from(value).toString('hex')]);

const value = fc.oneof(
  fc.uint8Array({ maxLength: 60 }),
  fc.string({ unit: 'binary' }).map((text) => new Uint8Array(Buffer.from(text))),
  fc.constant(new Uint8Array(Buffer.from('\uFEFF{"a":"\\n"}\n'))),
);
const values = fc
  .uniqueArray(fc.record({ key: fc.string({ unit: 'binary' }), revision: fc.integer({ min: 1, max: 1000 }), value }), {
    selector: ({ key }) => Buffer.from(key).toString('hex'),
    maxLength: 30,
  })
  .map((items) => items.filter(({ key }) => key.isWellFormed()).toSorted((a, b) => compareKeys(a.key, b.key)));

test('what was written is read again, byte for byte, in whatever pieces it arrives', async () => {
  await fc.assert(
    fc.asyncProperty(values, fc.integer({ min: 1, max: 200 }), async (values, chunkSize) => {
      assert.deepEqual(plain(await read(await written(values), chunkSize)), plain(values));
    }),
  );
});

const two: readonly StoredValue[] = [
  { key: '/registry/core/configmaps/a/b', revision: 3, value: Buffer.from('{"a":1}') },
  { key: '/registry/core/secrets/a/b', revision: 2, value: Uint8Array.of(0xff) },
];

test('its lines are what the guide says', async () => {
  const lines = gunzipSync(await written(two))
    .toString()
    .split('\n');
  assert.deepEqual(lines.slice(0, 3), [
    '{"format":"arc-storage-backup","version":1,"revision":1000,"compactedRevision":7,"time":"2026-11-25T12:00:00Z","backend":"sqlite","arcVersion":"0.1.0"}',
    '{"key":"/registry/core/configmaps/a/b","revision":3,"value":"{\\"a\\":1}"}',
    '{"key":"/registry/core/secrets/a/b","revision":2,"base64":"/w=="}',
  ]);
  assert.match(lines[3] ?? '', /^\{"objects":2,"resources":\{"configmaps":1,"secrets":1\},"sha256":"[0-9a-f]{64}"\}$/);
  assert.deepEqual(lines.slice(4), ['']);
});

test('a file that was cut anywhere, or in which any byte was changed, is refused', async () => {
  const whole = await written(two);
  for (let length = 0; length < whole.length; length++) {
    await assert.rejects(read(whole.subarray(0, length)), { code: 'BadBackup' }, `cut to ${length}`);
  }
  const text = gunzipSync(whole);
  for (let at = 0; at < text.length; at++) {
    const changed = Buffer.from(text);
    changed[at] = (changed[at] ?? 0) ^ 1;
    await assert.rejects(read(gzipSync(changed)), Error, `changed at ${at}`);
  }
  for (let lines = 0; lines < 4; lines++) {
    const cut = text
      .toString()
      .split('\n')
      .slice(0, lines)
      .map((line) => `${line}\n`)
      .join('');
    await assert.rejects(read(gzipSync(cut)), { code: 'BadBackup' }, `${lines} lines`);
  }
});

test('what is not a backup, or is one of a newer ARC, says so', async () => {
  await assert.rejects(read(Buffer.from('{"kind":"List"}\n')), { code: 'BadBackup', message: /not a backup of ARC, or damaged/ });
  await assert.rejects(read(gzipSync('{"kind":"List"}\n')), { code: 'BadBackup', message: /not a backup of ARC/ });
  const newer = gunzipSync(await written(two))
    .toString()
    .replace('"version":1', '"version":2');
  await assert.rejects(read(gzipSync(newer)), { code: 'BadBackup', message: /version 2, this ARC knows 1/ });
  await assert.rejects(read(gzipSync('')), { code: 'BadBackup' });
});

test('objects out of order, or newer than the backup, are refused', async () => {
  await assert.rejects(read(await written([...two].toReversed())), { code: 'BadBackup', message: /not in order/ });
  await assert.rejects(read(await written([{ key: '/a', revision: 1001, value: Buffer.from('') }])), {
    code: 'BadBackup',
    message: /newer/,
  });
});

test('a source that fails fails the backup', async () => {
  const failing: StoreSnapshot = {
    ...snapshotOf([]),
    async *objects() {
      yield two;
      throw new Error('the database went away');
    },
  };
  await assert.rejects(
    (async () => {
      for await (const _ of writeBackup(failing, facts, { signal }));
    })(),
    /went away/,
  );
});
