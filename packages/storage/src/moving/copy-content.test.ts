import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { MemoryContent } from '../memory/memory-content.ts';
import { openMemoryImport } from '../memory/memory-import.ts';
import { createMemoryStore } from '../memory/memory-store.ts';
import type { StoredValue } from '../store.ts';
import { summarise } from './content-summary.ts';
import { copyContent, type CopyProgress } from './copy-content.ts';
import { resourceOf } from './resource-counts.ts';
import { snapshotOf } from './snapshot.ts';

const { signal } = new AbortController();
const options = { signal, command: 'again' };

async function source(count: number) {
  const store = createMemoryStore();
  await store.commit(
    Array.from({ length: count }, (_, i) => ({ key: `/registry/core/secrets/n/${i}`, expect: 'absent', value: Buffer.alloc(10) })),
  );
  return { store, snapshot: await snapshotOf(store, signal) };
}

test('counts and checksums are those of what was copied', async () => {
  const { snapshot } = await source(2500);
  const progress: CopyProgress[] = [];
  const target = openMemoryImport(new MemoryContent());
  const { content, target: result } = await copyContent(snapshot, target, { ...options, onProgress: (now) => progress.push(now) });
  assert.equal(content.objects, 2500);
  assert.equal(content.bytes, 25_000);
  assert.deepEqual(content.resources, { secrets: 2500 });
  assert.deepEqual(await summarise(target.objects(signal)), content);
  assert.deepEqual(result, { revision: 2500, compactedRevision: 2500 });
  assert.deepEqual([...new Set(progress.map(({ phase }) => phase))], ['reading', 'writing', 'verifying']);
  assert.deepEqual(progress.at(-1), { phase: 'verifying', done: 2500, total: 2500 });
});

test('the checksum is what its description says', async () => {
  const values: StoredValue[] = [
    { key: '/a', revision: 2, value: Buffer.from('xyz') },
    { key: '/é', revision: 1, value: Buffer.alloc(0) },
  ];
  const { sha256 } = await summarise(
    (async function* () {
      yield values;
    })(),
  );
  const text = Buffer.concat([Buffer.from('\0\0\0\x02/a\0\0\0\x03xyz\0\0\0\x03/'), Buffer.from('é'), Buffer.from('\0\0\0\0')]);
  assert.equal(sha256, createHash('sha256').update(text).digest('hex'));
});

test('resources are named as kubectl names them', () => {
  assert.equal(resourceOf('/registry/arc.opendefense.cloud/orders/default/a'), 'orders.arc.opendefense.cloud');
  assert.equal(resourceOf('/registry/core/namespaces/default'), 'namespaces');
  for (const key of ['/registry/core/namespaces', '/registry', 'x', '']) assert.equal(resourceOf(key), '(other)', key);
});

test('a target that does not hold what was written stays unfinished', async () => {
  const { snapshot } = await source(20);
  const content = new MemoryContent();
  const target = openMemoryImport(content);
  const forgetful = { ...target, write: (values: readonly StoredValue[]) => target.write(values.slice(1)) };
  await assert.rejects(copyContent(snapshot, forgetful, options), { code: 'BadDatabase', message: /19 objects .* instead of 20 objects/ });
  assert.throws(() => createMemoryStore(content), { code: 'BadDatabase' });
});

test('what forbids finishing leaves the target unfinished, and ready to go on', async () => {
  const { snapshot } = await source(20);
  const content = new MemoryContent();
  const beforeFinish = () => Promise.reject(new Error('the source has changed'));
  await assert.rejects(copyContent(snapshot, openMemoryImport(content), { ...options, beforeFinish }), /the source has changed/);
  assert.throws(() => createMemoryStore(content), { code: 'BadDatabase' });
  assert.equal((await copyContent(snapshot, openMemoryImport(content), options)).resumedAfter, 20);
  await createMemoryStore(content).range({ prefix: '' });
});

test('a copy can be given up', async () => {
  const { snapshot } = await source(20);
  const stop = new AbortController();
  stop.abort(new Error('given up'));
  await assert.rejects(copyContent(snapshot, openMemoryImport(new MemoryContent()), { ...options, signal: stop.signal }), /given up/);
});
