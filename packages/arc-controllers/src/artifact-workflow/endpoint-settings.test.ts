import type { Volume, Workflow } from '@arc/api/argo';
import { cronWorkflows } from '@arc/api/argo';
import type { CronWorkflow } from '@arc/api/argo';
import { tlsIdentity } from '../identity/tls-identity.ts';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  clusterArtifactTypes,
  clusterType,
  createWorld,
  creations,
  endpoint,
  endpoints,
  order,
  orders,
  runAll,
  secret,
  secrets,
  supply,
  workflows,
} from '../../test/world.ts';
import type { World } from '../../test/world.ts';

const ca = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n';

function parametersOf({ spec }: Workflow): Record<string, unknown> {
  return Object.fromEntries((spec.arguments?.parameters ?? []).map(({ name, value }) => [name, value]));
}

function volumeOf({ spec }: Workflow, name: string): Volume | undefined {
  return spec.volumes?.find((volume) => volume.name === name);
}

function only(world: World): Workflow {
  const [workflow, ...others] = world.workflows();
  assert.ok(workflow !== undefined && others.length === 0);
  return workflow;
}

test('TLS settings and rates of Endpoints reach the Workflow, and nothing does of those that say nothing', async () => {
  await using world = await createWorld();
  supply(world);
  world.apply(secrets, secret('creds', { password: 'hunter2hunter2' }));
  world.apply(secrets, secret('client', { 'tls.crt': 'certificate', 'tls.key': 'a private key' }));
  const tls = { ca, serverName: 'registry.internal', secretRef: { name: 'client' } };
  world.apply(endpoints, endpoint('src', { secretRef: { name: 'creds' }, tls, maxBytesPerSecond: 1000 }));
  world.apply(orders, order(['a']));
  await world.settle();
  const workflow = only(world);
  const { srcCA, srcServerName, srcMaxBytesPerSecond, srcSecret, ...others } = parametersOf(workflow);
  assert.deepEqual([srcCA, srcServerName, srcMaxBytesPerSecond, srcSecret], [ca, 'registry.internal', '1000', 'true']);
  assert.deepEqual(
    Object.keys(others).filter((name) => /^dst(?:CA|ServerName|Max)/.test(name)),
    [],
  );
  assert.deepEqual(volumeOf(workflow, 'src-secret-vol'), {
    name: 'src-secret-vol',
    projected: { sources: [{ secret: { name: 'creds' } }, { secret: { name: 'client' } }] },
  });
  assert.deepEqual(volumeOf(workflow, 'dst-secret-vol'), { name: 'dst-secret-vol', emptyDir: {} });
  assert.deepEqual(Object.keys(world.order().status?.secretGenerations ?? {}), ['client', 'creds']);
});

test('a client certificate alone, or one in the same Secret as the credentials, is a plain volume', async () => {
  await using world = await createWorld();
  supply(world);
  world.apply(secrets, secret('one', { 'tls.crt': 'certificate' }));
  world.apply(endpoints, endpoint('src', { tls: { secretRef: { name: 'one' } } }));
  world.apply(endpoints, endpoint('dst', { secretRef: { name: 'one' }, tls: { secretRef: { name: 'one' } } }));
  world.apply(orders, order(['a']));
  await world.settle();
  for (const name of ['src-secret-vol', 'dst-secret-vol']) {
    assert.deepEqual(volumeOf(only(world), name), { name, secret: { secretName: 'one' } });
  }
  assert.deepEqual([parametersOf(only(world))['srcSecret'], parametersOf(only(world))['dstSecret']], ['false', 'true']);
});

test('another authority, name or client certificate runs again; contacts, caps, white space and empty settings do not', async () => {
  await using world = await createWorld();
  supply(world);
  world.apply(secrets, secret('client', { 'tls.crt': 'one' }));
  world.apply(orders, order(['a']));
  await runAll(world);
  const runsAfter = async (spec: Parameters<typeof endpoint>[1]): Promise<number> => {
    world.apply(endpoints, endpoint('src', spec));
    await runAll(world);
    return creations(world, workflows).length;
  };
  const harmless = { contacts: [{ name: 'Jo' }], concurrency: 1, maxBytesPerSecond: 5, validUntil: '2040-01-01T00:00:00Z' };
  assert.equal(await runsAfter({ ...harmless, tls: {} }), 1);
  assert.equal(await runsAfter({ tls: { ca } }), 2);
  assert.equal(await runsAfter({ tls: { ca: `# ours\r\n\r\n${ca.replaceAll('\n', '\r\n')}` } }), 2);
  assert.equal(await runsAfter({ tls: { ca: ca.replace('AAAA', 'BBBB') } }), 3);
  assert.equal(await runsAfter({ tls: { serverName: 'a.example' } }), 4);
  assert.equal(await runsAfter({ tls: { serverName: 'A.example' } }), 4);
  assert.equal(await runsAfter({ tls: { secretRef: { name: 'client' } } }), 5);
  world.apply(secrets, secret('client', { 'tls.crt': 'two' }));
  await runAll(world);
  assert.equal(creations(world, workflows).length, 6);
});

test('the order of certificates, and one that is there twice, are no change', () => {
  const other = ca.replace('AAAA', 'BBBB');
  assert.deepEqual(tlsIdentity({ ca: ca + other }, undefined), tlsIdentity({ ca: other + ca + ca }, undefined));
});

test('a client certificate that does not exist is waited for like credentials', async () => {
  await using world = await createWorld();
  supply(world);
  world.apply(endpoints, endpoint('src', { tls: { secretRef: { name: 'client' } } }));
  await world.settle();
  world.apply(orders, order(['a']));
  await world.settle();
  assert.match(world.order().status?.message ?? '', /the Secret "client" of the source Endpoint "src" does not exist/);
  world.apply(secrets, secret('client', { 'tls.crt': 'one' }));
  await runAll(world);
  assert.equal(world.order().status?.phase, 'Succeeded');
});

test('a rate of the type wins, and another rate of the Endpoint reaches what starts next and what is scheduled', async () => {
  await using world = await createWorld();
  supply(world);
  world.apply(endpoints, endpoint('dst', { maxBytesPerSecond: 1000 }));
  world.apply(clusterArtifactTypes, clusterType('slow', { parameters: [{ name: 'dstMaxBytesPerSecond', value: '7' }] }));
  const wish = order(['a']);
  const artifacts = [
    { type: 'slow', spec: { image: 'a' } },
    { type: 'oci', spec: { image: 'b' }, cron: { schedules: ['@daily'] } },
  ];
  world.apply(orders, { ...wish, spec: { ...wish.spec, artifacts } });
  await world.settle();
  const rates = (): unknown[] => {
    const [cron] = world.client.peekAll<CronWorkflow>(cronWorkflows);
    const scheduled = cron?.spec.workflowSpec.arguments?.parameters?.find(({ name }) => name === 'dstMaxBytesPerSecond')?.value;
    return [parametersOf(only(world))['dstMaxBytesPerSecond'], scheduled];
  };
  assert.deepEqual(rates(), ['7', '1000']);
  world.apply(endpoints, endpoint('dst', { maxBytesPerSecond: 2000 }));
  await world.settle();
  assert.deepEqual(rates(), ['7', '2000']);
});

test('templates that bring the volumes themselves are told the Secret of the client certificate', async () => {
  await using world = await createWorld({}, { handOver: { volumesFrom: 'template' } });
  supply(world);
  world.apply(secrets, secret('client', { 'tls.crt': 'certificate' }));
  world.apply(endpoints, endpoint('src', { tls: { secretRef: { name: 'client' } } }));
  await world.settle();
  world.apply(orders, order(['a']));
  await world.settle();
  const { srcTLSSecretName, dstTLSSecretName } = parametersOf(only(world));
  assert.deepEqual([srcTLSSecretName, dstTLSSecretName, only(world).spec.volumes], ['client', undefined, undefined]);
});

test('neither a private key nor a password reaches the status, whichever way the Secret got to the step', async () => {
  const sources = ['srcSecretName', 'srcTLSSecretName'].map((name) => ({
    secret: { name: `{{workflow.parameters.${name}}}`, optional: true },
  }));
  const byReference: Volume = { name: 'src-secret-vol', projected: { sources } };
  for (const volumesFrom of ['workflow', 'template'] as const) {
    await using world = await createWorld({}, { handOver: { volumesFrom } });
    supply(world);
    world.apply(secrets, secret('login', { password: 'hunter2hunter2' }));
    world.apply(secrets, secret('client', { 'tls.key': 'a private key of ours' }));
    world.apply(endpoints, endpoint('src', { secretRef: { name: 'login' }, tls: { secretRef: { name: 'client' } } }));
    await world.settle();
    world.apply(orders, order(['a']));
    await world.settle();
    world.report(only(world).metadata.name ?? '', {
      phase: 'Failed',
      message: 'tried hunter2hunter2 with a private key of ours',
      finishedAt: '2026-01-01T00:10:00Z',
      ...(volumesFrom === 'template' && { storedWorkflowTemplateSpec: { volumes: [byReference] } }),
    });
    await world.settle();
    assert.match(world.runs()[0]?.status?.message ?? '', /tried \[redacted\] with \[redacted\]/, volumesFrom);
  }
});
