import type { ArtifactWorkflow } from '@arc/api/arc';
import type { Workflow } from '@arc/api/argo';
import { statusError } from '@arc/apimachinery';
import type { RawResponse } from '@arc/kube-client';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  artifactWorkflows,
  createWorld,
  creations,
  endpoint,
  endpoints,
  namespace,
  order,
  orders,
  podNode,
  runAll,
  secret,
  secrets,
  supply,
  workflows,
} from '../../test/world.ts';
import type { World } from '../../test/world.ts';

function answer(text: string, status = 200): RawResponse {
  return {
    status,
    headers: {},
    body: (async function* () {
      for (const byte of Buffer.from(text)) yield Uint8Array.of(byte);
    })(),
  };
}

function onlyRun(world: World): ArtifactWorkflow {
  const [run, ...more] = world.runs();
  assert.ok(run !== undefined && more.length === 0);
  return run;
}

function onlyWorkflow(world: World): Workflow {
  const [workflow, ...more] = world.workflows();
  assert.ok(workflow !== undefined && more.length === 0);
  return workflow;
}

test('the Workflow refers to the template and carries arguments, volumes, labels and owner', async () => {
  await using world = await createWorld();
  supply(world);
  world.apply(endpoints, endpoint('dst', { secretRef: { name: 'creds' } }));
  world.apply(secrets, secret('creds', { password: 'hunter2hunter2' }));
  world.apply(orders, order(['a']));
  await world.settle();
  const { metadata, spec } = onlyWorkflow(world);
  const run = onlyRun(world);
  assert.equal(metadata.name, run.metadata.name);
  assert.equal(metadata.labels?.['arc.opendefense.cloud/artifactworkflow'], run.metadata.name);
  assert.equal(metadata.labels?.['arc.opendefense.cloud/artifact-type'], 'oci');
  assert.deepEqual(
    metadata.ownerReferences?.map(({ kind, uid, controller }) => [kind, uid, controller]),
    [['ArtifactWorkflow', run.metadata.uid, true]],
  );
  assert.deepEqual(spec, {
    workflowTemplateRef: { name: 'copy', clusterScope: true },
    arguments: { parameters: run.spec?.parameters },
    volumes: [
      { name: 'src-secret-vol', emptyDir: {} },
      { name: 'dst-secret-vol', secret: { secretName: 'creds' } },
    ],
  });
  assert.doesNotMatch(JSON.stringify([world.client.requests, world.logs]), /hunter2/, 'values of Secrets never travel');
});

test('phase, progress, times, steps and receipt come from the Workflow', async () => {
  await using world = await createWorld();
  supply(world);
  world.apply(orders, order(['a']));
  await world.settle();
  const name = onlyWorkflow(world).metadata.name ?? '';
  assert.deepEqual(onlyRun(world).status, { phase: 'Pending', activeWorkflowRef: { name } });
  world.report(name, {
    phase: 'Running',
    startedAt: '2026-01-01T00:00:01Z',
    progress: '10/100',
    nodes: { p: podNode('p', { displayName: 'pull', phase: 'Running', startedAt: '2026-01-01T00:00:02Z', progress: '10/100' }) },
  });
  await world.settle();
  assert.deepEqual(onlyRun(world).status, {
    phase: 'Running',
    progress: '10/100',
    progressUnit: 'Bytes',
    startTime: '2026-01-01T00:00:01Z',
    steps: [{ name: 'pull', phase: 'Running', startTime: '2026-01-01T00:00:02Z' }],
    activeWorkflowRef: { name },
  });
  world.report(name, {
    phase: 'Succeeded',
    finishedAt: '2026-01-01T00:01:00Z',
    progress: '100/100',
    outputs: { parameters: [{ name: 'arc-receipt', value: '{"digest":"sha256:1"}' }] },
  });
  await world.settle();
  const { status } = onlyRun(world);
  assert.deepEqual(
    [status?.phase, status?.receipt, status?.completionTime, status?.progress, status?.failureTime],
    ['Succeeded', '{"digest":"sha256:1"}', '2026-01-01T00:01:00Z', '100/100', undefined],
  );
});

test('a failure says which step failed and shows the end of its log, without secrets (weakness 11)', async () => {
  await using world = await createWorld();
  supply(world);
  world.apply(endpoints, endpoint('src', { secretRef: { name: 'creds' } }));
  const dockerConfig = JSON.stringify({ auths: { r: { auth: Buffer.from('user:nestedsecret').toString('base64') } } });
  world.apply(secrets, secret('creds', { password: 'hunter2hunter2\n', '.dockerconfigjson': dockerConfig }));
  world.apply(orders, order(['a']));
  await world.settle();
  const name = onlyWorkflow(world).metadata.name ?? '';
  const asked: string[] = [];
  using _ = world.client.onRaw(({ path }) => {
    asked.push(path);
    const lines = Array.from({ length: 50 }, (_, index) => `line ${index}`);
    return answer([...lines, '\u001b[31mlogin with hunter2hunter2 and nestedsecret failed\u0007'].join('\n'));
  });
  world.report(name, {
    phase: 'Failed',
    message: 'child failed',
    finishedAt: '2026-01-01T00:01:00Z',
    nodes: {
      [`${name}-2`]: podNode(`${name}-2`, {
        name: `${name}[1].copy[0].push`,
        displayName: 'push',
        templateName: 'push-it',
        phase: 'Failed',
        message: 'main: Error (exit code 1): hunter2hunter2',
        finishedAt: '2026-01-01T00:00:50Z',
      }),
      [`${name}-1`]: podNode(`${name}-1`, { displayName: 'pull', startedAt: '2026-01-01T00:00:10Z' }),
    },
  });
  await world.settle();
  const { status } = onlyRun(world);
  assert.equal(status?.phase, 'Failed');
  assert.equal(status?.message, "Step 'push' failed: login with [redacted] and [redacted] failed\nmain: Error (exit code 1): [redacted]");
  assert.equal(status?.failureTime, '2026-01-01T00:01:00Z');
  assert.deepEqual(asked, [`/api/v1/namespaces/team/pods/${name}-push-it-2/log?container=main&tailLines=30`]);
  const lines = status?.logTail?.split('\n') ?? [];
  assert.equal(lines.length, 30);
  assert.equal(lines.at(-1), 'login with [redacted] and [redacted] failed');
  assert.doesNotMatch(
    JSON.stringify([world.client.peekAll(artifactWorkflows), world.client.peekAll(orders), world.logs]),
    /hunter2|nestedsecret/,
  );
  assert.match(world.entries()[0]?.message ?? '', /^Step 'push' failed: login with \[redacted\] and \[redacted\] failed$/);
  assert.equal(world.order().status?.phase, 'Failed');
});

test('a log that is huge is bounded, one that cannot be read is no obstacle, Secrets that cannot be read hide it all', async () => {
  await using world = await createWorld();
  supply(world);
  world.apply(endpoints, endpoint('src', { secretRef: { name: 'creds' } }));
  world.apply(secrets, secret('creds', { password: 'hunter2hunter2' }));
  world.apply(orders, order(['huge', 'none', 'hidden']));
  await world.settle();
  const nameOf = (image: string): string =>
    world.workflows().find(({ spec }) => spec.arguments?.parameters?.some(({ value }) => value === image))?.metadata.name ?? '';
  using _raw = world.client.onRaw(({ path }) => {
    if (!path.includes(nameOf('huge'))) throw statusError.internal('no log');
    return {
      status: 200,
      headers: {},
      body: (async function* () {
        for (let index = 0; index < 2000; index++) yield Buffer.alloc(1024, 'ä');
      })(),
    };
  });
  const fail = (image: string): void =>
    world.report(nameOf(image), {
      phase: 'Failed',
      finishedAt: '2026-01-01T00:01:00Z',
      nodes: { p: podNode('p-1', { displayName: 'push', phase: 'Failed', message: 'hunter2hunter2 is wrong' }) },
    });
  fail('huge');
  fail('none');
  await world.settle();
  using _forbidden = world.client.onRequest(({ verb, type }) => {
    if (verb === 'get' && type?.plural === 'secrets') throw statusError.internal('no');
  });
  fail('hidden');
  await world.settle();
  const statusOf = (image: string): ArtifactWorkflow['status'] =>
    world.runs().find(({ metadata }) => metadata.name === nameOf(image))?.status;
  assert.ok(Buffer.byteLength(statusOf('huge')?.logTail ?? '') <= 4096);
  assert.match(statusOf('huge')?.logTail ?? '', /^…ä+$/);
  assert.deepEqual([statusOf('none')?.logTail, statusOf('none')?.message], [undefined, "Step 'push' failed: [redacted] is wrong"]);
  assert.match(statusOf('hidden')?.message ?? '', /output is withheld/);
  assert.doesNotMatch(JSON.stringify(world.client.peekAll(artifactWorkflows)), /hunter2/);
});

test('a Workflow that vanishes is no success: it is reported and started again (weakness 6)', async () => {
  await using world = await createWorld();
  supply(world);
  world.apply(orders, order(['a']));
  await world.settle();
  const name = onlyWorkflow(world).metadata.name ?? '';
  world.report(name, { phase: 'Running', startedAt: '2026-01-01T00:00:01Z' });
  await world.settle();
  await world.client.delete(workflows, { namespace, name });
  await world.settle();
  const { status } = onlyRun(world);
  assert.deepEqual([status?.phase, status?.reason, status?.startTime], ['Pending', 'WorkflowVanished', undefined]);
  assert.equal(creations(world, workflows).length, 2);
  assert.ok(events(world).includes('WorkflowVanished'));
  await runAll(world);
  assert.equal(onlyRun(world).status?.phase, 'Succeeded');
  assert.equal(onlyRun(world).status?.reason, undefined);
  await world.client.delete(workflows, { namespace, name });
  await world.settle();
  assert.equal(creations(world, workflows).length, 2, 'what has ended is not started again');
});

test('a Workflow that ends and is removed at once is not run again, however late the informers are', async () => {
  await using world = await createWorld();
  supply(world);
  world.apply(orders, order(['a']));
  await world.settle();
  const name = onlyWorkflow(world).metadata.name ?? '';
  let done = false;
  using _ = world.client.onRequest(({ verb, subresource, type }) => {
    // The Workflow goes right after its end was written, before the informer of ArtifactWorkflows can know of that.
    if (verb !== 'get' || type?.plural !== 'workflows' || done || subresource !== undefined) return;
    done = true;
    queueMicrotask(() => void world.client.delete(workflows, { namespace, name }));
  });
  world.report(name, { phase: 'Succeeded', finishedAt: '2026-01-01T00:01:00Z' });
  await world.settle();
  assert.equal(onlyRun(world).status?.phase, 'Succeeded');
  assert.equal(creations(world, workflows).length, 1);
});

test('a Workflow is taken over after a crash, unless it belongs to somebody else', async () => {
  await using world = await createWorld();
  supply(world);
  let crashed = false;
  using _ = world.client.onRequest(({ verb, type, subresource }) => {
    // The Workflow was created, but the process died before it could write that down.
    if (verb === 'patch' && type?.plural === 'artifactworkflows' && subresource === 'status' && !crashed) {
      crashed = true;
      throw statusError.internal('power failure');
    }
  });
  world.apply(orders, order(['a']));
  await world.until('the crash happened', () => crashed);
  await world.restart();
  await runAll(world);
  assert.equal(creations(world, workflows).filter((name) => name !== '').length, 1);
  assert.equal(world.order().status?.phase, 'Succeeded');

  world.apply(orders, order(['b'], { name: 'p' }));
  await world.settle();
  const taken = world.runs().find(({ metadata }) => metadata.name?.startsWith('p-'))?.metadata.name ?? '';
  await world.client.delete(orders, { namespace, name: 'p' });
  await world.settle();
  world.client.put(workflows, { apiVersion: 'argoproj.io/v1alpha1', kind: 'Workflow', metadata: { namespace, name: taken } });
  world.apply(orders, order(['b'], { name: 'p' }));
  await world.settle();
  assert.equal(world.entries('p')[0]?.reason, 'NameTaken');
  assert.equal(world.order('p').status?.phase, 'Pending');
  await world.client.delete(workflows, { namespace, name: taken });
  await world.until('it is noticed that the name is free', () => world.workflows().some(({ metadata }) => metadata.name === taken));
});

test('nothing is started while a Secret is missing; its arrival is enough', async () => {
  await using world = await createWorld();
  const run: ArtifactWorkflow = {
    apiVersion: 'arc.opendefense.cloud/v1alpha1',
    kind: 'ArtifactWorkflow',
    metadata: { namespace, name: 'by-hand' },
    spec: { workflowTemplateRef: { name: 'copy' }, srcSecretRef: { name: 'creds' } },
  };
  world.apply(artifactWorkflows, run);
  await world.settle();
  assert.deepEqual([onlyRun(world).status?.phase, onlyRun(world).status?.reason], ['Pending', 'MissingSecret']);
  assert.equal(world.workflows().length, 0);
  world.apply(secrets, secret('creds', { a: 'b' }));
  await runAll(world);
  assert.equal(onlyRun(world).status?.phase, 'Succeeded');
});

test('what cannot be run by its spec fails and says so', async () => {
  await using world = await createWorld();
  const base = { apiVersion: 'arc.opendefense.cloud/v1alpha1', kind: 'ArtifactWorkflow' };
  world.client.put(artifactWorkflows, { ...base, metadata: { namespace, name: 'empty' } });
  await world.settle();
  assert.deepEqual(
    world.runs().map(({ metadata, status }) => [metadata.name, status?.phase, status?.reason]),
    [['empty', 'Failed', 'InvalidSpec']],
  );
});

test('200 artifacts run, never more than allowed at once, the rest says why it waits', async () => {
  await using world = await createWorld({ maxActiveWorkflows: 5 });
  supply(world);
  world.apply(orders, order(Array.from({ length: 200 }, (_, index) => `image-${index}`)));
  await world.settle();
  assert.equal(world.runs().length, 200);
  assert.equal(world.workflows().length, 5);
  assert.equal(world.entries().filter(({ reason }) => reason === 'Queued').length, 195);
  let most = 0;
  const active = (): number => world.workflows().filter(({ status }) => status?.finishedAt === undefined).length;
  for (let round = 0; active() > 0; round++) {
    most = Math.max(most, active());
    if (round === 10) await world.restart();
    for (const { metadata, status } of world.workflows()) {
      if (status?.finishedAt === undefined) world.report(metadata.name ?? '', { phase: 'Succeeded', finishedAt: '2026-01-01T00:01:00Z' });
    }
    await world.settle(100);
  }
  assert.equal(most, 5);
  assert.deepEqual(world.order().status?.counts, {
    total: 200,
    succeeded: 200,
    failed: 0,
    running: 0,
    pending: 0,
    blocked: 0,
    scheduled: 0,
  });
  assert.equal(creations(world, workflows).length, 200);
  const told = events(world).filter((reason) => reason === 'Created').length;
  assert.equal(told, 201, 'one event for the Order, one for each run');
});

test('mere progress is written at most once an interval, a phase at once', async () => {
  await using world = await createWorld({ progressIntervalMs: 1000 });
  supply(world);
  world.apply(orders, order(['a']));
  await world.settle();
  const name = onlyWorkflow(world).metadata.name ?? '';
  world.report(name, { phase: 'Running', startedAt: '2026-01-01T00:00:01Z', progress: '0/1000' });
  await world.clock.advance(2000);
  const writes = (): number =>
    world.client.requests.filter(
      ({ verb, type, subresource }) => verb === 'patch' && type?.plural === 'artifactworkflows' && subresource === 'status',
    ).length;
  const before = writes();
  for (let done = 1; done <= 100; done++) {
    world.report(name, { progress: `${done}/1000` });
    await world.clock.advance(50);
  }
  assert.ok(writes() - before <= 6, `${writes() - before} writes in 5 seconds`);
  await world.clock.advance(1000);
  assert.equal(onlyRun(world).status?.progress, '100/1000', 'the last word is written');
  world.report(name, { progress: '101/1000' });
  await world.clock.advance(1);
  world.report(name, { phase: 'Succeeded', finishedAt: '2026-01-01T00:01:00Z' });
  await world.clock.advance(1);
  assert.equal(onlyRun(world).status?.phase, 'Succeeded');
});

test('a restart, a lost connection or a failed request at any point neither loses nor repeats work', async () => {
  for (let failAt = 1; failAt <= 40; failAt++) {
    await using world = await createWorld({ maxActiveWorkflows: 2 });
    supply(world);
    let writes = 0;
    using _ = world.client.onRequest(({ verb, type }) => {
      if (verb === 'list' || verb === 'watch' || type?.plural === 'events') return;
      writes += 1;
      if (writes === failAt) {
        world.client.disconnect();
        throw statusError.internal('connection lost');
      }
    });
    world.apply(orders, order(['a', 'b', 'c']));
    await world.settle();
    if (failAt % 2 === 0) await world.restart();
    if (failAt % 5 === 0) world.client.compact();
    await runAll(world);
    await world.clock.advance(60_000);
    await runAll(world);
    assert.equal(world.order().status?.phase, 'Succeeded', `failing request ${failAt}`);
    assert.equal(new Set(world.workflows().map(({ metadata }) => metadata.name)).size, 3);
    assert.equal(world.client.peekAll(workflows).length, 3, `failing request ${failAt}`);
  }
});

test('steady state costs nothing', async () => {
  await using world = await createWorld();
  supply(world);
  world.apply(orders, order(['a', 'b']));
  await runAll(world);
  const before = world.client.requests.length;
  await world.clock.advance(200_000);
  assert.deepEqual(
    world.client.requests.slice(before).map(({ verb }) => verb),
    [],
  );
});

function events(world: World): string[] {
  const type = { group: 'events.k8s.io', version: 'v1', plural: 'events', kind: 'Event', namespaced: true };
  return world.client.peekAll(type).map((event) => String(event['reason']));
}

test('a run that was mended and whose Workflow vanishes before its status says that it has one is started again', async () => {
  await using world = await createWorld({ startIntervalMs: 60_000 });
  supply(world);
  world.apply(endpoints, endpoint('wrong', { usage: 'PushOnly' }));
  world.apply(artifactWorkflows, {
    apiVersion: 'arc.opendefense.cloud/v1alpha1',
    kind: 'ArtifactWorkflow',
    metadata: { namespace, name: 'by-hand' },
    spec: { type: 'oci', srcRef: { name: 'wrong' }, dstRef: { name: 'dst' } },
  });
  await world.settle();
  assert.equal(world.runs()[0]?.status?.reason, 'EndpointUsage');
  world.apply(endpoints, endpoint('wrong', { usage: 'All' }));
  await world.until('it has a Workflow', () => world.workflows().length === 1);
  assert.equal(world.runs()[0]?.status?.phase, 'Failed', 'until the Workflow begins');
  await world.client.delete(workflows, { namespace, name: 'by-hand' });
  await world.until('it has another one', () => creations(world, workflows).length === 2);
});
