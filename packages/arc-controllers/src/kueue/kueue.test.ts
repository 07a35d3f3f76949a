import { clusterWorkflowTemplates } from '@arc/api/argo';
import { namespaces } from '@arc/api/core';
import { workloadPriorityClassesOf, workloadsOf } from '@arc/api/kueue';
import type { KueueVersion, Workload } from '@arc/api/kueue';
import type { KubeObject } from '@arc/apimachinery';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createWorld, creations, namespace, order, orders, supply, workflows } from '../../test/world.ts';
import type { World } from '../../test/world.ts';

const queue = 'kueue.x-k8s.io/queue-name';
const priorityClass = 'kueue.x-k8s.io/priority-class';
const time = '2026-01-01T00:00:00Z';
const finished = { phase: 'Succeeded', finishedAt: '2026-01-01T00:01:00Z' } as const;

/** Says about a Workload what Kueue says. */
class Actor {
  readonly #world: World;
  readonly #type;

  constructor(world: World, version: KueueVersion) {
    this.#world = world;
    this.#type = workloadsOf(version);
  }

  all(): Workload[] {
    return this.#world.client.peekAll<Workload>(this.#type, namespace);
  }

  workload(): Workload {
    const [workload, ...more] = this.all();
    assert.ok(workload !== undefined && more.length === 0, `${more.length + 1} Workloads`);
    return workload;
  }

  state(type: string): string | undefined {
    return this.workload().status?.conditions?.find((condition) => condition.type === type)?.status;
  }

  async say(type: string, status: 'True' | 'False', { reason = 'Because', message = '' } = {}): Promise<void> {
    this.#put({}, [{ type, status, reason, message }]);
    await this.#world.settle();
  }

  async admit(): Promise<void> {
    const states = [
      { type: 'QuotaReserved', status: 'True', reason: 'QuotaReserved', message: '' },
      { type: 'Evicted', status: 'False', reason: 'QuotaReserved', message: '' },
      { type: 'Admitted', status: 'True', reason: 'Admitted', message: '' },
    ] as const;
    this.#put({ admission: { clusterQueue: 'all' } }, states);
    await this.#world.settle();
  }

  async activate(active: boolean): Promise<void> {
    const workload = this.workload();
    this.#world.client.put(this.#type, { ...workload, spec: { ...workload.spec, active } } as Workload);
    await this.#world.settle();
  }

  #put(
    status: NonNullable<Workload['status']>,
    states: readonly { readonly type: string; readonly status: 'True' | 'False'; readonly reason: string; readonly message: string }[],
  ): void {
    const workload = this.workload();
    const others = (workload.status?.conditions ?? []).filter(({ type }) => !states.some((state) => state.type === type));
    const conditions = [...others, ...states.map((state) => ({ ...state, lastTransitionTime: time }))];
    this.#world.client.put(this.#type, { ...workload, status: { ...workload.status, ...status, conditions } } as Workload);
  }
}

function label(world: World, labels: Record<string, string>): void {
  world.apply(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace, labels } });
}

async function waiting(
  version: KueueVersion = 'v1beta2',
  labels: Record<string, string> = { [queue]: 'transfers' },
): Promise<{ world: World; kueue: Actor }> {
  const world = await createWorld({ maxActiveWorkflows: 1 }, { kueue: { version } });
  supply(world);
  label(world, labels);
  await world.settle();
  world.apply(orders, order(['a']));
  await world.settle();
  return { world, kueue: new Actor(world, version) };
}

function status(world: World): { readonly phase?: string; readonly reason?: string; readonly message?: string } {
  return world.runs()[0]?.status ?? {};
}

test('a run waits for the quota of its LocalQueue, starts when it is admitted, and gives the quota back when it ends', async () => {
  const { world, kueue } = await waiting();
  await using _ = world;
  const { metadata, spec } = kueue.workload();
  assert.deepEqual(world.workflows(), []);
  assert.equal(spec?.queueName, 'transfers');
  assert.deepEqual(
    metadata.ownerReferences?.map(({ kind, uid }) => [kind, uid]),
    [['ArtifactWorkflow', world.runs()[0]?.metadata.uid]],
  );
  await kueue.say('QuotaReserved', 'False', { message: 'insufficient unused quota for cpu in flavor default' });
  assert.deepEqual(
    [status(world).phase, status(world).reason, status(world).message],
    ['Pending', 'WaitingForQuota', 'waits for quota of the LocalQueue "transfers": insufficient unused quota for cpu in flavor default'],
  );
  await kueue.admit();
  const [workflow] = world.workflows();
  assert.equal(workflow?.spec.podMetadata, undefined, 'pods are not queued once more');
  world.report(metadata.name ?? '', { phase: 'Running' });
  await world.settle();
  assert.equal(kueue.state('PodsReady'), 'True');
  world.report(metadata.name ?? '', finished);
  await world.settle();
  assert.equal(status(world).phase, 'Succeeded');
  assert.equal(kueue.state('Finished'), 'True');
});

test('an evicted run ends its Workflow, gives the quota back, and runs once more when it is admitted again', async () => {
  const { world, kueue } = await waiting();
  await using _ = world;
  await kueue.admit();
  const first = world.workflows()[0]?.metadata.uid;
  await kueue.say('Evicted', 'True', { reason: 'Preempted', message: 'to accommodate another' });
  assert.deepEqual(world.workflows(), []);
  assert.equal(kueue.workload().status?.admission ?? undefined, undefined);
  assert.deepEqual(
    ['QuotaReserved', 'Admitted', 'Requeued'].map((type) => kueue.state(type)),
    ['False', 'False', 'True'],
  );
  assert.equal(status(world).reason, 'Evicted');
  assert.match(status(world).message ?? '', /was evicted \(Preempted\) and waits for quota of the LocalQueue "transfers": to accommodate/);
  await kueue.admit();
  assert.notEqual(world.workflows()[0]?.metadata.uid, first);
  assert.equal(creations(world, workflows).length, 2);
  assert.equal(creations(world, workloadsOf('v1beta2')).length, 1);
});

test('a deactivated run stands in no line, so that others get its turn', async () => {
  const { world, kueue } = await waiting();
  await using _ = world;
  await kueue.activate(false);
  assert.equal(status(world).reason, 'Deactivated');
  world.apply(orders, order(['b'], { name: 'other' }));
  await world.settle();
  assert.equal(kueue.all().length, 2, 'the other one has its turn');
});

test('a deactivated run starts when it is active again', async () => {
  const { world, kueue } = await waiting();
  await using _ = world;
  await kueue.activate(false);
  await kueue.activate(true);
  assert.equal(status(world).reason, 'WaitingForQuota');
  await kueue.admit();
  assert.equal(world.workflows().length, 1);
});

test('a Workflow whose Workload is deleted ends, and waits with another Workload', async () => {
  const { world, kueue } = await waiting();
  await using _ = world;
  await kueue.admit();
  await world.client.delete(workloadsOf('v1beta2'), { namespace, name: kueue.workload().metadata.name ?? '' });
  await world.settle();
  assert.deepEqual(world.workflows(), []);
  assert.equal(creations(world, workloadsOf('v1beta2')).length, 2);
});

test('a suspended Order takes its run out of the queue; another label moves it', async () => {
  const { world, kueue } = await waiting();
  await using _ = world;
  label(world, { [queue]: 'slow' });
  await world.settle();
  assert.equal(kueue.workload().spec?.queueName, 'slow');
  world.apply(orders, { ...world.order(), spec: { ...world.order().spec, suspend: true } } as KubeObject);
  await world.settle();
  assert.deepEqual(kueue.all(), []);
  assert.equal(status(world).reason, 'Suspended');
});

test('controllers that start again go on where they were: one waits, one runs, and a third has no turn', async () => {
  const { world, kueue } = await waiting();
  await using _ = world;
  await world.restart();
  world.apply(orders, order(['b'], { name: 'other' }));
  await world.settle();
  assert.equal(kueue.all().length, 1, 'its turn is taken by the one that waits');
  await kueue.admit();
  await world.restart();
  await world.settle();
  assert.equal(creations(world, workflows).length, 1);
});

for (const [version, reference] of [
  ['v1beta2', { priorityClassRef: { group: 'kueue.x-k8s.io', kind: 'WorkloadPriorityClass', name: 'high' } }],
  ['v1beta1', { priorityClassName: 'high', priorityClassSource: 'kueue.x-k8s.io/workloadpriorityclass' }],
] as const) {
  test(`${version}: it asks for what the largest step requests, with the priority of its class`, async () => {
    const { world, kueue } = await waiting(version, { [queue]: 'transfers', [priorityClass]: 'high' });
    await using _ = world;
    assert.deepEqual(kueue.all(), []);
    assert.equal(status(world).reason, 'PriorityClassMissing');
    world.apply(workloadPriorityClassesOf(version), {
      ...{ apiVersion: `kueue.x-k8s.io/${version}`, kind: 'WorkloadPriorityClass', metadata: { name: 'high' } },
      ...{ value: 1000 },
    });
    const requests = (cpu: string, memory: string): object => ({ image: 'i', resources: { requests: { cpu, memory } } });
    world.apply(clusterWorkflowTemplates, {
      ...{ apiVersion: 'argoproj.io/v1alpha1', kind: 'ClusterWorkflowTemplate', metadata: { name: 'copy' } },
      spec: {
        templates: [
          { name: 'small', container: { image: 'i', resources: { limits: { cpu: '2' } } } },
          { name: 'pair', script: requests('500m', '1Gi'), sidecars: [requests('250m', '{{inputs.parameters.memory}}')] },
          { name: 'none', steps: [] },
        ],
      },
    });
    await world.settle(60_000);
    const { spec } = kueue.workload();
    assert.deepEqual(spec, {
      ...{ queueName: 'transfers', priority: 1000, active: true, ...reference },
      podSets: [
        {
          ...{ name: 'main', count: 1 },
          template: {
            spec: { containers: [{ name: 'main', image: 'workflow', resources: { requests: { cpu: '2', memory: '1073741824' } } }] },
          },
        },
      ],
    });
  });
}

test('without the label of a LocalQueue nothing waits for Kueue', async () => {
  await using world = await createWorld({}, { kueue: { version: 'v1beta2' } });
  supply(world);
  world.apply(orders, order(['a']));
  await world.settle();
  assert.equal(world.workflows().length, 1);
});
