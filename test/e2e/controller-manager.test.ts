import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { artifactWorkflows, orders } from '@arc/api/arc';
import type { ArtifactWorkflow } from '@arc/api/arc';
import { cronWorkflows, workflows } from '@arc/api/argo';
import { eventsEvents, secrets } from '@arc/api/core';
import type { Secret } from '@arc/api/core';
import { controllerRules, leaderElectionRules } from '@arc/api/rbac';
import type { PolicyRule } from '@arc/api/rbac';
import { deepEqual } from '@arc/apimachinery';
import type { KubeObject, ResourceType } from '@arc/apimachinery';
import { discover } from '@arc/kube-client';
import { eventually } from '@arc/testkit';
import { account, order, password, phaseOf, ref, runsOf, supply, tenant } from './support/supply.ts';
import { startControllerManager } from './support/controller-manager.ts';
import type { ControllerManager } from './support/controller-manager.ts';
import { askedByDashboard, servedBy } from './support/dashboard.ts';
import { startStandInCluster } from './support/stand-in-cluster.ts';
import type { StandInCluster } from './support/stand-in-cluster.ts';

function goneOf({ client }: StandInCluster, kind: ResourceType, name: string): Promise<boolean> {
  return eventually(async () => (await client.list(kind, { namespace: tenant })).items.every(({ metadata }) => metadata.name !== name), {
    what: `the end of ${kind.plural} ${name}`,
  });
}

/** Reasons of the events about an object, in the order in which they were told. */
async function storyOf({ client }: StandInCluster, name: string): Promise<readonly string[]> {
  interface Told extends KubeObject {
    readonly eventTime?: string;
    readonly reason?: string;
    readonly regarding?: { readonly name?: string };
  }
  const { items } = await client.list<Told>(eventsEvents, { namespace: tenant });
  const told = items.filter(({ regarding }) => regarding?.name === name);
  return told.toSorted((a, b) => ((a.eventTime ?? '') < (b.eventTime ?? '') ? -1 : 1)).map(({ reason = '' }) => reason);
}

/** Events are told a little after what they tell of. */
async function tells(cluster: StandInCluster, name: string, reasons: readonly string[]): Promise<void> {
  let told: readonly string[] = [];
  await eventually(async () => deepEqual((told = await storyOf(cluster, name)), reasons), { what: `the story of ${name}` }).catch(() =>
    assert.deepEqual(told, reasons),
  );
}

/** Looks for the password, plain and in base64, wherever somebody without the right to read Secrets could see it. */
async function noSecretIn(cluster: StandInCluster, manager: ControllerManager): Promise<void> {
  // What a step says itself is Argo's to keep; ARC is not to carry it further.
  const apart = ['secrets', 'workflows', 'pods'];
  const kinds = (await discover(cluster.client)).filter(({ type: { plural }, verbs }) => verbs.includes('list') && !apart.includes(plural));
  for (const line of manager.output().trim().split('\n')) {
    const { time, level, message } = JSON.parse(line) as Readonly<Record<string, unknown>>;
    assert.ok(
      [time, level, message].every((field) => typeof field === 'string'),
      line,
    );
  }
  const seen = [manager.output(), await manager.metrics(), await manager.health('/readyz?verbose'), JSON.stringify(cluster.requests)];
  for (const { type: kind } of kinds) seen.push(JSON.stringify((await cluster.client.list(kind)).items));
  assert.ok(
    seen.some((text) => text.includes('the registry says no to')),
    'what was to be hidden was told',
  );
  for (const value of [password, Buffer.from(password).toString('base64'), Buffer.from(`robot:${password}`).toString('base64')]) {
    assert.ok(!seen.some((text) => text.includes(value)), `${value} is in ${seen.find((text) => text.includes(value))?.slice(0, 5000)}`);
  }
}

/** Every metric the dashboard asks for is there, with every label by which it asks. */
async function dashboardIsServed({ client }: StandInCluster, manager: ControllerManager): Promise<void> {
  const { body } = await client.raw({ path: '/metrics' });
  const ofServer = Buffer.concat(await Array.fromAsync(body)).toString();
  const served = servedBy(`${ofServer}\n${await manager.metrics()}`);
  const asked = await askedByDashboard();
  assert.ok(asked.size > 15, `the dashboard asks for ${asked.size} metrics`);
  for (const [name, labels] of asked) {
    const known = served.get(name);
    assert.ok(known !== undefined, `nobody serves ${name}`);
    for (const label of labels) assert.ok(known.has(label), `${name} has no label ${label}`);
  }
}

/** `verb resource.group` for each thing a rule allows. */
function grantsOf(rules: readonly PolicyRule[]): string[] {
  return rules.flatMap(({ apiGroups = [], resources = [], verbs }) =>
    apiGroups.flatMap((group) => resources.flatMap((resource) => verbs.map((verb) => `${verb} ${resource}.${group}`))),
  );
}

describe('the controller manager with exactly the rights it is installed with', () => {
  let cluster: StandInCluster;
  let manager: ControllerManager;
  const parts = new AsyncDisposableStack();
  before(async () => {
    cluster = await startStandInCluster({
      script: ({ args }) => {
        const [image = ''] = args;
        if (image.startsWith('slow')) return undefined;
        return image.startsWith('bad') ? { exitCode: 1, error: `the registry says no to ${password}` } : {};
      },
    });
    parts.use(cluster);
    await cluster.install(tenant);
    manager = startControllerManager(await cluster.kubeconfig(account));
    parts.use(manager);
    await manager.ready();
    await supply(cluster);
  });
  after(() => parts.disposeAsync());

  test('an Order, its failure, a schedule, retention and deletion need every right there is and no other', async () => {
    const { client } = cluster;
    await client.create(orders, order('once', ['good', 'bad']));
    const failed = await phaseOf(cluster, 'once', 'Failed');
    assert.deepEqual([failed.status?.counts?.succeeded, failed.status?.counts?.failed], [1, 1]);

    await tells(cluster, 'once', ['Created', 'Failed']);
    const [bad] = (await runsOf(cluster, 'once')).filter(({ status }) => status?.phase === 'Error' || status?.phase === 'Failed');
    await tells(cluster, bad?.metadata.name ?? '', ['Created', 'Failed']);

    await noSecretIn(cluster, manager);

    // Somebody edits the configuration of a run that is under way, and it is put right.
    await client.create(orders, order('slow', ['slow']));
    const [run] = await eventually(
      async () => {
        const runs = await runsOf(cluster, 'slow');
        return runs[0]?.status?.phase === 'Running' ? runs : undefined;
      },
      { what: 'the slow run' },
    );
    const config = ref(`${run?.metadata.name}-config`);
    const whole = (await client.get<Secret>(secrets, config)).data?.['config.json'] ?? '';
    await client.patch(secrets, config, { data: { 'config.json': 'e30=' } });
    await eventually(async () => (await client.get<Secret>(secrets, config)).data?.['config.json'] === whole, {
      what: 'the configuration',
    });

    // What is asked for is changed: the run that is superseded ends.
    await client.patch(orders, ref('slow'), { spec: { artifacts: [{ type: 'oci', spec: { image: 'good' } }] } });
    await phaseOf(cluster, 'slow', 'Succeeded');

    await client.create(
      orders,
      order('scheduled', ['good'], { defaults: { srcRef: { name: 'src' }, dstRef: { name: 'dst' }, cron: { schedules: ['0 3 * * *'] } } }),
    );
    const [cron] = await eventually(
      async () => {
        const { items } = await client.list(cronWorkflows, { namespace: tenant });
        return items.length > 0 ? items : undefined;
      },
      { what: 'the CronWorkflow' },
    );
    await client.patch(orders, ref('scheduled'), {
      metadata: { annotations: { 'arc.opendefense.cloud/force-at': String(Math.ceil(Date.now() / 1000) + 1) } },
    });
    await eventually(async () => (await runsOf(cluster, 'scheduled')).some(({ status }) => status?.lastWorkflowRef !== undefined), {
      what: 'the run out of turn',
    });
    await client.patch(orders, ref('scheduled'), { spec: { suspend: true } });
    await eventually(
      async () =>
        (await client.get<KubeObject & { spec: { suspend?: boolean } }>(cronWorkflows, ref(cron?.metadata.name ?? ''))).spec.suspend ===
        true,
      { what: 'the suspension' },
    );
    await dashboardIsServed(cluster, manager);
    await client.delete(orders, ref('scheduled'));
    await goneOf(cluster, orders, 'scheduled');

    await client.patch(orders, ref('once'), { metadata: { annotations: { 'arc.opendefense.cloud/retry': 'again' } } });
    for (const clusterScope of [true, false]) {
      await client.create<KubeObject>(artifactWorkflows, {
        ...{ apiVersion: 'arc.opendefense.cloud/v1alpha1', kind: 'ArtifactWorkflow', metadata: ref(`dry-${clusterScope}`) },
        ...{ spec: { workflowTemplateRef: { name: 'nowhere', clusterScope }, parameters: [{ name: 'dryRun', value: 'true' }] } },
      });
      await eventually(
        async () =>
          (await client.get<ArtifactWorkflow>(artifactWorkflows, ref(`dry-${clusterScope}`))).status?.reason === 'DryRunUnsupported',
        { what: 'the refusal of a dry run' },
      );
      await client.delete(artifactWorkflows, ref(`dry-${clusterScope}`));
    }
    await client.create(orders, order('kept', ['good'], { TTLSecondsAfterCompletion: 0 }));
    await phaseOf(cluster, 'kept', 'Succeeded');
    await eventually(async () => (await runsOf(cluster, 'kept')).length === 0, { what: 'the end of the run' });
    await client.create(orders, order('short', ['good'], { ttl: '1s' }));
    await goneOf(cluster, orders, 'short');
    for (const name of ['once', 'slow', 'kept']) await client.delete(orders, ref(name));
    await eventually(async () => (await client.list(orders, { namespace: tenant })).items.length === 0, { what: 'the end of all Orders' });
    assert.deepEqual((await client.list(workflows, { namespace: tenant })).items, []);
    assert.equal(await manager.stop(), 0);

    const own = cluster.requests.filter(({ user }) => user === account);
    assert.deepEqual(
      own.filter(({ code }) => code === 403),
      [],
    );
    const used = new Set(own.map(({ verb, resource, group }) => `${verb} ${resource}.${group}`));
    const granted = grantsOf([...controllerRules, ...leaderElectionRules]);
    assert.deepEqual(
      granted.filter((grant) => !used.has(grant)),
      [],
      'rights that nothing needs',
    );
  });
});
