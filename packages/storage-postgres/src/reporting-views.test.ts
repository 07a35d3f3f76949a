import assert from 'node:assert/strict';
import { after, suite, test } from 'node:test';
import { missingPostgres, startPostgres } from '@arc/testkit';
import { openPostgresStore } from './postgres-store.ts';
import { runStatements, testDatabases } from './testing/database.ts';

const given = process.env['ARC_TEST_POSTGRES_URL'];
const skip = given === undefined ? missingPostgres() : undefined;
const arc = '/registry/arc.opendefense.cloud';

const objects: Readonly<Record<string, unknown>> = {
  [`${arc}/orders/team-a/demo`]: {
    metadata: {
      name: 'demo',
      namespace: 'team-a',
      uid: 'u1',
      generation: 3,
      creationTimestamp: '2026-01-02T03:04:05Z',
      labels: { a: 'b' },
    },
    status: {
      phase: 'Running',
      message: '1 of 2',
      counts: { total: 2, succeeded: 1, failed: 0, running: 1, pending: 0, blocked: 0 },
      conditions: [
        { type: 'Ready', status: 'False', reason: 'Running', message: 'not yet', lastTransitionTime: '2026-01-02T03:05:00Z' },
        { type: 'Accepted', status: 'True' },
      ],
    },
  },
  [`${arc}/artifactworkflows/team-a/demo-1`]: {
    metadata: { name: 'demo-1', namespace: 'team-a', uid: 'u2' },
    spec: { type: 'oci', srcRef: { name: 'hub' }, dstRef: { name: 'zone' } },
    status: { phase: 'Succeeded', completionTime: '2026-01-02T03:06:00Z' },
  },
  [`${arc}/clusterartifacttypes/oci`]: { metadata: { name: 'oci', uid: 'u3' } },
  '/registry/core/secrets/team-a/token': { metadata: { name: 'token' }, data: { password: 'c2VjcmV0' } },
};

suite('the views for reporting', { skip }, async () => {
  if (skip !== undefined) return;
  const resources = new AsyncDisposableStack();
  after(() => resources.disposeAsync());
  const adminUrl = given ?? resources.use(await startPostgres({ durable: false })).url('postgres');
  const databases = resources.use(testDatabases(adminUrl, { serverStays: given !== undefined }));
  const url = await databases.create();
  const store = resources.use(await openPostgresStore({ url }));
  await store.commit([
    ...Object.entries(objects).map(([key, value]) => ({ key, expect: 'absent' as const, value: Buffer.from(JSON.stringify(value)) })),
    { key: `${arc}/orders/team-a/damaged`, expect: 'absent', value: Buffer.from('{"metadata": \xff', 'latin1') },
  ]);

  test('objects lists everything but Secrets, also what does not decode', async () => {
    const rows = await runStatements(
      url,
      'SELECT api_group, resource, namespace, name, uid, revision::integer FROM arc.objects ORDER BY revision',
    );
    assert.deepEqual(
      rows.map((row) => Object.values(row).join(' ')),
      [
        'arc.opendefense.cloud orders team-a demo u1 1',
        'arc.opendefense.cloud artifactworkflows team-a demo-1 u2 2',
        'arc.opendefense.cloud clusterartifacttypes  oci u3 3',
        'arc.opendefense.cloud orders team-a damaged  5',
      ],
    );
  });

  test('orders, artifacts and conditions have a column for each fact', async () => {
    const [order = {}] = await runStatements(url, "SELECT * FROM arc.orders WHERE name = 'demo'");
    assert.deepEqual(order, {
      namespace: 'team-a',
      name: 'demo',
      uid: 'u1',
      created_at: new Date('2026-01-02T03:04:05Z'),
      deleted_at: null,
      phase: 'Running',
      message: '1 of 2',
      artifacts: 2,
      succeeded: 1,
      failed: 0,
      running: 1,
      pending: 0,
      blocked: 0,
    });
    const [artifact] = await runStatements(url, 'SELECT name, phase, type, source, destination, completed_at FROM arc.artifacts');
    assert.deepEqual(artifact, {
      name: 'demo-1',
      phase: 'Succeeded',
      type: 'oci',
      source: 'hub',
      destination: 'zone',
      completed_at: new Date('2026-01-02T03:06:00Z'),
    });
    const conditions = await runStatements(url, 'SELECT resource, name, type, status, reason FROM arc.conditions ORDER BY type');
    assert.deepEqual(conditions, [
      { resource: 'orders', name: 'demo', type: 'Accepted', status: 'True', reason: null },
      { resource: 'orders', name: 'demo', type: 'Ready', status: 'False', reason: 'Running' },
    ]);
  });

  test('nothing can be written through them', async () => {
    for (const view of ['objects', 'conditions', 'orders', 'artifacts']) {
      await assert.rejects(runStatements(url, `DELETE FROM arc.${view}`), { code: '55000' }, view);
      await assert.rejects(runStatements(url, `UPDATE arc.${view} SET name = 'x'`), { code: '55000' }, view);
    }
  });

  test('a role that may read the views needs no right to the tables, and sees no Secret', async () => {
    const role = `arc_reader_${url.slice(-38, -30).replaceAll(/\W/g, '')}`;
    const reading = `SET ROLE ${role};`;
    await runStatements(
      url,
      `CREATE ROLE ${role}; GRANT USAGE ON SCHEMA arc TO ${role}; GRANT SELECT ON arc.objects, arc.orders TO ${role}`,
    );
    try {
      const rows = await runStatements(url, `${reading} SELECT * FROM arc.objects`);
      assert.equal(rows.length, 4);
      assert.equal(JSON.stringify(rows).includes('c2VjcmV0'), false);
      await assert.rejects(runStatements(url, `${reading} SELECT * FROM arc.live`), { code: '42501' });
    } finally {
      await runStatements(url, `DROP OWNED BY ${role}; DROP ROLE ${role}`);
    }
  });

  test('looking for one object uses the index', async () => {
    const plan = await runStatements(
      url,
      `SET enable_seqscan = off; EXPLAIN SELECT * FROM arc.objects WHERE resource = 'orders' AND namespace = 'team-a' AND name = 'demo'`,
    );
    assert.match(JSON.stringify(plan), /live_by_name/);
  });
});
