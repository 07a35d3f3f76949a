import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { on, once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { ChangeEvent, Store } from '@arc/storage';
import { contentOf, keysPerBatch, type Report } from '../test/acknowledging-writer.ts';
import { openSqliteStore } from './sqlite-store.ts';

const program = fileURLToPath(new URL('../test/acknowledging-writer.ts', import.meta.url));
const directory = mkdtempSync(join(tmpdir(), 'arc-sqlite-crash-'));
after(() => rmSync(directory, { recursive: true, force: true }));

type Acknowledged = Map<string, readonly number[]>;

/** Starts the program that writes to `file`; `limit` bounds the size of the files it may write, in the units of ulimit. */
function startWriter(file: string, limit: string): ChildProcess {
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const child = spawn('sh', ['-c', `ulimit -f ${limit}; exec "$0" "$1"`, process.execPath, program], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    env,
  });
  child.send(file);
  return child;
}

/** Collects acknowledgements until `enough` says so; returns the report of a failure, if there was one. */
async function collect(child: ChildProcess, acknowledged: Acknowledged, enough: () => boolean): Promise<Report | undefined> {
  for await (const [report] of on(child, 'message', { close: ['disconnect'] }) as AsyncIterable<[Report]>) {
    if ('failed' in report) return report;
    acknowledged.set(report.batch, report.revisions);
    if (enough()) return undefined;
  }
  return assert.fail('the writer ended without a word');
}

async function kill(child: ChildProcess): Promise<void> {
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}

/** Nothing acknowledged is missing, no batch is there in part, and the log tells how the live values came about. */
async function assertIntact(store: Store, acknowledged: Acknowledged): Promise<void> {
  const { items, revision } = await store.range({ prefix: '' });
  const found = new Map<string, number[]>();
  for (const { key, revision, value } of items) {
    const [, batch = '', index = ''] = key.split('/');
    assert.deepEqual(value, new Uint8Array(contentOf(batch, Number(index))));
    found.set(batch, [...(found.get(batch) ?? []), revision]);
  }
  for (const [batch, revisions] of found) assert.equal(revisions.length, keysPerBatch, `half of batch ${batch}`);
  for (const [batch, revisions] of acknowledged) assert.deepEqual(found.get(batch), revisions, `acknowledged batch ${batch}`);
  const log: ChangeEvent[] = [];
  for await (const batch of store.changes(0, new AbortController().signal)) {
    log.push(...batch.events);
    if (batch.revision === revision) break;
  }
  assert.deepEqual(
    log.map((event) => event.revision),
    Array.from({ length: revision }, (_, i) => i + 1),
  );
  const byRevision = items.toSorted((a, b) => a.revision - b.revision).map((item) => [item.key, item.revision]);
  assert.deepEqual(
    log.map((event) => [event.key, event.revision]),
    byRevision,
  );
}

test('kill -9 loses nothing that was acknowledged, leaves no half batch, and frees the file', async () => {
  const file = join(directory, 'killed.db');
  const acknowledged: Acknowledged = new Map();
  for (const more of [1, 30, 171]) {
    const child = startWriter(file, 'unlimited');
    const target = acknowledged.size + more;
    assert.equal(await collect(child, acknowledged, () => acknowledged.size >= target), undefined);
    await assert.rejects(openSqliteStore({ file }), (error: Error & { code: string; hint: string }) => {
      assert.equal(error.code, 'Locked');
      assert.match(error.message, /killed\.db is in use by another process/);
      assert.match(error.hint, /killed\.db\.lock/);
      return true;
    });
    await kill(child);
    await using store = await openSqliteStore({ file });
    await assertIntact(store, acknowledged);
  }
});

test('a disk that fails in mid-commit leaves that outcome unknown, and the rest intact', async () => {
  const file = join(directory, 'limited.db');
  const acknowledged: Acknowledged = new Map();
  const child = startWriter(file, '300');
  const report = await collect(child, acknowledged, () => false);
  await kill(child);
  assert.ok(report !== undefined && 'failed' in report);
  assert.ok(acknowledged.size > 0);
  assert.equal(report.failed, 'OutcomeUnknown');
  await using store = await openSqliteStore({ file });
  assert.ok(report.current <= (await store.currentRevision()));
  await assertIntact(store, acknowledged);
});
