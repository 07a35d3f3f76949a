import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { artifactWorkflows, endpoints, orders } from '@arc/api/arc';
import type { ArtifactWorkflow } from '@arc/api/arc';
import { secrets } from '@arc/api/core';
import { buildImage, missingArgo, missingArgoDefinitions, seedRegistry, startTestRegistry } from '@arc/testkit';
import { startArgoScenario } from './support/argo-scenario.ts';
import { namespace } from './support/argo-world.ts';
import { processPods } from './support/process-pods.ts';
import { createEndpoints, finishedOrder, installOciType, ociOrder } from './support/world.ts';

const skip = missingArgo('workflow-controller') ?? missingArgoDefinitions() ?? false;

test('an Order is delivered by Argo, whose pods run the worker with the credentials of the Endpoint', { skip }, async () => {
  await using source = await startTestRegistry();
  await using destination = await startTestRegistry({ auth: { kind: 'basic', users: { robot: 'hunter2hunter2' } } });
  const image = buildImage([{ 'etc/motd': 'hello' }], { single: true });
  seedRegistry(source, 'demo/app', image, ['v1']);
  const folder = await mkdtemp(join(tmpdir(), 'arc-argo-'));
  await using stack = new AsyncDisposableStack();
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  const pods = stack.use(await processPods(folder));
  const scenario = stack.use(await startArgoScenario({ otherwise: pods.script }));
  const { client } = scenario;
  await installOciType(client);
  const data = { username: 'robot', password: 'hunter2hunter2' };
  await client.create(secrets, {
    ...{ apiVersion: 'v1', kind: 'Secret', metadata: { name: 'login', namespace } },
    stringData: data,
  } as never);
  await createEndpoints(client, source.url, destination.url, namespace);
  await client.patch(endpoints, { namespace, name: 'dst' }, { spec: { secretRef: { name: 'login' } } });

  await client.create(orders, ociOrder('brought', [{ image: 'demo/app:v1' }], namespace));
  const { status } = await finishedOrder(client, 'brought', namespace);
  const [run] = (await client.list<ArtifactWorkflow>(artifactWorkflows, { namespace })).items;
  assert.equal(status?.phase, 'Succeeded', `${status?.message}\n${run?.status?.logTail}`);
  const digest = destination.content.manifest('demo/app', 'v1')?.digest;
  assert.equal(digest, source.content.manifest('demo/app', 'v1')?.digest);
  assert.ok(run?.status?.receipt?.includes(digest ?? 'nothing'), 'the receipt of the worker');

  await client.create(orders, ociOrder('missing', [{ image: 'demo/app:v2' }], namespace));
  const failed = await finishedOrder(client, 'missing', namespace);
  assert.equal(failed.status?.phase, 'Failed');
  assert.match(Object.values(failed.status?.artifactWorkflows ?? {})[0]?.message ?? '', /Step 'transfer' failed: .*v2/);
});
