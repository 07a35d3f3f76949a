import assert from 'node:assert/strict';
import { appendFileSync } from 'node:fs';
import { appendFile, mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { FakeClock } from '@arc/kernel';
import { parseTimes } from './log-times.ts';
import { createLogStore } from './log-store.ts';
import type { LogStore, OpenLogOptions } from './log-store.ts';

const ref = { namespace: 'ns', workflow: 'wf', pod: 'wf-pull-1' };

async function withStore(
  run: (store: LogStore, clock: FakeClock, directory: string) => Promise<void>,
  options: { headBytes?: number; tailBytes?: number; maxAgeMs?: number; maxTotalBytes?: number } = {},
): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'arc-logs-'));
  const clock = new FakeClock();
  try {
    await run(createLogStore(directory, { clock, ...options }), clock, directory);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function read(store: LogStore, options: Partial<OpenLogOptions> = {}): Promise<string> {
  let text = '';
  for await (const chunk of store.openLog({ namespace: 'ns', pod: 'wf-pull-1', ...options })) text += Buffer.from(chunk).toString();
  return text;
}

test('a log is read whole, by its last lines, by bytes, and the one before is kept', () =>
  withStore(async (store) => {
    await writeFile(await store.begin(ref), 'old\n');
    await writeFile(await store.begin(ref), 'one\ntwo\nthree');
    assert.equal(await read(store), 'one\ntwo\nthree');
    assert.equal(await read(store, { tailLines: 2 }), 'two\nthree');
    assert.equal(await read(store, { tailLines: 0 }), '');
    assert.equal(await read(store, { limitBytes: 5 }), 'one\nt');
    assert.equal(await read(store, { previous: true }), 'old\n');
    await assert.rejects(read(store, { pod: 'wf-other' }), { code: 'LogNotFound' });
  }));

test('following delivers whole lines as they come and ends with the step', () =>
  withStore(async (store) => {
    const path = await store.begin(ref);
    await writeFile(path, 'one\ntw');
    store.collect(ref);
    const lines: string[] = [];
    const arrived = Promise.withResolvers<void>();
    const following = (async () => {
      for await (const chunk of store.openLog({ namespace: 'ns', pod: 'wf-pull-1', follow: true })) {
        lines.push(Buffer.from(chunk).toString());
        arrived.resolve();
      }
    })();
    await arrived.promise;
    await appendFile(path, 'o\nrest');
    await store.end(ref);
    await following;
    assert.equal(lines[0], 'one\n');
    assert.equal(lines.join(''), 'one\ntwo\nrest');
  }));

test('following stops when the reader gives up', () =>
  withStore(async (store) => {
    await writeFile(await store.begin(ref), 'one\n');
    store.collect(ref);
    const stop = new AbortController();
    const seen: string[] = [];
    for await (const chunk of store.openLog({ namespace: 'ns', pod: 'wf-pull-1', follow: true, signal: stop.signal })) {
      seen.push(Buffer.from(chunk).toString());
      stop.abort();
    }
    assert.deepEqual(seen, ['one\n']);
    await store.end(ref);
  }));

test('times are those at which the log was seen to grow', () =>
  withStore(async (store, clock) => {
    const path = await store.begin(ref);
    await writeFile(path, 'one\n');
    store.collect(ref);
    await store.end(ref);
    await clock.advance(60_000);
    await appendFile(path, 'two\n');
    store.collect(ref);
    await store.end(ref);
    assert.equal(await read(store, { timestamps: true }), '2026-01-01T00:00:00.000Z one\n2026-01-01T00:01:00.000Z two\n');
    assert.equal(await read(store, { sinceTime: '2026-01-01T00:00:30Z' }), 'two\n');
  }));

test('a log beyond its limits keeps head and tail and says what is gone', () =>
  withStore(
    async (store) => {
      const path = await store.begin(ref);
      const line = (index: number): string => `line ${String(index).padStart(4, '0')}\n`;
      for (let round = 0; round < 3; round++) {
        await appendFile(path, Array.from({ length: 20 }, (_, index) => line(round * 20 + index)).join(''));
        store.collect(ref);
        await store.end(ref);
      }
      await appendFile(path, line(60));
      const text = await read(store);
      assert.ok(text.startsWith('line 0000\nline 0001\n'), text);
      assert.ok(text.endsWith('line 0058\nline 0059\nline 0060\n'), text);
      assert.match(text, /\[\.\.\. 540 bytes of this log were dropped \.\.\.\]/);
      assert.equal(await read(store, { tailLines: 3 }), 'line 0058\nline 0059\nline 0060\n');
    },
    { headBytes: 20, tailBytes: 40 },
  ));

test('what is written while a log is shortened is not lost, and of one that has ended no more than the limits is kept', () =>
  withStore(
    async (store) => {
      const path = await store.begin(ref);
      let written = 0;
      const write = (): void => appendFileSync(path, `line ${String(written++).padStart(6, '0')}\n`);
      for (let index = 0; index < 100; index++) write();
      store.collect(ref);
      let isEnded = false;
      const ending = store.end(ref).finally(() => (isEnded = true));
      while (!isEnded) {
        write();
        await setImmediate();
      }
      await ending;
      const [, late = ''] = (await read(store)).split(' bytes of this log were dropped ...]\n');
      const lines = late.trimEnd().split('\n').slice(1);
      const first = written - lines.length;
      assert.ok(lines.length > 2, late);
      assert.deepEqual(
        lines,
        lines.map((_, index) => `line ${String(first + index).padStart(6, '0')}`),
      );
      store.collect(ref);
      await store.end(ref);
      const text = await read(store);
      assert.equal(text.replace(/\n\[\.\.\. .* dropped \.\.\.\]\n/, '').length, 100, text);
      assert.ok(text.endsWith(`${lines.at(-1)}\n`), text);
    },
    { headBytes: 24, tailBytes: 76 },
  ));

test('of a log that was shortened, the parts count for the total, too', () =>
  withStore(
    async (store, clock, directory) => {
      for (const [age, pod] of ['wf-b', 'wf-a'].entries()) {
        const path = await store.begin({ ...ref, pod });
        await writeFile(path, 'x'.repeat(300));
        store.collect({ ...ref, pod });
        await store.end({ ...ref, pod });
        await utimes(path, clock.now() / 1000 - age, clock.now() / 1000 - age);
      }
      await store.sweep();
      assert.deepEqual(
        (await readdir(join(directory, 'ns', 'wf'))).filter((name) => name.endsWith('.log')),
        ['wf-b.log'],
      );
    },
    { headBytes: 40, tailBytes: 60, maxTotalBytes: 150 },
  ));

test('retention removes old logs and the oldest beyond the total, never one being written', () =>
  withStore(
    async (store, clock, directory) => {
      const pods = ['wf-a', 'wf-b', 'wf-c', 'wf-live'];
      for (const [index, pod] of pods.entries()) {
        const path = await store.begin({ ...ref, pod });
        await writeFile(path, 'x'.repeat(100));
        const seconds = clock.now() / 1000 - ([7200, 30, 20, 9000][index] ?? 0);
        await utimes(path, seconds, seconds);
      }
      store.collect({ ...ref, pod: 'wf-live' });
      await store.sweep();
      const left = (await readdir(join(directory, 'ns', 'wf'))).filter((name) => name.endsWith('.log'));
      assert.deepEqual(left.sort(), ['wf-c.log', 'wf-live.log']);
      await store.end({ ...ref, pod: 'wf-live' });
    },
    { maxAgeMs: 3_600_000, maxTotalBytes: 150 },
  ));

test('the time of a byte is that of the first entry beyond it', () => {
  const times = parseTimes('10 100\n20 200\nbroken\n', 999);
  assert.deepEqual(
    [0, 9, 10, 19, 20].map((offset) => times.at(offset)),
    [100, 100, 200, 200, 999],
  );
});
