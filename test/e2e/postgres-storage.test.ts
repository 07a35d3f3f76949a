import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { configMaps } from '@arc/api/core';
import { arcctlCommand, eventually, missingPostgres, runCommand, startEmbeddedArc, startPostgres } from '@arc/testkit';
import type { CommandResult } from '@arc/testkit';
import { startWorld } from './support/world.ts';

const skip = missingPostgres();

async function storage(...args: readonly string[]): Promise<CommandResult> {
  const [program, ...leading] = arcctlCommand;
  return await runCommand(program, [...leading, 'storage', ...args]);
}

test('ARC keeps its objects in PostgreSQL: migrated first, coherent after kill -9 of either side', { skip }, async (t) => {
  await using postgres = await startPostgres();
  await postgres.createDatabase('arc');
  const url = postgres.url('arc');

  await t.test('a database that was not migrated is refused with the command that does it', async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'arc-e2e-'));
    await assert.rejects(startEmbeddedArc({ dataDir, storage: url }), /has no schema arc of ARC[^]*arcctl storage migrate/);
    await rm(dataDir, { recursive: true, force: true });
    assert.match((await storage('status', '--storage', url)).stdout, /Schema version: +0\nUsable by this version: +no/);
    assert.match((await storage('migrate', '--storage', url)).stdout, /has version \d+ now; applied: objects, reporting views, imports\./);
    assert.match((await storage('migrate', '--storage', url)).stdout, /has version \d+ already/);
  });

  await using world = await startWorld({ storage: url });
  const { client } = world;
  const names = async (): Promise<readonly string[]> => {
    const { items } = await client.list(configMaps, { namespace: 'default' });
    return items.map(({ metadata }) => metadata.name ?? '').filter((name) => name.startsWith('kept'));
  };
  const create = (name: string): Promise<unknown> =>
    client.create(configMaps, { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: 'default' } });

  await t.test('what was accepted survives kill -9 of ARC', async () => {
    await create('kept-1');
    await world.restart('SIGKILL');
    assert.deepEqual(await names(), ['kept-1']);
  });

  await t.test('while PostgreSQL is away the API answers 5xx with Retry-After, and goes on when it is back', async () => {
    await postgres.stop('kill');
    // The client tries again when the answer tells it to.
    const created = create('kept-2');
    await eventually(() => /"a request failed".*"POST".*"code":50\d.*cannot be reached/.test(world.arc.output()), { what: 'a 5xx' });
    await postgres.start();
    await created;
    assert.deepEqual(await names(), ['kept-1', 'kept-2']);
  });

  await t.test('status and compact work beside a running server', async () => {
    const { stdout } = await storage('status', '--storage', url, '-o', 'json');
    const status = JSON.parse(stdout) as Readonly<Record<string, unknown>>;
    assert.equal(status['usable'], true);
    assert.ok(Number(status['revision']) >= 2 && Number(status['objects']) >= 2, stdout);
    const compacted = await storage('compact', '--storage', url, '--keep', '1');
    assert.match(compacted.stdout, /History up to revision \d+ is forgotten/);
    assert.deepEqual(await names(), ['kept-1', 'kept-2']);
  });
});
