import assert from 'node:assert/strict';
import { mkdtemp, mkdtempDisposable, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { artifactWorkflows, clusterArtifactTypes, endpoints, orders } from '@arc/api/arc';
import type { ArtifactWorkflow, ClusterArtifactType } from '@arc/api/arc';
import { clusterWorkflowTemplates } from '@arc/api/argo';
import { secrets } from '@arc/api/core';
import type { KubeObject } from '@arc/apimachinery';
import { buildImage, findTool, missingArgo, missingArgoDefinitions, seedRegistry, startTestRegistry } from '@arc/testkit';
import { startArgoScenario } from './support/argo-scenario.ts';
import { namespace } from './support/argo-world.ts';
import { processPods } from './support/process-pods.ts';
import { createEndpoints, finishedOrder, installOciType, ociOrder, readExample } from './support/world.ts';

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

const skopeo = findTool('skopeo') === undefined && 'skopeo is not installed';

test('the template that knows other tools runs in Argo, whose steps may be skipped', { skip: skip || skopeo }, async () => {
  await using source = await startTestRegistry();
  await using destination = await startTestRegistry();
  const image = buildImage((platform) => [{ 'etc/platform': platform }]);
  seedRegistry(source, 'demo/app', image, ['v1']);
  await using folder = await mkdtempDisposable(join(tmpdir(), 'arc-argo-'));
  await using pods = await processPods(folder.path);
  await using scenario = await startArgoScenario({ otherwise: pods.script });
  const { client } = scenario;
  await client.create(clusterWorkflowTemplates, await readExample('oci-known-tools', 'cluster-workflow-template.yaml'));
  const type = (await readExample('oci-known-tools', 'artifact-type.yaml')) as unknown as ClusterArtifactType;
  await client.create(clusterArtifactTypes, { ...type, spec: { ...type.spec, parameters: [] } } as KubeObject);
  await createEndpoints(client, source.url, destination.url, namespace);
  const { spec, ...order } = ociOrder('known-tools', [], namespace);
  const artifacts = [{ type: 'oci-known-tools', spec: { image: 'demo/app:v1', override: 'zone/app:v1' } }];
  await client.create(orders, { ...order, spec: { ...spec, artifacts } });
  const { status } = await finishedOrder(client, 'known-tools', namespace);
  const [run] = (await client.list<ArtifactWorkflow>(artifactWorkflows, { namespace })).items;
  assert.equal(status?.phase, 'Succeeded', `${status?.message}\n${run?.status?.logTail}`);
  assert.equal(destination.content.tags('zone/app').get('v1'), image.digest);
  const { checks } = JSON.parse(run?.status?.receipt ?? '{}') as { checks?: { name: string; result: string }[] };
  assert.deepEqual(
    checks?.map(({ name, result }) => `${result} ${name}`),
    ['skipped signature', 'skipped scan', 'passed content'],
  );
});
