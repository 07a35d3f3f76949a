import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { artifactTypes, clusterArtifactTypes } from '@arc/api/arc';
import type { ArtifactTypeSpec } from '@arc/api/arc';
import { startTestServer } from '../testing/test-server.ts';
import type { TestServer } from '../testing/test-server.ts';

let server: TestServer;
const apiVersion = 'arc.opendefense.cloud/v1alpha1';
before(async () => {
  server = await startTestServer();
  const shared = (name: string, spec: ArtifactTypeSpec) =>
    server.client.create(clusterArtifactTypes, { apiVersion, kind: 'ClusterArtifactType', metadata: { name }, spec });
  await shared('oci', {
    rules: { srcTypes: ['oci'], dstTypes: ['oci', 'dir'] },
    workflowTemplateRef: { name: 'copy', clusterScope: true },
  });
  await shared('helm', { workflowTemplateRef: { name: 'charts', clusterScope: true } });
  const spec = { workflowTemplateRef: { name: 'own' }, priority: 5, parameters: [{ name: 'depth', value: '3' }] };
  await server.client.create(artifactTypes, { apiVersion, kind: 'ArtifactType', metadata: { name: 'helm', namespace: 'default' }, spec });
});
after(() => server[Symbol.asyncDispose]());

test('types are listed as Orders of the namespace see them', async () => {
  const { stdout } = await server.arcctl(['type', 'list']);
  const rows = stdout
    .trimEnd()
    .split('\n')
    .map((row) => row.split(/ {3,}/));
  assert.deepEqual(rows, [
    ['NAME', 'SCOPE', 'FROM', 'TO', 'TEMPLATE'],
    ['helm', 'default', 'any', 'any', 'workflowtemplate/own'],
    ['oci', 'cluster', 'oci', 'oci,dir', 'clusterworkflowtemplate/copy'],
  ]);
  const elsewhere = await server.arcctl(['type', 'list', '-n', 'kube-system', '-o', 'json']);
  const types = JSON.parse(elsewhere.stdout) as readonly { readonly name: string; readonly scope: string }[];
  assert.deepEqual(
    types.map(({ name, scope }) => `${name} ${scope}`),
    ['helm cluster', 'oci cluster'],
  );
});

test('one type is shown with what it sets, or whole', async () => {
  const { stdout } = await server.arcctl(['type', 'show', 'helm']);
  assert.match(stdout, /^Type: +artifacttype\.arc\.opendefense\.cloud\/helm\nScope: +default\n/);
  assert.match(stdout, /Priority: +5\nParameter: +depth=3\n$/);
  assert.match((await server.arcctl(['type', 'show', 'oci', '-o', 'yaml'])).stdout, /^apiVersion: .*\nkind: ClusterArtifactType\n/);
});

test('a type that is not there is told with what is close', async () => {
  const { code, stderr } = await server.arcctl(['type', 'show', 'hlem']);
  assert.equal(code, 3);
  assert.match(stderr, /error\[NotFound\]: there is no artifact type "hlem"\nhint: Did you mean helm\?/);
});
