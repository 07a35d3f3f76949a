import type { ArtifactWorkflow, Order } from '@arc/api/arc';
import { artifactWorkflows, endpoints, orders } from '@arc/api/arc';
import type { Workflow } from '@arc/api/argo';
import { workflows } from '@arc/api/argo';
import { namespaces, secrets } from '@arc/api/core';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually, isGone, phaseOf, setUp, supply } from '../test/api-scenario.ts';
import { namespace, order, secret } from '../test/world.ts';

test('on the real server, an Order waits for its Endpoint, runs, fails visibly, runs again after a change, and goes', async () => {
  const failing = (workflow: Workflow): boolean =>
    workflow.spec.arguments?.parameters?.some(({ value }) => value === 'https://bad.example.com') === true;
  await using scenario = await setUp((workflow) => (failing(workflow) ? { phase: 'Failed', message: 'no luck' } : { phase: 'Succeeded' }));
  const { client } = scenario;
  await client.create(orders, order(['a']));
  await eventually(
    'the report of what is missing',
    async () => (await client.get<Order>(orders, { namespace, name: 'o' })).status?.counts?.blocked === 1,
  );
  await client.create(secrets, secret('creds', { password: 'hunter2hunter2' }));
  await supply(client);
  await client.patch(endpoints, { namespace, name: 'src' }, { spec: { secretRef: { name: 'creds' } } });
  await eventually('success', async () => (await phaseOf(client)) === 'Succeeded');

  await client.patch(endpoints, { namespace, name: 'dst' }, { spec: { remoteURL: 'https://bad.example.com' } });
  await eventually('failure', async () => (await phaseOf(client)) === 'Failed');
  const failed = (await client.list<ArtifactWorkflow>(artifactWorkflows, { namespace, fieldSelector: 'status.phase=Failed' })).items;
  assert.deepEqual(
    failed.map(({ status }) => [status?.message, status?.reason]),
    [['no luck', 'WorkflowFailed']],
  );
  await client.patch(endpoints, { namespace, name: 'dst' }, { spec: { remoteURL: 'https://good.example.com' } });
  await eventually('success after the repair', async () => (await phaseOf(client)) === 'Succeeded');

  await client.delete(orders, { namespace, name: 'o' }, { propagationPolicy: 'Foreground' });
  await eventually('the end of the Order', async () => await isGone(client, orders, { namespace, name: 'o' }));
  assert.deepEqual((await client.list(artifactWorkflows)).items, []);
  await eventually('the end of its Workflows', async () => (await client.list(workflows)).items.length === 0);
});

test('on the real server, a namespace with Orders under way can be deleted', async () => {
  await using scenario = await setUp(() => undefined);
  const { client } = scenario;
  await supply(client);
  for (let index = 0; index < 10; index++) await client.create(orders, order([`a${index}`, `b${index}`], { name: `o${index}` }));
  await eventually('work', async () => (await client.list(workflows)).items.length > 0);
  await client.delete(namespaces, { name: namespace });
  await eventually('the end of the namespace', async () => await isGone(client, namespaces, { name: namespace }));
  for (const type of [orders, artifactWorkflows, workflows]) assert.deepEqual((await client.list(type)).items, []);
});

test('on the real server, 200 artifacts cost at most 10 requests and 4 status writes each', async () => {
  await using scenario = await setUp();
  const { client, requests } = scenario;
  await supply(client);
  await client.create(orders, order(Array.from({ length: 200 }, (_, index) => `image-${index}`)));
  await eventually('the end of all', async () => (await phaseOf(client)) === 'Succeeded');
  const { counts } = (await client.get<Order>(orders, { namespace, name: 'o' })).status ?? {};
  assert.equal(counts?.succeeded, 200);
  const statusWrites = requests.filter((request) => request.endsWith('/status')).length;
  assert.equal(requests.filter((request) => request === 'create workflows').length, 200);
  assert.ok(requests.length <= 200 * 10, `${requests.length} requests`);
  assert.ok(statusWrites <= 200 * 4 + 20, `${statusWrites} status writes`);
});
