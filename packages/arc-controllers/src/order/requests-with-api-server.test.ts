import type { ArtifactWorkflow, Order } from '@arc/api/arc';
import { artifactWorkflows, endpoints, forceAtAnnotation, orders, retryAnnotation } from '@arc/api/arc';
import type { Workflow } from '@arc/api/argo';
import { clusterWorkflowTemplates, workflows } from '@arc/api/argo';
import { events } from '@arc/api/core';
import type { KubeClient } from '@arc/kube-client';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { eventually, phaseOf, setUp, supply } from '../../test/api-scenario.ts';
import { HandOvers, quick } from '../../test/hand-overs.ts';
import { endpoint, namespace, order } from '../../test/world.ts';

// On the real server: what people may ask for beside the spec, and what becomes of what goes wrong.

const ref = (name = 'o') => ({ namespace, name });
const valueOf = ({ spec }: Workflow, wanted: string): unknown => spec.arguments?.parameters?.find(({ name }) => name === wanted)?.value;
const seconds = (): number => Math.floor(Date.now() / 1000);

async function annotate(client: KubeClient, annotations: Record<string, string | null>): Promise<void> {
  await client.patch(orders, ref(), { metadata: { annotations } });
}

test('force-at runs everything once for each value, of the future at its time, and nothing when it is taken away', async () => {
  await using scenario = await setUp(undefined, quick);
  const { client } = scenario;
  await supply(client);
  const handOvers = new HandOvers(client);
  await client.create(orders, order(['a', 'b']));
  assert.deepEqual(await handOvers.take(), ['a', 'b']);
  const past = seconds() - 50;
  await annotate(client, { [forceAtAnnotation]: String(past) });
  assert.deepEqual(await handOvers.take(), ['a', 'b']);
  await annotate(client, { [forceAtAnnotation]: String(past), other: 'x' });
  assert.deepEqual(await handOvers.take(), [], 'the same value');
  const future = seconds() + 3;
  await annotate(client, { [forceAtAnnotation]: String(future) });
  const early = await handOvers.take();
  assert.ok(Date.now() >= future * 1000 || early.length === 0, 'not before its time');
  await eventually(
    'its time',
    async () => (await client.get<Order>(orders, ref())).status?.lastForceAt === `${new Date(future * 1000).toISOString().slice(0, 19)}Z`,
  );
  assert.deepEqual([...early, ...(await handOvers.take())], ['a', 'b'], 'once');
  await annotate(client, { [forceAtAnnotation]: null });
  assert.deepEqual(await handOvers.take(), [], 'taken away');
  const nonsense = { [forceAtAnnotation]: 'tomorrow' };
  await annotate(client, nonsense);
  assert.deepEqual(await handOvers.take(), [], 'no time');
  assert.equal(await phaseOf(client), 'Succeeded');
});

test('forced while the last Workflow still ends, it starts once that has gone (weakness 5)', async () => {
  let isHeld = true;
  await using scenario = await setUp(() => (isHeld ? undefined : { phase: 'Succeeded' }), quick);
  const { client } = scenario;
  await supply(client);
  await client.create(orders, order(['a']));
  await eventually('work', async () => (await client.list<Workflow>(workflows)).items[0]?.status?.phase === 'Running');
  const held = ref((await client.list(workflows)).items[0]?.metadata.name);
  await client.patch(workflows, held, { metadata: { finalizers: ['engine/hold'] } });
  await annotate(client, { [forceAtAnnotation]: String(seconds() - 5) });
  await eventually('its end to begin', async () => (await client.get(workflows, held)).metadata.deletionTimestamp !== undefined);
  await eventually(
    'the reason',
    async () => Object.values((await client.get<Order>(orders, ref())).status?.artifactWorkflows ?? {})[0]?.reason === 'Superseding',
  );
  assert.equal((await client.list(workflows)).items.length, 1);
  isHeld = false;
  await client.patch(workflows, held, { metadata: { finalizers: null } });
  await eventually('success', async () => (await phaseOf(client)) === 'Succeeded');
});

test('a suspended Order starts nothing, lets go on what runs, and goes on when it is resumed', async () => {
  let isHeld = true;
  await using scenario = await setUp(
    (workflow) => (isHeld && valueOf(workflow, 'specImage') === 'a' ? undefined : { phase: 'Succeeded' }),
    quick,
  );
  const { client } = scenario;
  await supply(client);
  const handOvers = new HandOvers(client);
  await client.create(orders, order(['a']));
  assert.deepEqual(await handOvers.take(), ['a']);
  await client.patch(orders, ref(), { spec: { suspend: true, artifacts: ['a', 'b'].map((image) => ({ type: 'oci', spec: { image } })) } });
  assert.deepEqual(await handOvers.take(), []);
  isHeld = false;
  const [running] = (await client.list<Workflow>(workflows)).items.filter((workflow) => valueOf(workflow, 'specImage') === 'a');
  await client.patch(workflows, ref(running?.metadata.name), { metadata: { labels: { touched: 'yes' } } });
  await eventually('the end of what ran', async () => (await client.get<Order>(orders, ref())).status?.counts?.succeeded === 1);
  const { status } = await client.get<Order>(orders, ref());
  assert.deepEqual([status?.counts?.pending, status?.conditions?.find(({ type }) => type === 'Progressing')?.reason], [1, 'Suspended']);
  assert.deepEqual(await handOvers.take(), []);
  await client.patch(orders, ref(), { spec: { suspend: false } });
  assert.deepEqual(await handOvers.take(), ['b']);
  await eventually('success', async () => (await phaseOf(client)) === 'Succeeded');
});

test('retry tries what failed once more for each value, and nothing else', async () => {
  let luck = false;
  await using scenario = await setUp(
    (workflow) => (valueOf(workflow, 'specImage') === 'bad' && !luck ? { phase: 'Failed', message: 'no luck' } : { phase: 'Succeeded' }),
    quick,
  );
  const { client } = scenario;
  await supply(client);
  const handOvers = new HandOvers(client);
  await client.create(orders, order(['good', 'bad']));
  assert.deepEqual(await handOvers.take(), ['bad', 'good']);
  const failed = async (retry: string): Promise<boolean> => {
    const { status } = await client.get<Order>(orders, ref());
    return status?.lastRetry === retry && status.phase === 'Failed';
  };
  await eventually('failure', async () => (await phaseOf(client)) === 'Failed');
  await annotate(client, { [retryAnnotation]: '1' });
  assert.deepEqual(await handOvers.take(), ['bad']);
  await eventually('failure again', () => failed('1'));
  await annotate(client, { [retryAnnotation]: '1', other: 'x' });
  assert.deepEqual(await handOvers.take(), [], 'the same value');
  luck = true;
  await annotate(client, { [retryAnnotation]: '2' });
  assert.deepEqual(await handOvers.take(), ['bad']);
  await eventually('success', async () => (await phaseOf(client)) === 'Succeeded');
  await annotate(client, { [retryAnnotation]: '3' });
  assert.deepEqual(await handOvers.take(), [], 'nothing has failed');
});

test('a dry run is told to the template, refused where it knows none, and followed by a real one', async () => {
  await using scenario = await setUp(undefined, quick);
  const { client } = scenario;
  await supply(client);
  const handOvers = new HandOvers(client);
  const wish = order(['a']);
  await client.create(orders, { ...wish, spec: { ...wish.spec, dryRun: true } });
  await eventually('refusal', async () => (await phaseOf(client)) === 'Failed');
  const [refused] = (await client.list<ArtifactWorkflow>(artifactWorkflows)).items;
  assert.equal(refused?.status?.reason, 'DryRunUnsupported');
  assert.deepEqual(await handOvers.take(), []);
  await client.create(clusterWorkflowTemplates, {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'ClusterWorkflowTemplate',
    metadata: { name: 'copy' },
    spec: { arguments: { parameters: [{ name: 'dryRun', value: 'false' }] } },
  } as never);
  await annotate(client, { [retryAnnotation]: '1' });
  await eventually('the dry run', async () => (await phaseOf(client)) === 'Succeeded');
  const { status } = await client.get<Order>(orders, ref());
  assert.match(status?.message ?? '', /1 of 1 artifacts checked \(dry run\)/);
  await client.patch(orders, ref(), { spec: { dryRun: false } });
  await eventually('the real run', async () => (await client.get<Order>(orders, ref())).status?.message === '1 of 1 artifacts transferred');
  const runs = (await client.list<Workflow>(workflows)).items.filter((workflow) => valueOf(workflow, 'specImage') === 'a');
  assert.deepEqual(runs.map((workflow) => valueOf(workflow, 'dryRun')).sort(), ['false', 'true']);
});

test('bad artifacts keep nobody waiting, cost nothing while they wait, and recover by the event that brings what they lack (weaknesses 3, 4)', async () => {
  await using scenario = await setUp(undefined, quick);
  const { client, requests } = scenario;
  await supply(client);
  await client.create(endpoints, endpoint('pull-only', { usage: 'PullOnly' }));
  const wish = order(['good', 'no endpoint', 'no type', 'no push']);
  const [, second, third, fourth] = wish.spec?.artifacts ?? [];
  Object.assign(second ?? {}, { dstRef: { name: 'nowhere' } });
  Object.assign(third ?? {}, { type: 'nothing' });
  Object.assign(fourth ?? {}, { dstRef: { name: 'pull-only' } });
  await client.create(orders, wish);
  await eventually('success of the good one', async () => (await client.get<Order>(orders, ref())).status?.counts?.succeeded === 1);
  const { status } = await client.get<Order>(orders, ref());
  assert.deepEqual(status?.counts, { total: 4, succeeded: 1, failed: 1, running: 0, pending: 0, blocked: 2, scheduled: 0 });
  const reasons = Object.values(status?.artifactWorkflows ?? {})
    .sort((a, b) => a.artifactIndex - b.artifactIndex)
    .map(({ reason }) => reason);
  assert.deepEqual(reasons, [undefined, 'MissingEndpoint', 'MissingArtifactType', 'EndpointUsage']);
  const handOvers = new HandOvers(client);
  await handOvers.take();
  const asked = requests.length;
  await delay(1500);
  assert.equal(requests.length, asked, 'nothing is tried again and again');
  await client.create(endpoints, endpoint('nowhere'));
  assert.deepEqual(await handOvers.take(), ['no endpoint']);
  await client.patch(endpoints, ref('pull-only'), { spec: { usage: 'All' } });
  assert.deepEqual(await handOvers.take(), ['no push']);
});

test('a Workflow that somebody deletes is no success: it is told and started again (weakness 6); the table says Failed (weakness 12)', async () => {
  let isHeld = true;
  await using scenario = await setUp(() => (isHeld ? undefined : { phase: 'Failed', message: 'no luck' }), quick);
  const { client } = scenario;
  await supply(client);
  await client.create(orders, order(['a']));
  const running = async (): Promise<Workflow | undefined> =>
    (await client.list<Workflow>(workflows)).items.find(({ status }) => status?.phase === 'Running');
  await eventually('work', async () => (await running()) !== undefined);
  const first = await running();
  await client.delete(workflows, ref(first?.metadata.name));
  isHeld = false;
  await eventually('failure of another one', async () => (await phaseOf(client)) === 'Failed');
  assert.notEqual((await client.list(workflows)).items[0]?.metadata.uid, first?.metadata.uid);
  await eventually('the event', async () => (await client.list(events)).items.some((event) => event['reason'] === 'WorkflowVanished'));
  const { body } = await client.raw({
    path: `/apis/arc.opendefense.cloud/v1alpha1/namespaces/${namespace}/orders`,
    headers: { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' },
  });
  let text = '';
  for await (const chunk of body) text += Buffer.from(chunk).toString();
  const table = JSON.parse(text) as { columnDefinitions: { name: string }[]; rows: { cells: unknown[] }[] };
  assert.equal(table.rows[0]?.cells[table.columnDefinitions.findIndex(({ name }) => name === 'Phase')], 'Failed');
});
