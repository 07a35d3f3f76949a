import type { ArtifactWorkflow, Cron, Order } from '@arc/api/arc';
import type { CronWorkflow, Workflow } from '@arc/api/argo';
import { cronWorkflows } from '@arc/api/argo';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  artifactWorkflows,
  createWorld,
  endpoint,
  endpoints,
  namespace,
  order,
  orders,
  podNode,
  runAll,
  supply,
  workflows,
} from '../../test/world.ts';
import type { World } from '../../test/world.ts';

const hourly: Cron = { schedules: ['0 * * * *'], timezone: 'UTC', concurrencyPolicy: 'Forbid', startingDeadlineSeconds: 60 };

function scheduled(images: readonly string[], cron: Cron = hourly): Order {
  const wish = order(images);
  return { ...wish, spec: { ...wish.spec, defaults: { ...wish.spec?.defaults, cron } } };
}

function crons(world: World): CronWorkflow[] {
  return world.client.peekAll<CronWorkflow>(cronWorkflows);
}

function onlyCron(world: World): CronWorkflow {
  const [cron, ...others] = crons(world);
  assert.ok(cron !== undefined && others.length === 0, JSON.stringify(crons(world).map(({ metadata }) => metadata.name)));
  return cron;
}

function onlyRun(world: World): ArtifactWorkflow {
  const [run, ...others] = world.runs();
  assert.ok(run !== undefined && others.length === 0);
  return run;
}

/** Starts a run at a time, as Argo does. */
async function fire(world: World, time: string): Promise<string> {
  const cron = onlyCron(world);
  const { name = '', uid = '' } = cron.metadata;
  const run = `${name}-${Date.parse(time) / 1000}`;
  world.client.put(workflows, {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'Workflow',
    metadata: {
      namespace,
      name: run,
      ...cron.spec.workflowMetadata,
      ownerReferences: [{ apiVersion: cron.apiVersion, kind: cron.kind, name, uid, controller: true }],
    },
    spec: cron.spec.workflowSpec,
    status: { phase: 'Running', startedAt: time, progress: '0/1' },
  } as Workflow);
  put(world, { lastScheduledTime: time, active: [{ name: run, uid: 'x' }] });
  await world.settle();
  return run;
}

function put(world: World, status: CronWorkflow['status']): void {
  const cron = onlyCron(world);
  world.client.put(cronWorkflows, { ...cron, status: { ...cron.status, ...status } } as CronWorkflow);
}

async function end(world: World, run: string, phase: 'Succeeded' | 'Failed', status: Workflow['status'] = {}): Promise<void> {
  world.report(run, { phase, finishedAt: new Date(world.clock.now()).toISOString().replace('.000', ''), ...status });
  const { succeeded = 0, failed = 0 } = onlyCron(world).status ?? {};
  put(world, { active: [], ...(phase === 'Succeeded' ? { succeeded: succeeded + 1 } : { failed: failed + 1 }) });
  await world.settle();
}

test('a schedule becomes a CronWorkflow that says what was written, and runs what a Workflow would', async () => {
  await using world = await createWorld();
  supply(world);
  world.apply(orders, scheduled(['a']));
  await world.settle();
  assert.deepEqual(world.workflows(), []);
  const { metadata, spec } = onlyCron(world);
  const { workflowSpec, workflowMetadata, ...rest } = spec;
  assert.deepEqual(rest, {
    schedules: ['0 * * * *'],
    timezone: 'UTC',
    concurrencyPolicy: 'Forbid',
    startingDeadlineSeconds: 60,
    suspend: false,
    successfulJobsHistoryLimit: 1,
    failedJobsHistoryLimit: 1,
  });
  assert.equal(workflowSpec.arguments?.parameters?.find(({ name }) => name === 'cron')?.value, 'true');
  assert.equal(workflowMetadata?.annotations?.['arc.opendefense.cloud/endpoints'], 'src,dst');
  assert.deepEqual(workflowMetadata?.labels, metadata.labels);
  assert.ok((metadata.name ?? '').length <= 52);
  assert.deepEqual(
    metadata.ownerReferences?.map(({ kind, uid }) => [kind, uid]),
    [['ArtifactWorkflow', onlyRun(world).metadata.uid]],
  );
  const { phase, nextScheduled, lastScheduled } = onlyRun(world).status ?? {};
  assert.deepEqual([phase, nextScheduled, lastScheduled], ['Active', '2026-01-01T01:00:00Z', undefined]);
  assert.deepEqual([world.order().status?.phase, world.order().status?.nextScheduled], ['Active', '2026-01-01T01:00:00Z']);
  assert.equal(world.order().status?.message, '1 scheduled, next at 2026-01-01T01:00:00Z');
});

test('the status follows each run, and keeps what the last one came to', async () => {
  await using world = await createWorld();
  supply(world);
  world.apply(orders, scheduled(['a']));
  await world.settle();
  await world.clock.advance(3_600_000);
  const first = await fire(world, '2026-01-01T01:00:00Z');
  const running = onlyRun(world).status;
  assert.deepEqual(
    [running?.phase, running?.activeWorkflowRef?.name, running?.progress, running?.lastScheduled, running?.nextScheduled],
    ['Active', first, '0/1', '2026-01-01T01:00:00Z', '2026-01-01T02:00:00Z'],
  );
  await end(world, first, 'Succeeded', { outputs: { parameters: [{ name: 'arc-receipt', value: '{"bytes":1}' }] } });
  const { receipt, succeeded, activeWorkflowRef, reason } = onlyRun(world).status ?? {};
  assert.deepEqual([receipt, succeeded, activeWorkflowRef, reason], ['{"bytes":1}', 1, undefined, undefined]);

  await world.clock.advance(3_600_000);
  const second = await fire(world, '2026-01-01T02:00:00Z');
  await end(world, second, 'Failed', {
    message: 'child failed',
    nodes: { p: podNode('p', { phase: 'Failed', message: 'no such image' }) },
  });
  const failed = onlyRun(world).status;
  assert.deepEqual([failed?.phase, failed?.reason, failed?.failed], ['Active', 'LastRunFailed', 1]);
  assert.match(failed?.message ?? '', /^the last run failed: Step 'p' failed: no such image/);
  const [entry] = world.entries();
  assert.deepEqual([entry?.phase, entry?.succeeded, entry?.failed, entry?.lastScheduled], ['Active', 1, 1, '2026-01-01T02:00:00Z']);
  assert.match(world.order().status?.message ?? '', /^1 scheduled, next at 2026-01-01T03:00:00Z: the last run failed/);
  assert.equal(world.order().status?.phase, 'Active');

  await world.client.delete(workflows, { namespace, name: second });
  await world.restart();
  await world.settle();
  assert.deepEqual(onlyRun(world).status?.message, failed?.message, 'known when the Workflow is gone');
  await world.clock.advance(3_600_000);
  const third = await fire(world, '2026-01-01T03:00:00Z');
  await end(world, third, 'Succeeded');
  assert.deepEqual([onlyRun(world).status?.reason, onlyRun(world).status?.message], [undefined, undefined]);
});

test('one artifact may stay out of the schedule of the others, or have its own', async () => {
  await using world = await createWorld();
  supply(world);
  const wish = scheduled(['a', 'b', 'c']);
  Object.assign(wish.spec?.artifacts?.[1] ?? {}, { cron: { disabled: true } });
  Object.assign(wish.spec?.artifacts?.[2] ?? {}, {
    cron: { schedules: ['@daily', 'CRON_TZ=Asia/Tokyo 0 12 * * *'], timezone: 'Europe/Berlin' },
  });
  world.apply(orders, wish);
  await runAll(world);
  assert.deepEqual(
    world.entries().map(({ phase }) => phase),
    ['Active', 'Succeeded', 'Active'],
  );
  assert.deepEqual(
    crons(world)
      .map(({ spec }) => [spec.schedules, spec.timezone])
      .sort(),
    [
      [['0 * * * *'], 'UTC'],
      [['CRON_TZ=Europe/Berlin @daily', 'CRON_TZ=Asia/Tokyo 0 12 * * *'], undefined],
    ],
  );
  assert.match(world.order().status?.message ?? '', /^1 of 1 artifacts transferred, 2 scheduled, next at /);
});

test('a changed schedule is another CronWorkflow; empty fields and the order of keys change nothing', async () => {
  await using world = await createWorld();
  supply(world);
  world.apply(orders, scheduled(['a']));
  await world.settle();
  const before = onlyCron(world).metadata.uid;
  world.apply(
    orders,
    scheduled(['a'], { when: '', startingDeadlineSeconds: 60, concurrencyPolicy: 'Forbid', timezone: 'UTC', schedules: ['0 * * * *'] }),
  );
  await world.settle();
  assert.equal(onlyCron(world).metadata.uid, before);
  await world.clock.advance(3_600_000);
  const run = await fire(world, '2026-01-01T01:00:00Z');
  world.apply(orders, scheduled(['a'], { ...hourly, schedules: ['30 * * * *'] }));
  await world.settle();
  assert.deepEqual(onlyCron(world).spec.schedules, ['30 * * * *']);
  assert.notEqual(onlyCron(world).metadata.uid, before);
  assert.ok(
    world.workflows().every(({ metadata }) => metadata.name !== run),
    'what the old schedule had started is ended first',
  );
});

test('suspending an Order suspends its schedules; what somebody else changes is put right; a CronWorkflow that vanishes is made again', async () => {
  await using world = await createWorld();
  supply(world);
  world.apply(orders, scheduled(['a']));
  await world.settle();
  const held = scheduled(['a']);
  world.apply(orders, { ...held, spec: { ...held.spec, suspend: true } });
  await world.settle();
  assert.equal(onlyCron(world).spec.suspend, true);
  assert.equal(onlyRun(world).status?.nextScheduled, undefined);
  world.apply(orders, { ...held, spec: { ...held.spec, suspend: false } });
  await world.settle();
  assert.equal(onlyCron(world).spec.suspend, false);
  await world.client.patch(cronWorkflows, { namespace, name: onlyCron(world).metadata.name ?? '' }, { spec: { schedules: ['* * * * *'] } });
  await world.settle();
  assert.deepEqual(onlyCron(world).spec.schedules, ['0 * * * *']);
  await world.client.delete(cronWorkflows, { namespace, name: onlyCron(world).metadata.name ?? '' });
  await world.settle();
  assert.deepEqual(onlyCron(world).spec.schedules, ['0 * * * *']);
});

test('deleting the Order waits for the CronWorkflow and everything it has started', async () => {
  await using world = await createWorld();
  supply(world);
  world.apply(orders, scheduled(['a']));
  await world.settle();
  const name = await fire(world, '2026-01-01T01:00:00Z');
  const workflow = world.workflows()[0];
  world.client.put(workflows, { ...workflow, metadata: { ...workflow?.metadata, finalizers: ['x'] } } as Workflow);
  await world.client.delete(orders, { namespace, name: 'o' });
  await world.settle();
  assert.deepEqual(crons(world), []);
  assert.ok(world.client.peek(orders, { namespace, name: 'o' }), 'a step may still be at work');
  await world.client.patch(workflows, { namespace, name }, { metadata: { finalizers: null } });
  await world.settle(60_000);
  assert.deepEqual([world.runs(), world.workflows(), world.client.peek(orders, { namespace, name: 'o' })], [[], [], undefined]);
});

test('force-at and retry run what is scheduled once, out of turn, when nothing else of it runs', async () => {
  await using world = await createWorld();
  supply(world);
  world.apply(orders, scheduled(['a']));
  await world.settle();
  const cronName = onlyCron(world).metadata.name ?? '';
  await world.clock.advance(3_600_000);
  const busy = await fire(world, '2026-01-01T01:00:00Z');
  const at = Date.parse('2026-01-01T01:00:30Z') / 1000;
  const force = scheduled(['a']);
  world.apply(orders, { ...force, metadata: { ...force.metadata, annotations: { 'arc.opendefense.cloud/force-at': String(at) } } });
  await world.clock.advance(60_000);
  assert.equal(world.workflows().length, 1, 'never two at once');
  await end(world, busy, 'Succeeded');
  assert.deepEqual(
    world
      .workflows()
      .map(({ metadata }) => metadata.name)
      .sort(),
    [busy, `${cronName}-${at}`].sort(),
  );
  await end(world, `${cronName}-${at}`, 'Failed');
  assert.equal(onlyRun(world).status?.lastForceAt, '2026-01-01T01:00:30Z');
  await world.restart();
  await world.settle();
  assert.equal(world.workflows().length, 2, 'one run a value');
  assert.equal(onlyCron(world).metadata.name, cronName, 'the schedule goes on');

  assert.equal(onlyRun(world).status?.reason, 'LastRunFailed');
  world.apply(orders, {
    ...force,
    metadata: { ...force.metadata, annotations: { 'arc.opendefense.cloud/force-at': String(at), 'arc.opendefense.cloud/retry': 'please' } },
  });
  await world.settle();
  assert.equal(world.workflows().length, 3);
  await world.restart();
  await world.settle();
  assert.equal(world.workflows().length, 3, 'one run a request');
});

test('a schedule the engine refuses is told, and recovers', async () => {
  await using world = await createWorld();
  supply(world);
  world.apply(orders, scheduled(['a'], { ...hourly, when: '{{= odd }}' }));
  await world.settle();
  put(world, { conditions: [{ type: 'SpecError', status: 'True', message: 'spec.when: expression tags are not supported' }] });
  await world.settle();
  const { phase, reason, message } = onlyRun(world).status ?? {};
  assert.deepEqual([phase, reason, message], ['Pending', 'ScheduleRefused', 'spec.when: expression tags are not supported']);
  assert.deepEqual([world.order().status?.phase, world.order().status?.counts?.blocked], ['Pending', 1]);
  put(world, { conditions: [] });
  await world.settle();
  assert.equal(onlyRun(world).status?.phase, 'Active');
});

test('an ArtifactWorkflow written by hand is scheduled, too, once all it needs is there', async () => {
  await using world = await createWorld();
  supply(world);
  const run: ArtifactWorkflow = {
    apiVersion: 'arc.opendefense.cloud/v1alpha1',
    kind: 'ArtifactWorkflow',
    metadata: { namespace, name: 'a-name-that-is-so-long-that-argo-would-not-have-it-for-a-cron-workflow' },
    spec: { type: 'oci', srcRef: { name: 'late' }, dstRef: { name: 'dst' }, cron: hourly },
  };
  world.apply(artifactWorkflows, run);
  await world.settle();
  assert.deepEqual([onlyRun(world).status?.phase, crons(world).length], ['Pending', 0]);
  world.apply(endpoints, endpoint('late'));
  await world.settle();
  assert.equal(onlyRun(world).status?.phase, 'Active');
  assert.ok((onlyCron(world).metadata.name ?? '').length <= 52);
  assert.equal(onlyCron(world).spec.workflowSpec.arguments?.parameters?.find(({ name }) => name === 'cron')?.value, 'true');

  const { workflowSpec } = onlyCron(world).spec;
  await world.client.delete(endpoints, { namespace, name: 'late' });
  await world.client.patch(cronWorkflows, { namespace, name: onlyCron(world).metadata.name ?? '' }, { spec: { schedules: ['1 1 1 1 *'] } });
  await world.settle();
  assert.deepEqual(onlyCron(world).spec.schedules, hourly.schedules, 'what somebody else changes is put right');
  assert.deepEqual(onlyCron(world).spec.workflowSpec, workflowSpec, 'what it transfers stays while an Endpoint is missing');
  await world.client.delete(cronWorkflows, { namespace, name: onlyCron(world).metadata.name ?? '' });
  await world.settle();
  assert.deepEqual(crons(world), [], 'nor is it made without it');
  assert.deepEqual([onlyRun(world).status?.phase, onlyRun(world).status?.reason], ['Pending', 'MissingEndpoint']);
  world.apply(endpoints, endpoint('late'));
  await world.settle();
  assert.deepEqual(onlyCron(world).spec.workflowSpec, workflowSpec);

  await world.client.delete(artifactWorkflows, { namespace, name: run.metadata.name ?? '' });
  await world.settle();
  assert.deepEqual([world.runs(), crons(world)], [[], []]);
});
