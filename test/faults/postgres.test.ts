import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '@arc/testkit';
import { postgres } from './support/backends.ts';
import { databaseFaults } from './support/database-faults.ts';
import { assertSurvives } from './support/fault-world.ts';

databaseFaults(postgres);

test('a PostgreSQL that accepts no writes: they are refused, reads go on', { skip: postgres.missing }, async (t) => {
  await using storage = await postgres.start();
  await assertSurvives(t, { storage: storage.url }, async ({ client }, load) => {
    await storage.setReadOnly(true);
    await eventually(() => load.refusals > 5, { what: 'writes to be refused', intervalMs: 10 });
    const answer = await client.send('POST', '/api/v1/namespaces/default/configmaps', { body: { metadata: { name: 'refused' } } });
    assert.ok(answer !== undefined && answer.code >= 500 && Number(answer.headers['retry-after']) > 0, answer?.text);
    assert.equal((await client.send('GET', '/api/v1/namespaces/default/configmaps'))?.code, 200, 'reads go on');
    await storage.setReadOnly(false);
  });
});
