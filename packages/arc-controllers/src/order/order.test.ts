import type { ArtifactWorkflow, Order } from '@arc/api/arc';
import { statusError } from '@arc/apimachinery';
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
  order,
  orders,
  runAll,
  secret,
  secrets,
  supply,
  workflows,
} from '../../test/world.ts';

test('an Order becomes ArtifactWorkflows and Workflows, and their end becomes its own', async () => {
  await using world = await createWorld();
  supply(world);
  world.apply(orders, order(['a', 'b'], { metadata: { labels: { team: 'x' }, annotations: { note: 'y' } } }));
  await world.settle();
  assert.equal(world.order().status?.phase, 'Pending');
  assert.deepEqual(world.order().metadata.finalizers, ['arc.opendefense.cloud/order-finalizer']);
  const [run] = world.runs();
  assert.ok(run);
  assert.match(run.metadata.name ?? '', /^o-[0-9a-f]{16}$/);
  assert.equal(run.metadata.labels?.['team'], 'x');
  assert.equal(run.metadata.labels?.['arc.opendefense.cloud/artifact-type'], 'oci');
  assert.equal(run.metadata.annotations?.['note'], undefined, 'annotations are not copied (reference, section 1.6)');
  assert.deepEqual(
    run.metadata.ownerReferences?.map(({ kind, name, controller }) => [kind, name, controller]),
    [['Order', 'o', true]],
  );
  assert.deepEqual(run.spec?.workflowTemplateRef, { name: 'copy', clusterScope: true });

  for (const { metadata } of world.workflows())
    world.report(metadata.name ?? '', { phase: 'Running', startedAt: '2026-01-01T00:00:01Z', progress: '1/2' });
  await world.settle();
  assert.deepEqual(
    world.entries().map(({ phase, progress }) => [phase, progress]),
    [
      ['Running', '1/2'],
      ['Running', '1/2'],
    ],
  );
  assert.equal(world.order().status?.phase, 'Running');

  await runAll(world);
  const { status, metadata } = world.order();
  assert.equal(status?.phase, 'Succeeded');
  assert.deepEqual(status?.counts, { total: 2, succeeded: 2, failed: 0, running: 0, pending: 0, blocked: 0, scheduled: 0 });
  assert.equal(status?.observedGeneration, metadata.generation);
  assert.deepEqual(
    status?.conditions?.map(({ type, status }) => `${type}=${status}`),
    ['Accepted=True', 'Progressing=False', 'Completed=True', 'Failed=False'],
  );
  assert.deepEqual(status?.endpointGenerations, { dst: 1, src: 1 });
});

test('one bad artifact does not keep its siblings waiting, and recovers by the event that brings what it lacks (weaknesses 3, 4)', async () => {
  await using world = await createWorld();
  supply(world);
  const wish = order(['good', 'no-endpoint', 'no-type', 'no-secret']);
  const artifacts = wish.spec?.artifacts ?? [];
  Object.assign(artifacts[1] ?? {}, { srcRef: { name: 'later' } });
  Object.assign(artifacts[2] ?? {}, { type: 'helm' });
  Object.assign(artifacts[3] ?? {}, { dstRef: { name: 'private' } });
  world.apply(endpoints, endpoint('private', { secretRef: { name: 'creds' } }));
  world.apply(orders, wish);
  await runAll(world);
  assert.deepEqual(
    world.entries().map(({ phase, reason }) => [phase, reason]),
    [
      ['Succeeded', undefined],
      ['Pending', 'MissingEndpoint'],
      ['Pending', 'MissingArtifactType'],
      ['Pending', 'MissingSecret'],
    ],
  );
  assert.match(world.entries()[1]?.message ?? '', /spec\.artifacts\[1\]: the source Endpoint "later" does not exist in namespace "team"/);
  assert.match(world.entries()[3]?.message ?? '', /the Secret "creds" of the destination Endpoint "private" does not exist/);
  const accepted = world.order().status?.conditions?.find(({ type }) => type === 'Accepted');
  assert.deepEqual([accepted?.status, accepted?.reason], ['False', 'MissingEndpoint']);
  const before = world.client.requests.length;
  await world.clock.advance(3_600_000);
  const sinceThen = world.client.requests.slice(before).filter(({ verb }) => verb !== 'watch' && verb !== 'list');
  assert.deepEqual(sinceThen, [], 'waiting costs nothing');

  world.apply(endpoints, endpoint('later'));
  await runAll(world);
  assert.equal(world.entries()[1]?.phase, 'Succeeded');
  world.apply(artifactTypes, namespacedType('helm'));
  await runAll(world);
  assert.equal(world.entries()[2]?.phase, 'Succeeded');
  world.apply(secrets, secret('creds', { password: 'x' }));
  await runAll(world);
  assert.equal(world.order().status?.phase, 'Succeeded');
  assert.equal(creations(world, workflows).length, 4);
});

test('rules and usage are enforced per artifact; unset usage means All (weakness 9)', async () => {
  await using world = await createWorld();
  supply(world);
  world.apply(endpoints, endpoint('pull', { usage: 'PullOnly' }));
  world.apply(endpoints, endpoint('push', { usage: 'PushOnly' }));
  world.apply(endpoints, endpoint('s3', { type: 's3' }));
  world.apply(clusterArtifactTypes, clusterType('strict', { rules: { srcTypes: ['oci'], dstTypes: ['oci'] } }));
  world.apply(clusterArtifactTypes, clusterType('empty', { workflowTemplateRef: {} }));
  const wish: Order = order([], {
    spec: {
      artifacts: [
        { type: 'oci', srcRef: { name: 'push' }, dstRef: { name: 'dst' } },
        { type: 'oci', srcRef: { name: 'src' }, dstRef: { name: 'pull' } },
        { type: 'strict', srcRef: { name: 's3' }, dstRef: { name: 'dst' } },
        { type: 'empty', srcRef: { name: 'src' }, dstRef: { name: 'dst' } },
        { type: 'oci', srcRef: { name: 'src' }, dstRef: { name: 'dst' }, spec: { a: 1, A: 2 } },
        { type: 'strict', srcRef: { name: 'pull' }, dstRef: { name: 'push' } },
      ],
    },
  });
  world.apply(orders, wish);
  await runAll(world);
  assert.deepEqual(
    world.entries().map(({ phase, reason }) => reason ?? phase),
    ['EndpointUsage', 'EndpointUsage', 'TypeNotAllowed', 'InvalidArtifactType', 'InvalidSpec', 'Succeeded'],
  );
  assert.match(world.entries()[0]?.message ?? '', /is not compatible with source usage/);
  assert.match(world.entries()[2]?.message ?? '', /source endpoint type "s3".*is not allowed by the rules of ClusterArtifactType "strict"/);
  assert.equal(world.order().status?.phase, 'Failed', 'nothing is under way and something failed (weakness 12)');
  world.apply(endpoints, endpoint('push', { usage: 'All' }));
  await runAll(world);
  assert.equal(world.entries()[0]?.phase, 'Succeeded', 'correcting the Endpoint is enough');
});

test('a changed Endpoint, Secret or type runs exactly what uses it again, once (weaknesses 1, 2)', async () => {
  await using world = await createWorld();
  supply(world);
  world.apply(endpoints, endpoint('src2', { secretRef: { name: 'creds' } }));
  world.apply(secrets, secret('creds', { username: 'u', password: 'one' }));
  const wish = order(['a', 'b', 'c']);
  Object.assign(wish.spec?.artifacts?.[1] ?? {}, { srcRef: { name: 'src2' } });
  Object.assign(wish.spec?.artifacts?.[2] ?? {}, { type: 'helm' });
  world.apply(clusterArtifactTypes, clusterType('helm'));
  world.apply(orders, wish);
  await runAll(world);
  assert.equal(creations(world, workflows).length, 3);
  assert.deepEqual(world.order().status?.secretGenerations, { creds: 1 });

  const changes: [what: string, change: () => void, runsMore: number][] = [
    ['a Secret rewritten with the same content', () => world.apply(secrets, secret('creds', { password: 'one', username: 'u' })), 0],
    [
      'a label on the Secret',
      () =>
        world.apply(secrets, {
          ...secret('creds', { username: 'u', password: 'one' }),
          metadata: { namespace, name: 'creds', labels: { a: 'b' } },
        }),
      0,
    ],
    [
      'a label on the Order',
      () => world.apply(orders, { ...world.order(), metadata: { ...world.order().metadata, labels: { a: 'b' } } }),
      0,
    ],
    [
      'a label on the Endpoint',
      () => world.apply(endpoints, { ...endpoint('src'), metadata: { namespace, name: 'src', labels: { a: 'b' } } }),
      0,
    ],
    [
      'a spec that means the same',
      () => world.apply(endpoints, endpoint('src', { usage: 'All', remoteURL: 'https://src.example.com', type: 'oci' })),
      0,
    ],
    ['a changed Secret', () => world.apply(secrets, secret('creds', { username: 'u', password: 'two' })), 1],
    ['a changed URL', () => world.apply(endpoints, endpoint('src', { remoteURL: 'https://moved.example.com' })), 2],
    ['a changed type', () => world.apply(clusterArtifactTypes, clusterType('helm', { parameters: [{ name: 'x', value: 'y' }] })), 1],
    ['an Endpoint nobody uses', () => world.apply(endpoints, endpoint('other')), 0],
    ['the password of before', () => world.apply(secrets, secret('creds', { username: 'u', password: 'one' })), 0],
  ];
  for (const [what, change, runsMore] of changes) {
    const before = creations(world, workflows).length;
    change();
    await runAll(world);
    assert.equal(creations(world, workflows).length - before, runsMore, what);
    assert.equal(world.order().status?.phase, 'Succeeded', what);
    assert.equal(world.order().status?.counts?.total, 3, what);
  }
  assert.deepEqual(world.order().status?.secretGenerations, { creds: 3 }, 'raised by each change of content');
  assert.equal(world.runs().length, 7, 'ended runs stay as history');
});

test('artifacts that come to the same are one run', async () => {
  await using world = await createWorld();
  supply(world);
  world.apply(orders, order(['a', 'b', 'a']));
  await runAll(world);
  assert.equal(creations(world, workflows).length, 2);
  assert.equal(world.order().status?.counts?.total, 2);
});

test('an artifact may go to several destinations', async () => {
  await using world = await createWorld();
  supply(world);
  world.apply(endpoints, endpoint('dst2'));
  const wish = order(['a']);
  Object.assign(wish.spec?.artifacts?.[0] ?? {}, { dstRefs: [{ name: 'dst' }, { name: 'dst2' }, { name: 'nowhere' }] });
  world.apply(orders, wish);
  await runAll(world);
  assert.deepEqual(
    world
      .runs()
      .map(({ spec }) => spec?.dstRef?.name)
      .sort(),
    ['dst', 'dst2'],
  );
  assert.deepEqual(world.order().status?.counts, { total: 3, succeeded: 2, failed: 0, running: 0, pending: 0, blocked: 1, scheduled: 0 });
  assert.deepEqual(
    world
      .entries()
      .map(({ destination }) => destination)
      .sort(),
    ['dst', 'dst2', 'nowhere'],
  );
});

test('a superseded run that is active is ended before its successor starts; there are never two writers', async () => {
  await using world = await createWorld();
  supply(world);
  world.apply(orders, order(['a', 'b']));
  await world.settle();
  const [first] = world.workflows();
  assert.ok(first);
  for (const { metadata } of world.workflows()) world.report(metadata.name ?? '', { phase: 'Running' });
  // The engine holds its Workflows until their processes have ended.
  for (const workflow of world.workflows()) {
    world.client.put(workflows, { ...workflow, metadata: { ...workflow.metadata, finalizers: ['engine/hold'] } });
  }
  await world.settle();
  world.apply(endpoints, endpoint('dst', { remoteURL: 'https://new.example.com' }));
  await world.settle();
  assert.equal(creations(world, workflows).length, 2, 'the successors wait');
  assert.deepEqual(
    world.entries().map(({ reason }) => reason),
    ['Superseding', 'Superseding'],
  );
  assert.ok(world.workflows().every(({ metadata }) => metadata.deletionTimestamp !== undefined));

  await world.client.patch(workflows, { namespace, name: first.metadata.name ?? '' }, { metadata: { finalizers: null } });
  await world.settle();
  assert.equal(creations(world, workflows).length, 3, 'each waits for its own predecessor only');
  for (const { metadata } of world.workflows()) {
    if (metadata.deletionTimestamp !== undefined) {
      await world.client.patch(workflows, { namespace, name: metadata.name ?? '' }, { metadata: { finalizers: null } });
    }
  }
  await runAll(world);
  assert.equal(world.order().status?.phase, 'Succeeded');
  assert.equal(world.runs().length, 2, 'what was ended before its end is no history');
});

test('a run goes on while something it was made from is missing; what comes back the same runs nothing', async () => {
  await using world = await createWorld();
  supply(world);
  world.apply(orders, order(['a']));
  await world.settle();
  await world.client.delete(endpoints, { namespace, name: 'src' });
  await world.settle();
  assert.equal(world.order().status?.conditions?.find(({ type }) => type === 'Accepted')?.reason, 'MissingEndpoint');
  await runAll(world);
  assert.equal(world.order().status?.phase, 'Succeeded');
  world.client.put(endpoints, endpoint('src'));
  await runAll(world);
  assert.equal(creations(world, workflows).length, 1);
  assert.equal(world.order().status?.conditions?.find(({ type }) => type === 'Accepted')?.status, 'True');
});

test('a dependency that is being deleted counts as missing', async () => {
  await using world = await createWorld();
  supply(world);
  world.client.put(endpoints, { ...endpoint('src'), metadata: { namespace, name: 'src', finalizers: ['x/y'] } });
  await world.client.delete(endpoints, { namespace, name: 'src' });
  await world.settle();
  world.apply(orders, order(['a']));
  await world.settle();
  assert.match(world.entries()[0]?.message ?? '', /the source Endpoint "src" is being deleted/);
  assert.deepEqual(world.runs(), []);
});

test('deleting an Order waits for its runs, and theirs for their Workflows (weakness 7)', async () => {
  await using world = await createWorld();
  supply(world);
  world.apply(orders, order(['a', 'b']));
  await world.settle();
  for (const workflow of world.workflows()) {
    world.client.put(workflows, { ...workflow, metadata: { ...workflow.metadata, finalizers: ['engine/hold'] } });
  }
  await world.client.delete(orders, { namespace, name: 'o' });
  await world.settle();
  assert.equal(world.client.peekAll(orders).length, 1);
  assert.ok(world.runs().every(({ metadata }) => metadata.deletionTimestamp !== undefined));
  for (const { metadata } of world.workflows()) {
    await world.client.patch(workflows, { namespace, name: metadata.name ?? '' }, { metadata: { finalizers: null } });
  }
  await world.settle();
  assert.deepEqual([world.client.peekAll(orders), world.runs(), world.workflows()], [[], [], []]);
});

test('with --cascade=orphan the runs survive their Order', async () => {
  await using world = await createWorld();
  supply(world);
  world.apply(orders, order(['a']));
  await world.settle();
  const { metadata } = world.order();
  world.client.put(orders, { ...world.order(), metadata: { ...metadata, finalizers: [...(metadata.finalizers ?? []), 'orphan'] } });
  await world.client.delete(orders, { namespace, name: 'o' });
  await world.settle();
  assert.deepEqual(world.order().metadata.finalizers, ['orphan']);
  assert.equal(world.runs()[0]?.metadata.deletionTimestamp, undefined);
});

test('deleting a delivered run transports nothing again; deleting a failed one tries again (weakness 13)', async () => {
  await using world = await createWorld();
  supply(world);
  world.apply(orders, order(['good', 'bad']));
  const isBad = (parameters: { name: string; value?: unknown }[] = []): boolean => parameters.some(({ value }) => value === 'bad');
  await runAll(world, ({ spec }) => ({
    phase: isBad(spec.arguments?.parameters) ? 'Failed' : 'Succeeded',
    finishedAt: '2026-01-01T00:10:00Z',
  }));
  assert.equal(world.order().status?.phase, 'Failed');
  for (const { metadata } of world.runs()) await world.client.delete(artifactWorkflows, { namespace, name: metadata.name ?? '' });
  await runAll(world);
  assert.equal(world.order().status?.phase, 'Succeeded');
  assert.equal(creations(world, workflows).length, 3);
});

test('a run of the same name that is not of the Order is left alone, and made when it is gone', async () => {
  await using world = await createWorld();
  supply(world);
  world.apply(orders, order(['a']));
  await world.settle();
  const name = world.runs()[0]?.metadata.name ?? '';
  await world.client.delete(orders, { namespace, name: 'o' });
  await world.settle();
  const foreign: ArtifactWorkflow = {
    apiVersion: 'arc.opendefense.cloud/v1alpha1',
    kind: 'ArtifactWorkflow',
    metadata: { namespace, name },
    spec: {},
  };
  world.client.put(artifactWorkflows, foreign);
  world.apply(orders, order(['a']));
  await world.settle();
  assert.deepEqual(
    world.entries().map(({ phase, reason }) => [phase, reason]),
    [['Pending', 'NameTaken']],
  );
  assert.equal(world.runs()[0]?.spec?.parameters, undefined, 'not adopted');
  await world.client.delete(artifactWorkflows, { namespace, name });
  await runAll(world);
  assert.equal(world.order().status?.phase, 'Succeeded');
});

test('names fit Argo for any Order name (weakness 10)', async () => {
  await using world = await createWorld();
  supply(world);
  const long = `${'a'.repeat(40)}.${'b'.repeat(60)}`;
  world.apply(orders, order(['a'], { name: long }));
  world.apply(orders, order(['a'], { name: `${long}c` }));
  await runAll(world);
  assert.equal(new Set(world.workflows().map(({ metadata }) => metadata.name)).size, 2);
  assert.ok(world.workflows().every(({ metadata }) => (metadata.name ?? '').length <= 63));
  assert.deepEqual([world.order(long).status?.phase, world.order(`${long}c`).status?.phase], ['Succeeded', 'Succeeded']);
});

test('an artifact type that is no label value is left out of the labels, an inherited one too', async () => {
  await using world = await createWorld();
  supply(world);
  const type = 'x'.repeat(64);
  world.apply(clusterArtifactTypes, clusterType(type));
  const wish = order(['a'], { metadata: { labels: { 'arc.opendefense.cloud/artifact-type': 'inherited' } } });
  Object.assign(wish.spec?.artifacts?.[0] ?? {}, { type });
  world.apply(orders, wish);
  await world.settle();
  assert.equal(world.runs()[0]?.metadata.labels?.['arc.opendefense.cloud/artifact-type'], undefined);
  assert.equal(world.workflows()[0]?.metadata.labels?.['arc.opendefense.cloud/artifact-type'], undefined);
});

test('a run that cannot be created is reported, its siblings run, and it is tried again', async () => {
  await using world = await createWorld();
  supply(world);
  let refused = 0;
  using _ = world.client.onRequest(({ verb, type, body }) => {
    if (verb !== 'create' || type?.plural !== 'artifactworkflows' || refused >= 2) return;
    if (JSON.stringify(body).includes('"bad"')) {
      refused += 1;
      throw statusError.internal('disk full');
    }
  });
  world.apply(orders, order(['bad', 'good']));
  await world.until('the sibling has a run', () =>
    world.entries().some(({ artifactIndex, name }) => artifactIndex === 1 && name !== undefined),
  );
  await runAll(world);
  assert.equal(refused, 2);
  assert.equal(world.order().status?.phase, 'Succeeded');
});

test('an Order without artifacts is done; odd names and legacy nulls are no problem', async () => {
  await using world = await createWorld();
  supply(world);
  world.apply(endpoints, endpoint('constructor'));
  const odd = order(['a'], { name: 'odd' });
  Object.assign(odd.spec?.artifacts?.[0] ?? {}, { srcRef: { name: 'constructor' }, dstRef: { name: '' }, cron: null });
  world.apply(orders, odd);
  world.apply(orders, order([], { name: 'empty', spec: JSON.parse('{"artifacts":null,"defaults":null}') }));
  await runAll(world);
  assert.equal(world.order('empty').status?.phase, 'Succeeded');
  assert.equal(world.order('odd').status?.phase, 'Succeeded');
  assert.deepEqual(world.order('odd').status?.endpointGenerations, { constructor: 1, dst: 1 });
});

test('a Secret under another name changes nothing, but a run that still waits takes the new name', async () => {
  await using world = await createWorld({ maxActiveWorkflows: 1 });
  supply(world);
  world.apply(endpoints, endpoint('src', { secretRef: { name: 'old' } }));
  world.apply(secrets, secret('old', { password: 'same' }));
  world.apply(secrets, secret('new', { password: 'same' }));
  await world.settle();
  world.apply(orders, order(['a', 'b']));
  await world.settle();
  const waiting = world.runs().find(({ status }) => status?.reason === 'Queued')?.metadata;
  world.apply(endpoints, endpoint('src', { secretRef: { name: 'new' } }));
  await world.settle();
  const used = new Map(world.runs().map(({ metadata, spec }) => [metadata.name, spec?.srcSecretRef?.name]));
  assert.deepEqual([...used.values()].sort(), ['new', 'old']);
  assert.equal(used.get(waiting?.name), 'new');
  await runAll(world);
  assert.equal(creations(world, workflows).length, 2);
  assert.equal(world.order().status?.phase, 'Succeeded');
  assert.deepEqual(world.order().status?.secretGenerations, { new: 1 });
});
