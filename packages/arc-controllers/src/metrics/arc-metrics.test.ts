import type { CronWorkflow, Workflow } from '@arc/api/argo';
import { cronWorkflows } from '@arc/api/argo';
import { createMetrics } from '@arc/kernel';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import type { KubeObject } from '@arc/apimachinery';
import type { InformerHandler } from '@arc/kube-client';
import {
  clusterArtifactTypes,
  clusterType,
  createWorld,
  endpoint,
  endpoints,
  namespace,
  order,
  orders,
  secret,
  secrets,
  supply,
  workflows,
} from '../../test/world.ts';
import type { World } from '../../test/world.ts';
import { arcMetrics } from './arc-metrics.ts';
import { tally } from './tally.ts';

interface Counted {
  readonly world: World;
  /** Lines that begin so, without it, in their order. */
  lines(prefix: string): string[];
}

async function counted(): Promise<Counted & AsyncDisposable> {
  const metrics = createMetrics();
  const world = await createWorld({}, { metrics: arcMetrics(metrics) });
  return {
    world,
    lines: (prefix) =>
      metrics
        .exposition()
        .split('\n')
        .flatMap((line) => (line.startsWith(prefix) ? [line.slice(prefix.length)] : []))
        .toSorted(),
    [Symbol.asyncDispose]: () => world[Symbol.asyncDispose](),
  };
}

test('Orders and ArtifactWorkflows are counted by the phases their statuses show, and those that go are no longer', async () => {
  await using at = await counted();
  const { world, lines } = at;
  supply(world);
  world.apply(orders, order(['a', 'b']));
  world.apply(orders, order(['c'], { name: 'p' }));
  await world.settle();
  assert.deepEqual(lines('arc_orders'), ['{namespace="team",phase="Pending"} 2']);
  assert.deepEqual(lines('arc_artifactworkflows'), ['{namespace="team",artifact_type="oci",mode="single",phase="Pending"} 3']);

  const ofOrder = (name: string): string[] =>
    world
      .runs()
      .filter(({ metadata }) => metadata.ownerReferences?.[0]?.name === name)
      .map(({ metadata }) => metadata.name ?? '');
  const [a = '', b = ''] = ofOrder('o');
  const times = { startedAt: '2026-01-01T00:00:00Z', finishedAt: '2026-01-01T00:00:45Z' };
  world.report(a, { phase: 'Succeeded', ...times });
  world.report(b, { phase: 'Error', ...times, finishedAt: '2026-01-01T03:00:00Z' });
  world.report(ofOrder('p')[0] ?? '', { phase: 'Running', startedAt: times.startedAt });
  await world.settle();
  assert.deepEqual(lines('arc_orders'), ['{namespace="team",phase="Failed"} 1', '{namespace="team",phase="Running"} 1']);
  assert.deepEqual(
    world.client.peekAll(orders).map((each) => (each['status'] as { phase?: string }).phase),
    ['Failed', 'Running'],
  );
  assert.deepEqual(lines('arc_artifactworkflow_completions_total'), [
    '{namespace="team",artifact_type="oci",result="error"} 1',
    '{namespace="team",artifact_type="oci",result="succeeded"} 1',
  ]);
  assert.deepEqual(
    ['30', '60', '7200', '+Inf'].flatMap((le) =>
      lines(`arc_artifactworkflow_duration_seconds_bucket{artifact_type="oci",result="succeeded",le="${le}"}`),
    ),
    [' 0', ' 1', ' 1', ' 1'],
  );
  assert.deepEqual(lines('arc_artifactworkflow_duration_seconds_sum'), [
    '{artifact_type="oci",result="error"} 10800',
    '{artifact_type="oci",result="succeeded"} 45',
  ]);

  await world.client.delete(orders, { namespace, name: 'o' });
  await world.settle();
  assert.deepEqual(lines('arc_orders'), ['{namespace="team",phase="Running"} 1']);
  assert.equal(lines('arc_artifactworkflows{').length, 1);
  assert.equal(lines('arc_artifactworkflow_completions_total').length, 2, 'what was counted stays');
});

test('controllers that start again count what there is once, and nothing that had ended before', async () => {
  await using at = await counted();
  const { world, lines } = at;
  supply(world);
  world.apply(orders, order(['a']));
  await world.settle();
  world.report(world.runs()[0]?.metadata.name ?? '', {
    phase: 'Succeeded',
    startedAt: '2026-01-01T00:00:00Z',
    finishedAt: '2026-01-01T00:01:00Z',
  });
  await world.settle();
  await world.restart();
  await world.settle();
  assert.deepEqual(lines('arc_orders'), ['{namespace="team",phase="Succeeded"} 1']);
  assert.deepEqual(lines('arc_artifactworkflow_completions_total'), ['{namespace="team",artifact_type="oci",result="succeeded"} 1']);
  await world.stop();
  assert.deepEqual([...lines('arc_orders'), ...lines('arc_endpoints')], [], 'who does not lead shows none');
});

test('Endpoints are counted by readiness', async () => {
  await using at = await counted();
  const { world, lines } = at;
  world.apply(clusterArtifactTypes, clusterType());
  world.apply(endpoints, endpoint('a'));
  world.apply(endpoints, endpoint('b', { secretRef: { name: 'none' } }));
  await world.settle();
  assert.deepEqual(lines('arc_endpoints'), ['{namespace="team",ready="false"} 1', '{namespace="team",ready="unknown"} 1']);
  await world.client.delete(endpoints, { namespace, name: 'b' });
  await world.settle();
  assert.deepEqual(lines('arc_endpoints'), ['{namespace="team",ready="unknown"} 1']);
});

test('what waits for what does not exist is no error; a write that is refused is one, by what it was for', async () => {
  await using at = await counted();
  const { world, lines } = at;
  world.apply(orders, order(['a']));
  await world.settle(60_000);
  const errors = (): string[] => lines('arc_reconcile_errors_total').filter((line) => !line.endsWith(' 0'));
  assert.deepEqual(errors(), []);
  assert.deepEqual(lines('arc_orders'), ['{namespace="team",phase="Pending"} 1']);
  {
    using _refusing = world.client.onRequest(({ verb, type }) => {
      if (verb === 'create' && type?.plural === 'artifactworkflows') throw new Error('no');
    });
    supply(world);
    await world.settle();
  }
  const [line = ''] = errors();
  assert.match(line, /^\{controller="order",reason="CreationFailed"\} [1-9]/);
  assert.equal(errors().length, 1);
  await world.settle(60_000);
  assert.equal(world.workflows().length, 1);
});

test('of scheduled runs the times that are longest ago are shown, and of a schedule that failed since when it last succeeded', async () => {
  await using at = await counted();
  const { world, lines } = at;
  supply(world);
  const cron = { schedules: ['0 * * * *'] };
  world.apply(
    orders,
    order(['a', 'b'], { spec: { ...order(['a', 'b']).spec, defaults: { srcRef: { name: 'src' }, dstRef: { name: 'dst' }, cron } } }),
  );
  await world.settle();
  assert.deepEqual(lines('arc_artifactworkflows'), ['{namespace="team",artifact_type="oci",mode="cron",phase="Active"} 2']);
  assert.deepEqual(lines('arc_artifactworkflow_last_'), []);
  const [a, b] = world.client.peekAll<CronWorkflow>(cronWorkflows);
  const ran = async (cron: CronWorkflow | undefined, time: string, phase: string): Promise<void> => {
    assert.ok(cron);
    const { name = '', uid = '' } = cron.metadata;
    world.client.put(workflows, {
      apiVersion: 'argoproj.io/v1alpha1',
      kind: 'Workflow',
      metadata: {
        ...{ namespace, name: `${name}-${Date.parse(time) / 1000}`, labels: cron.spec.workflowMetadata?.labels ?? {} },
        ownerReferences: [{ apiVersion: cron.apiVersion, kind: cron.kind, name, uid, controller: true }],
      },
      spec: cron.spec.workflowSpec,
      status: { phase, startedAt: time, finishedAt: time },
    } as Workflow);
    const now = world.client.peek<CronWorkflow>(cronWorkflows, { namespace, name });
    world.client.put(cronWorkflows, { ...now, status: { lastScheduledTime: time } } as CronWorkflow);
    await world.settle();
  };
  await ran(a, '2026-01-01T01:00:00Z', 'Succeeded');
  await ran(b, '2026-01-01T02:00:00Z', 'Succeeded');
  await ran(a, '2026-01-01T03:00:00Z', 'Failed');
  await world.restart();
  await world.settle();
  const seconds = (text: string): string => String(Date.parse(text) / 1000);
  assert.deepEqual(lines('arc_artifactworkflow_last_'), [
    `scheduled_timestamp_seconds{namespace="team",artifact_type="oci"} ${seconds('2026-01-01T02:00:00Z')}`,
    `success_timestamp_seconds{namespace="team",artifact_type="oci"} ${seconds('2026-01-01T01:00:00Z')}`,
  ]);
});

test('a resource that cannot be listed is said to be uncounted', async () => {
  const metrics = createMetrics();
  const world = await createWorld({}, { metrics: arcMetrics(metrics) });
  await world.stop();
  {
    using _away = world.client.onRequest(({ verb, type }) => {
      if (verb === 'list' && type?.plural === 'orders') throw new Error('forbidden');
    });
    void world.start();
    await world.clock.advance(100);
    metrics.exposition();
  }
  assert.match(metrics.exposition(), /arc_collector_errors_total\{resource="orders"\} 2\n/);
  await world.clock.advance(60_000);
  assert.doesNotMatch(metrics.exposition(), /resource="orders"\} 3/);
  await world[Symbol.asyncDispose]();
});

test('no value of a Secret and no name of an artifact is in any metric', async () => {
  await using at = await counted();
  const { world, lines } = at;
  world.apply(secrets, secret('login', { password: 'hunter2-s3cret' }));
  supply(world);
  world.apply(endpoints, endpoint('src', { secretRef: { name: 'login' } }));
  world.apply(orders, order(['artifact-nobody-may-count']));
  await world.settle();
  assert.ok(lines('arc_').length > 0);
  assert.ok(!lines('').some((line) => /hunter2|nobody/.test(line)));
});

test('a tally equals a count of what is there, whatever happened', () => {
  const events = fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c'), fc.constantFrom('x', 'y', undefined), fc.boolean()), { maxLength: 40 });
  fc.assert(
    fc.property(events, (plan) => {
      let handler: InformerHandler<KubeObject> | undefined;
      const counts = tally<KubeObject>({ addHandler: (added) => void (handler = added) }, ({ kind }) => kind);
      const there = new Map<string, KubeObject>();
      for (const [name, kind, differs] of plan) {
        const known = there.get(name);
        const object = { apiVersion: 'v1', kind: kind ?? '', metadata: { name } };
        if (kind === undefined) {
          if (known !== undefined) handler?.deleted?.(differs ? { ...known, kind: 'another' } : known, known);
          there.delete(name);
        } else {
          if (known === undefined) handler?.added?.(object);
          else handler?.updated?.(object, known);
          there.set(name, object);
        }
      }
      assert.deepEqual(
        Object.fromEntries([...counts].toSorted()),
        Object.fromEntries(
          Object.entries(Object.groupBy(there.values(), ({ kind }) => kind))
            .map(([kind, all]) => [kind, all?.length] as const)
            .toSorted(),
        ),
      );
    }),
  );
});
