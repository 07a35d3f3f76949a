import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { DatabaseThread } from './database-thread.ts';
import { pack } from './protocol.ts';
import { SqliteStore } from './sqlite-store.ts';

const directory = mkdtempSync(join(tmpdir(), 'arc-sqlite-resume-'));
after(() => rmSync(directory, { recursive: true, force: true }));

test('a commit in doubt that turns out to have happened reaches those who follow', async () => {
  const thread = new DatabaseThread({ file: join(directory, 'arc.db'), maxBytes: undefined }, () => {});
  await using store = new SqliteStore(thread, await thread.opened());
  const write = (key: string): Parameters<typeof store.commit>[0][number] => ({ key, expect: 'absent', value: Buffer.from(key) });
  await store.commit([write('/known')]);
  const stop = new AbortController();
  const followed = (async () => {
    const keys: string[] = [];
    for await (const { events } of store.changes(0, stop.signal)) {
      keys.push(...events.map(({ key, value }) => `${key}=${Buffer.from(value ?? []).toString()}`));
      if (keys.length === 3) break;
    }
    return keys;
  })();
  // As if its acknowledgement had been lost: the store does not know of it.
  await thread.call('commit', { keys: ['/doubted'], expected: ['absent'], values: pack([Buffer.from('/doubted')]) });
  assert.equal(await store.currentRevision(), 1);
  store.resume(2);
  assert.equal(await store.currentRevision(), 2);
  await store.commit([write('/later')]);
  assert.deepEqual(await followed, ['/known=/known', '/doubted=/doubted', '/later=/later']);
});
