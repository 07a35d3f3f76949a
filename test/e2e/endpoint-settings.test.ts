import assert from 'node:assert/strict';
import { test } from 'node:test';
import { artifactWorkflows, endpoints, orders } from '@arc/api/arc';
import type { ArtifactWorkflow, Endpoint } from '@arc/api/arc';
import { secrets } from '@arc/api/core';
import type { Secret } from '@arc/api/core';
import { createAuthority, issueClientCertificate, issueServerCertificate } from '@arc/pki';
import { buildImage, eventually, seedRegistry, startTestRegistry } from '@arc/testkit';
import { endpoint, finishedOrder, installOciType, ociOrder, startWorld } from './support/world.ts';

const namespace = 'default';

function secret(name: string, values: Record<string, string>): Secret {
  const data = Object.fromEntries(Object.entries(values).map(([key, value]) => [key, Buffer.from(value).toString('base64')]));
  return { apiVersion: 'v1', kind: 'Secret', metadata: { name, namespace }, data };
}

test('probe and worker connect as an Endpoint says: its authority, its name, a client certificate beside the password, at its rate', async () => {
  const authority = createAuthority({ commonName: 'test' });
  const { certPem: cert, keyPem: key } = issueServerCertificate(authority, { names: ['registry.internal'], addresses: [] });
  const us = issueClientCertificate(authority, { user: 'us', groups: [] });
  await using source = await startTestRegistry({
    tls: { cert, key, clientCa: authority.certPem },
    auth: { kind: 'basic', users: { puller: 'the right word' } },
  });
  await using destination = await startTestRegistry();
  seedRegistry(source, 'app', buildImage([{ a: 'b' }], { single: true, random: { layers: 1, bytes: 600_000 } }), ['v1']);
  await using world = await startWorld();
  const { client } = world;
  await installOciType(client);
  await client.create(secrets, secret('login', { username: 'puller', password: 'the right word' }));
  await client.create(secrets, secret('client', { 'tls.crt': us.certPem, 'tls.key': us.keyPem }));
  const tls = { ca: authority.certPem, serverName: 'registry.internal', secretRef: { name: 'client' } };
  await client.create(endpoints, endpoint('src', source.url, { secretRef: { name: 'login' }, tls, maxBytesPerSecond: 500_000 }));
  await client.create(endpoints, endpoint('dst', destination.url));
  await client.create(orders, ociOrder('o', [{ image: 'app:v1' }]));
  const done = await finishedOrder(client, 'o');
  assert.equal(done.status?.phase, 'Succeeded', done.status?.message);
  assert.deepEqual(Object.keys(done.status.secretGenerations ?? {}), ['client', 'login']);
  const [run] = (await client.list<ArtifactWorkflow>(artifactWorkflows, { namespace })).items;
  const { startedAt, finishedAt } = JSON.parse(run?.status?.receipt ?? '{}') as { startedAt: string; finishedAt: string };
  assert.ok(Date.parse(finishedAt) - Date.parse(startedAt) > 1000, '600,000 bytes cannot take less than 1.1 s at that rate');
  const becomes = (ready: string): Promise<unknown> =>
    eventually(
      async () => {
        const { status } = await client.get<Endpoint>(endpoints, { namespace, name: 'src' });
        const condition = status?.conditions?.find(({ type }) => type === 'Ready');
        return `${condition?.status}/${condition?.reason}` === ready || undefined;
      },
      { what: `the Endpoint to be ${ready}`, timeoutMs: 20_000 },
    );
  await becomes('True/Valid');

  // Another name is another configuration: the Endpoint says what is wrong, the Order as well, and the run fails.
  await client.patch(endpoints, { namespace, name: 'src' }, { spec: { tls: { serverName: 'other.internal' } } });
  await becomes('False/TLSError');
  const failed = await eventually(
    async () => {
      const { status } = await finishedOrder(client, 'o');
      return status?.phase === 'Failed' && status.conditions?.some(({ type, status: is }) => type === 'EndpointsReady' && is === 'False')
        ? status
        : undefined;
    },
    { what: 'the Order to fail and say why', timeoutMs: 60_000 },
  );
  assert.match(failed.message ?? '', /Endpoint "src" is not ready: no secure connection/);
});
