import assert from 'node:assert/strict';
import { setImmediate as turn } from 'node:timers/promises';
import { test } from 'node:test';
import { type AggregatedServer, authorities, certificate, startAggregatedServer, things } from '../test/aggregated-server.ts';
import type { ResourceQuota } from './cluster-quotas.ts';

const jane = certificate(authorities.client, 'jane');
const everywhere = '/api/v1/resourcequotas';
const quotas = '/api/v1/namespaces/ns/resourcequotas';
const resource = 'count/things.demo.example.com';

function quota(name: string, hard: string, used: string, more: ResourceQuota['spec'] = {}): ResourceQuota {
  const counts = { hard: { [resource]: hard } };
  return {
    apiVersion: 'v1',
    kind: 'ResourceQuota',
    metadata: { name, namespace: 'ns' },
    spec: { ...counts, ...more },
    status: { ...counts, used: { [resource]: used } },
  };
}

async function startServer(...present: readonly ResourceQuota[]): Promise<AggregatedServer> {
  const server = await startAggregatedServer({ enforceQuotas: true });
  for (const each of present) {
    server.core.put(everywhere, each);
    server.core.put(quotas, each);
  }
  return server;
}

const create = (server: AggregatedServer, name: string, query = '') =>
  server.call('HTTP/2', { method: 'POST', path: `${things}${query}`, certificate: jane, body: { metadata: { name } } });
const usedOf = (server: AggregatedServer, name: string): string | undefined =>
  (server.core.get(quotas, name) as ResourceQuota | undefined)?.status?.used?.[resource];

/** The watch of quotas has told the server. */
async function known(server: AggregatedServer): Promise<void> {
  while ((await server.call('HTTP/2', { path: '/readyz', certificate: jane })).code !== 200) await turn();
}

test('6.7 objects are charged to the quotas of their namespace, also when others write these, and refused beyond them', async () => {
  await using server = await startServer(quota('two', '2', '0'), quota('scoped', '0', '0', { scopes: ['BestEffort'] }));
  await known(server);
  assert.equal((await create(server, 'dry', '?dryRun=All')).code, 201);
  assert.equal(usedOf(server, 'two'), '0', 'a dry run costs nothing');
  assert.equal((await create(server, 'one')).code, 201);
  assert.equal(usedOf(server, 'two'), '1');
  // The watch has not told of the charge: it conflicts, and is made on what is there now.
  assert.equal((await create(server, 'two')).code, 201);
  assert.equal(usedOf(server, 'two'), '2');
  const refused = await create(server, 'three');
  assert.equal(refused.code, 403);
  assert.equal(
    refused.status().message,
    `things.demo.example.com "three" is forbidden: exceeded quota: two, requested: ${resource}=1, used: ${resource}=2, limited: ${resource}=2`,
  );
  assert.equal((await server.call('HTTP/2', { path: `${things}/three`, certificate: jane })).code, 404);
  server.core.remove(quotas, 'two');
  assert.equal((await create(server, 'three')).code, 201, 'a quota that is gone limits nothing');
});

test('6.7 no quota is charged for what another one forbids; without enforceQuotas nobody counts', async () => {
  await using server = await startServer(quota('wide', '1k', '5'), quota('full', '3', '3'));
  await known(server);
  assert.match((await create(server, 'one')).status().message ?? '', /exceeded quota: full/);
  assert.equal(usedOf(server, 'wide'), '5');
  await using open = await startAggregatedServer();
  assert.equal((await create(open, 'one')).code, 201);
});
