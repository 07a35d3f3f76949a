import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clusterArtifactTypes, endpoints } from '@arc/api/arc';
import type { Endpoint } from '@arc/api/arc';
import { events, secrets } from '@arc/api/core';
import type { Secret } from '@arc/api/core';
import type { KubeObject } from '@arc/apimachinery';
import { createAuthority, issueServerCertificate } from '@arc/pki';
import { eventually, startTestRegistry } from '@arc/testkit';
import { endpoint, startWorld } from './support/world.ts';

const namespace = 'default';

test('an Endpoint says what is wrong with it: no Secret, a wrong password, an unknown authority, nobody there; and recovers', async () => {
  const authority = createAuthority({ commonName: 'test' });
  const { certPem: cert, keyPem: key } = issueServerCertificate(authority, { names: [], addresses: ['127.0.0.1'] });
  await using registry = await startTestRegistry({ tls: { cert, key }, auth: { kind: 'token', users: { puller: 'the right word' } } });
  await using world = await startWorld({ args: ['--log-level', 'debug'] });
  const { client } = world;
  const type: KubeObject & { spec: unknown } = {
    apiVersion: 'arc.opendefense.cloud/v1alpha1',
    kind: 'ClusterArtifactType',
    metadata: { name: 'oci' },
    spec: { workflowTemplateRef: { name: 'copy' } },
  };
  const login = (password: string, ca = authority.certPem): Record<string, string> =>
    Object.fromEntries(
      Object.entries({ username: 'puller', password, 'ca.crt': ca }).map(([name, value]) => [name, Buffer.from(value).toString('base64')]),
    );
  const becomes = (ready: string): Promise<Endpoint> =>
    eventually(
      async () => {
        const found = await client.get<Endpoint>(endpoints, { namespace, name: 'src' });
        const condition = found.status?.conditions?.find(({ type }) => type === 'Ready');
        return `${condition?.status}/${condition?.reason}` === ready ? found : undefined;
      },
      { what: `the Endpoint to be ${ready}`, timeoutMs: 20_000 },
    );

  await client.create(endpoints, endpoint('src', registry.url, { secretRef: { name: 'login' } }));
  await becomes('False/SecretNotFound');
  await client.create<Secret>(secrets, {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'login', namespace },
    data: login('the wrong word'),
  });
  await becomes('False/UnknownType');
  await client.create(clusterArtifactTypes, type);
  await becomes('False/Unauthorized');
  await client.patch(secrets, { namespace, name: 'login' }, { data: login('the right word') });
  const ready = await becomes('True/Valid');
  assert.deepEqual(
    ready.status?.conditions?.map(({ type, status, reason }) => `${type}=${status}/${reason}`),
    ['Validated=True/Valid', 'Reachable=True/Reachable', 'Authenticated=True/Authenticated', 'Ready=True/Valid'],
  );
  assert.match((await world.arcctl(['endpoint', 'list'])).stdout, /^src +oci +https:\/\/127\.0\.0\.1:\d+ +All +True /m);
  const tested = await world.arcctl(['endpoint', 'test', 'src']);
  assert.equal(tested.code, 0, tested.stderr);
  assert.match(tested.stdout, /^Authenticated +True +Authenticated +its token service accepts the credentials$/m);

  await client.patch(secrets, { namespace, name: 'login' }, { data: { 'ca.crt': null } });
  await becomes('False/TLSError');
  await client.patch(secrets, { namespace, name: 'login' }, { data: login('the right word') });
  await becomes('True/Valid');
  await registry.close();
  const gone = await world.arcctl(['endpoint', 'test', 'src']);
  assert.equal(gone.code, 1);
  assert.match(gone.stdout, /^Ready +False +ConnectionRefused +it refuses connections: check host and port/m);

  const secret = await client.get<Secret>(secrets, { namespace, name: 'login' });
  assert.deepEqual(
    [secret.metadata.labels, secret.metadata.ownerReferences, secret.metadata.finalizers],
    [undefined, undefined, undefined],
  );
  const told = JSON.stringify(await client.list(events, { namespace }));
  assert.match(told, /no secure connection \([A-Z_]+\): put the authority/);
  const metrics = await client.raw({ path: '/metrics' });
  let exposition = '';
  for await (const piece of metrics.body) exposition += Buffer.from(piece).toString();
  assert.match(exposition, /^arc_endpoints\{namespace="default",ready="false"\} 1$/m);
  for (const text of [world.arc.output(), told, JSON.stringify(await client.list(endpoints))]) {
    assert.doesNotMatch(text, /the (?:right|wrong) word|dGhlI/);
  }
});
