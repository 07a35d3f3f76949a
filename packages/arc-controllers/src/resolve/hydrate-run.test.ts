import type { ArtifactWorkflow } from '@arc/api/arc';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  artifactTypes,
  artifactWorkflows,
  clusterArtifactTypes,
  clusterType,
  createWorld,
  creations,
  endpoint,
  endpoints,
  namespace,
  namespacedType,
  runAll,
  secret,
  secrets,
  supply,
  workflows,
} from '../../test/world.ts';
import type { World } from '../../test/world.ts';

function byHand(spec: ArtifactWorkflow['spec'], name = 'by-hand'): ArtifactWorkflow {
  return {
    apiVersion: 'arc.opendefense.cloud/v1alpha1',
    kind: 'ArtifactWorkflow',
    metadata: { namespace, name },
    spec: { type: 'oci', srcRef: { name: 'src' }, dstRef: { name: 'dst' }, ...spec },
  };
}

function state(world: World): [string | undefined, string | undefined] {
  const [run] = world.runs();
  return [run?.status?.phase, run?.status?.reason];
}

function argumentsOf(world: World): Record<string, unknown> {
  return Object.fromEntries(world.workflows()[0]?.spec.arguments?.parameters?.map(({ name, value }) => [name, value]) ?? []);
}

test('a minimal run gets template, parameters and Secrets from its type and Endpoints', async () => {
  await using world = await createWorld();
  supply(world);
  world.apply(endpoints, endpoint('dst', { secretRef: { name: 'creds' } }));
  world.apply(secrets, secret('creds', { password: 'hunter2hunter2' }));
  world.apply(clusterArtifactTypes, clusterType('oci', { parameters: [{ name: 'level', value: 'strict' }] }));
  await world.settle();
  const own = [
    { name: 'specImage', value: 'app:v1' },
    { name: 'srcType', value: 'special' },
    { name: 'level', value: 'lax' },
  ];
  world.client.put(artifactWorkflows, byHand({ parameters: own }));
  await world.settle();
  const { spec } = world.workflows()[0] ?? {};
  assert.deepEqual(spec?.workflowTemplateRef, { name: 'copy', clusterScope: true });
  assert.deepEqual(spec?.volumes, [
    { name: 'src-secret-vol', emptyDir: {} },
    { name: 'dst-secret-vol', secret: { secretName: 'creds' } },
  ]);
  const values = argumentsOf(world);
  assert.deepEqual(
    ['dstSecret', 'srcRemoteURL', 'specImage', 'srcType', 'level', 'dryRun'].map((name) => values[name]),
    ['true', 'https://src.example.com', 'app:v1', 'special', 'strict', 'false'],
    'its own parameters replace derived ones, those of the type replace all',
  );
  await runAll(world);
  assert.deepEqual(state(world), ['Succeeded', undefined]);
  assert.deepEqual(world.runs()[0]?.spec?.workflowTemplateRef, undefined, 'what was written stays as it was written');
});

test('what is missing is waited for, and found by the event that brings it', async () => {
  await using world = await createWorld();
  world.client.put(artifactWorkflows, byHand({ parameters: [{ name: 'specImage', value: 'x' }] }));
  await world.settle();
  assert.deepEqual(state(world), ['Pending', 'MissingEndpoint']);
  world.apply(endpoints, endpoint('src', { secretRef: { name: 'creds' } }));
  world.apply(endpoints, endpoint('dst', { tls: { secretRef: { name: 'client' } } }));
  await world.settle();
  assert.deepEqual(state(world), ['Pending', 'MissingSecret']);
  world.apply(secrets, secret('client', { 'tls.crt': 'x' }));
  await world.settle();
  assert.deepEqual(state(world), ['Pending', 'MissingSecret']);
  world.apply(secrets, secret('creds', { password: 'x' }));
  await world.settle();
  assert.deepEqual(state(world), ['Pending', 'MissingArtifactType']);
  world.apply(artifactTypes, namespacedType('oci'));
  await runAll(world);
  assert.deepEqual(state(world), ['Succeeded', undefined]);
  assert.equal(argumentsOf(world)['specImage'], 'x');
});

test('rules and usage hold for runs written by hand, also for those that bring their own template', async () => {
  for (const own of [{}, { workflowTemplateRef: { name: 'mine' } }]) {
    await using world = await createWorld();
    supply(world);
    world.apply(endpoints, endpoint('dst', { usage: 'PullOnly' }));
    await world.settle();
    world.client.put(artifactWorkflows, byHand({ ...own, parameters: [{ name: 'specImage', value: 'x' }] }));
    await world.settle();
    assert.deepEqual(state(world), ['Failed', 'EndpointUsage']);
    world.apply(clusterArtifactTypes, clusterType('oci', { rules: { dstTypes: ['s3'] } }));
    await world.settle();
    world.apply(endpoints, endpoint('dst', { usage: 'All' }));
    await world.settle();
    assert.deepEqual(state(world), ['Failed', 'TypeNotAllowed']);
    assert.equal(creations(world, workflows).length, 0);
    await world.restart();
    world.apply(clusterArtifactTypes, clusterType());
    await runAll(world);
    assert.deepEqual(state(world), ['Succeeded', undefined]);
    assert.equal(argumentsOf(world)['specImage'], 'x');
  }
});

test('once begun, a run is not changed by what it was made from', async () => {
  await using world = await createWorld();
  supply(world);
  world.client.put(artifactWorkflows, byHand({}));
  await world.settle();
  world.apply(endpoints, endpoint('src', { usage: 'PushOnly' }));
  await runAll(world);
  world.apply(endpoints, endpoint('src', { usage: 'All', remoteURL: 'https://elsewhere.example.com' }));
  await runAll(world);
  assert.deepEqual(state(world), ['Succeeded', undefined]);
  assert.equal(creations(world, workflows).length, 1);
});

test('values of the Secrets of its Endpoints never reach the status', async () => {
  await using world = await createWorld();
  supply(world);
  world.apply(endpoints, endpoint('src', { secretRef: { name: 'creds' } }));
  world.apply(secrets, secret('creds', { password: 'hunter2hunter2' }));
  await world.settle();
  world.client.put(artifactWorkflows, byHand({}));
  await runAll(world, () => ({ phase: 'Failed', message: 'login with hunter2hunter2 failed', finishedAt: '2026-01-01T00:10:00Z' }));
  assert.equal(world.runs()[0]?.status?.message, 'login with [redacted] failed');
});
