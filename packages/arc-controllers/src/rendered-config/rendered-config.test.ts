import type { ArtifactWorkflow } from '@arc/api/arc';
import type { Secret } from '@arc/api/core';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  artifactWorkflows,
  clusterArtifactTypes,
  clusterType,
  createWorld,
  creations,
  endpoint,
  endpoints,
  namespace,
  order,
  orders,
  runAll,
  secret,
  secrets,
  supply,
  workflows,
} from '../../test/world.ts';
import type { World } from '../../test/world.ts';
import { configDocument } from './config-document.ts';

async function supplied(world: World): Promise<void> {
  supply(world);
  world.apply(endpoints, endpoint('src', { secretRef: { name: 'creds' } }));
  world.apply(secrets, secret('creds', { username: 'puller', password: 'hunter2hunter2' }));
  world.apply(clusterArtifactTypes, clusterType('oci', { renderConfig: true, rules: { srcTypes: ['oci'] } }));
  await world.settle();
}

function config(world: World): Secret | undefined {
  return world.client.peekAll<Secret>(secrets).find(({ metadata }) => metadata.name?.endsWith('-config') === true);
}

function document(world: World): ReturnType<typeof configDocument> {
  const encoded = config(world)?.data?.['config.json'];
  assert.ok(encoded !== undefined, 'there is a configuration');
  return JSON.parse(Buffer.from(encoded, 'base64').toString()) as ReturnType<typeof configDocument>;
}

test('a type that asks for it gets the configuration as a Secret that belongs to the run', async () => {
  await using world = await createWorld();
  await supplied(world);
  world.apply(orders, order(['app:v1']));
  await world.settle();
  const [run] = world.runs();
  const name = `${run?.metadata.name}-config`;
  assert.equal(config(world)?.metadata.name, name);
  assert.deepEqual(
    config(world)?.metadata.ownerReferences?.map(({ kind, uid, controller }) => [kind, uid, controller]),
    [['ArtifactWorkflow', run?.metadata.uid, true]],
  );
  assert.deepEqual(document(world), {
    endpoints: {
      source: {
        name: 'src',
        type: 'oci',
        remoteURL: 'https://src.example.com',
        credentials: { type: 'Opaque', values: { password: 'hunter2hunter2', username: 'puller' } },
      },
      destination: { name: 'dst', type: 'oci', remoteURL: 'https://dst.example.com' },
    },
    artifact: { type: 'oci', spec: { image: 'app:v1' } },
    policy: { dryRun: false, srcTypes: ['oci'], dstTypes: [] },
  });
  assert.deepEqual(world.workflows()[0]?.spec.volumes?.at(-1), { name: 'config-vol', secret: { secretName: name } });
  assert.deepEqual(world.client.peek<Secret>(secrets, { namespace, name: 'creds' })?.metadata.ownerReferences, undefined);
  assert.doesNotMatch(JSON.stringify([world.logs, world.runs(), world.order()]), /hunter2/);
});

test('types that do not ask get no Secret and no volume', async () => {
  await using world = await createWorld();
  supply(world);
  world.apply(orders, order(['a']));
  await world.settle();
  assert.equal(config(world), undefined);
  assert.equal(world.workflows()[0]?.spec.volumes?.length, 2);
});

test('an edited or deleted configuration is made anew; in a steady state nothing is asked', async () => {
  await using world = await createWorld();
  await supplied(world);
  world.apply(orders, order(['a']));
  await world.settle();
  const before = document(world);
  const ref = { namespace, name: config(world)?.metadata.name ?? '' };
  await world.client.patch(secrets, ref, { data: { 'config.json': Buffer.from('{}').toString('base64'), extra: 'eA==' } });
  await world.settle();
  assert.deepEqual(document(world), before);
  assert.deepEqual(Object.keys(config(world)?.data ?? {}), ['config.json']);
  await world.client.delete(secrets, ref);
  await world.settle();
  assert.deepEqual(document(world), before);
  await world.restart();
  await world.settle();
  const requests = world.client.requests.length;
  await world.clock.advance(600_000);
  assert.deepEqual(
    world.client.requests.slice(requests).filter(({ verb }) => verb !== 'watch' && verb !== 'list'),
    [],
  );
});

test('the configuration of a run written by hand follows its inputs while it runs', async () => {
  await using world = await createWorld();
  await supplied(world);
  world.client.put(artifactWorkflows, {
    apiVersion: 'arc.opendefense.cloud/v1alpha1',
    kind: 'ArtifactWorkflow',
    metadata: { namespace, name: 'by-hand' },
    spec: { type: 'oci', srcRef: { name: 'src' }, dstRef: { name: 'dst' } },
  } as ArtifactWorkflow);
  await world.settle();
  world.apply(secrets, secret('creds', { username: 'puller', password: 'rotated-password' }));
  await world.settle();
  assert.equal(document(world).endpoints.source?.credentials?.values['password'], 'rotated-password');
  world.apply(endpoints, endpoint('dst', { remoteURL: 'https://moved.example.com' }));
  await world.settle();
  assert.equal(document(world).endpoints.destination?.remoteURL, 'https://moved.example.com');
  await world.client.delete(endpoints, { namespace, name: 'src' });
  await world.settle();
  assert.equal(document(world).endpoints.source?.name, 'src', 'what is missing changes nothing');
  assert.equal(creations(world, workflows).length, 1);
});

test('credentials are not kept longer than the run; a retry gets them again', async () => {
  await using world = await createWorld();
  await supplied(world);
  world.apply(orders, order(['a']));
  await runAll(world, () => ({ phase: 'Failed', finishedAt: '2026-01-01T00:10:00Z', message: 'login as puller/hunter2hunter2 failed' }));
  await world.settle();
  assert.equal(config(world), undefined);
  assert.doesNotMatch(JSON.stringify([world.logs, world.runs(), world.order()]), /hunter2/);
  const { metadata } = world.order();
  world.apply(orders, { ...world.order(), metadata: { ...metadata, annotations: { 'arc.opendefense.cloud/retry': 'x' } } });
  await world.settle();
  assert.notEqual(config(world), undefined);
  await runAll(world);
  await world.settle();
  assert.equal(config(world), undefined);
  assert.equal(world.order().status?.phase, 'Succeeded');
});

test("a user's Secret of that name is left alone", async () => {
  await using world = await createWorld();
  await supplied(world);
  world.client.put(secrets, secret('by-hand-config', { mine: 'yes' }));
  world.client.put(artifactWorkflows, {
    apiVersion: 'arc.opendefense.cloud/v1alpha1',
    kind: 'ArtifactWorkflow',
    metadata: { namespace, name: 'by-hand' },
    spec: { type: 'oci', srcRef: { name: 'src' }, dstRef: { name: 'dst' } },
  } as ArtifactWorkflow);
  await world.settle();
  assert.deepEqual([world.runs()[0]?.status?.reason, world.workflows()], ['NameTaken', []]);
  assert.deepEqual(Object.keys(config(world)?.data ?? {}), ['mine']);
  await world.client.delete(secrets, { namespace, name: 'by-hand-config' });
  await world.clock.advance(31_000);
  await runAll(world);
  assert.equal(world.runs()[0]?.status?.phase, 'Succeeded');
});

test('a crash at any request leaves neither a run without configuration nor two runs', async () => {
  for (let crash = 0; crash < 12; crash++) {
    await using world = await createWorld();
    await supplied(world);
    let seen = 0;
    let refused = 0;
    using hook = world.client.onRequest(({ verb, type }) => {
      if (verb === 'watch' || verb === 'list' || seen++ !== crash) return;
      if (verb === 'create' && type?.plural === 'workflows') refused += 1;
      throw new Error('connection lost');
    });
    world.apply(orders, order(['a']));
    await world.settle(10);
    await world.restart();
    hook[Symbol.dispose]();
    await world.settle();
    assert.equal(document(world).endpoints.source?.name, 'src', `crash ${crash}`);
    await runAll(world);
    assert.equal(creations(world, workflows).length - refused, 1, `crash ${crash}`);
    assert.equal(world.order().status?.phase, 'Succeeded', `crash ${crash}`);
  }
});

test('values that are no text survive in base64', () => {
  const bytes = Buffer.from([0xff, 0xfe, 0x00]).toString('base64');
  const creds: Secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 's' }, data: { key: bytes, text: 'eA==' } };
  const { endpoints } = configDocument({
    spec: {},
    type: undefined,
    source: { endpoint: endpoint('src', { tls: { serverName: 'a.example' }, maxBytesPerSecond: 5 }), secret: creds, tlsSecret: creds },
    destination: undefined,
  });
  const values = { type: 'Opaque', values: { text: 'x' }, binary: { key: bytes } };
  assert.deepEqual(endpoints.source?.credentials, values);
  assert.deepEqual([endpoints.source?.tls, endpoints.source?.maxBytesPerSecond], [{ serverName: 'a.example', certificate: values }, 5]);
});
