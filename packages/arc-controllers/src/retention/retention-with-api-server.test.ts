import type { ArtifactWorkflow, Order } from '@arc/api/arc';
import { artifactWorkflows, clusterArtifactTypes, orderFinalizer, orders } from '@arc/api/arc';
import type { Workflow } from '@arc/api/argo';
import { workflows } from '@arc/api/argo';
import type { KubeClient } from '@arc/kube-client';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually, isGone, phaseOf, setUp, supply } from '../../test/api-scenario.ts';
import { HandOvers, quick } from '../../test/hand-overs.ts';
import { clusterType, namespace, order } from '../../test/world.ts';

// On the real server: how long what has ended is kept, and what outlives it.

const ref = (name: string) => ({ namespace, name });

function orderOf(name: string, images: readonly string[], spec: NonNullable<Order['spec']> = {}, type = 'oci'): Order {
  const wish = order(images, { name });
  return { ...wish, spec: { ...wish.spec, ...spec, artifacts: images.map((image) => ({ type, spec: { image } })) } };
}

async function imagesOfRuns(client: KubeClient): Promise<string[]> {
  const { items } = await client.list<ArtifactWorkflow>(artifactWorkflows);
  return items.map(({ spec }) => String(spec?.parameters?.find(({ name }) => name === 'specImage')?.value)).sort();
}

/** How long a run was kept, milliseconds, as the watch tells; up to a second too few, for times of deletion are cut. */
async function keptFor(client: KubeClient, image: string, from: string): Promise<number> {
  for await (const { object } of client.watch<ArtifactWorkflow>(artifactWorkflows, { resourceVersion: from })) {
    const { metadata, spec, status } = object;
    const isIt = spec?.parameters?.some(({ name, value }) => name === 'specImage' && value === image) === true;
    if (isIt && metadata.deletionTimestamp !== undefined) {
      return Date.parse(metadata.deletionTimestamp) - Date.parse(status?.failureTime ?? status?.completionTime ?? '');
    }
  }
  return Number.NaN;
}

test('what has ended is kept, or goes by the time of the Order, else by that of its type; what it delivered stays delivered', async () => {
  const fails = (workflow: Workflow): boolean =>
    workflow.spec.arguments?.parameters?.some(({ value }) => value?.toString().startsWith('bad-') === true) === true;
  await using scenario = await setUp(
    (workflow) => (fails(workflow) ? { phase: 'Failed', message: 'no luck' } : { phase: 'Succeeded' }),
    quick,
  );
  const { client } = scenario;
  await supply(client);
  await client.create(clusterArtifactTypes, clusterType('brief', { ttlAfterFinished: '2s', ttlAfterFailed: '0s' }));
  await client.create(clusterArtifactTypes, clusterType('impatient', { ttlAfterFinished: '0s', ttlAfterFailed: '1s' }));
  await client.create(clusterArtifactTypes, clusterType('patient', { ttlAfterFinished: '1h', ttlAfterFailed: '1h' }));
  const from = (await client.list(artifactWorkflows)).metadata.resourceVersion ?? '';
  await client.create(orders, orderOf('keeps', ['kept', 'bad-kept']));
  await client.create(orders, orderOf('brief', ['brief', 'bad-brief'], {}, 'brief'));
  await client.create(orders, orderOf('impatient', ['impatient', 'bad-impatient'], {}, 'impatient'));
  await client.create(orders, orderOf('at-once', ['at-once', 'bad-at-once'], { TTLSecondsAfterCompletion: 0 }, 'patient'));
  await client.create(orders, orderOf('later', ['later'], { TTLSecondsAfterCompletion: 2 }, 'patient'));
  const kept = ['bad-brief', 'bad-kept', 'impatient', 'kept'];
  await eventually('the end of all that is to go', async () => (await imagesOfRuns(client)).join() === kept.join());
  assert.ok((await keptFor(client, 'brief', from)) > 1000);
  assert.ok((await keptFor(client, 'bad-impatient', from)) > 0);
  assert.ok((await keptFor(client, 'later', from)) > 1000);
  await eventually('Workflows to follow', async () => (await client.list(workflows)).items.length === kept.length);

  const handOvers = new HandOvers(client);
  await handOvers.take();
  for (const run of (await client.list<ArtifactWorkflow>(artifactWorkflows)).items) {
    if (run.status?.phase === 'Succeeded') await client.delete(artifactWorkflows, ref(run.metadata.name ?? ''));
  }
  await client.patch(orders, ref('at-once'), { spec: { TTLSecondsAfterCompletion: null } });
  assert.deepEqual(await handOvers.take(), [], 'neither what was removed nor what somebody deletes is transferred again');
  const phases = await Promise.all(['keeps', 'brief', 'impatient', 'at-once', 'later'].map((name) => phaseOf(client, name)));
  assert.deepEqual(phases, ['Failed', 'Failed', 'Failed', 'Failed', 'Succeeded']);
  for (const name of ['keeps', 'brief', 'impatient', 'at-once']) {
    const { status } = await client.get<Order>(orders, ref(name));
    assert.deepEqual([status?.counts?.succeeded, status?.counts?.failed], [1, 1], name);
  }

  await client.patch(orders, ref('keeps'), { spec: { artifacts: [] } });
  await eventually('nothing to do', async () => (await client.get<Order>(orders, ref('keeps'))).status?.counts?.total === 0);
  await client.patch(orders, ref('keeps'), { spec: { artifacts: [{ type: 'oci', spec: { image: 'kept' } }] } });
  assert.deepEqual(await handOvers.take(), [], 'the record outlives the run and the wish');
  assert.equal(await phaseOf(client, 'keeps'), 'Succeeded');
});

test('ttl removes an Order with all that runs for it, counted from its creation', async () => {
  await using scenario = await setUp(() => undefined, quick);
  const { client } = scenario;
  await supply(client);
  const { metadata: start } = await client.list(orders);
  await client.create(orders, orderOf('o', ['a'], { ttl: '2s' }));
  await client.create(orders, orderOf('zero', ['a'], { ttl: '0s' }));
  await eventually('the end of the Order', async () => await isGone(client, orders, ref('o')));
  for await (const { object } of client.watch(orders, { resourceVersion: start.resourceVersion ?? '' })) {
    const { name, creationTimestamp, deletionTimestamp } = object.metadata;
    if (name !== 'o' || deletionTimestamp === undefined) continue;
    assert.ok(Date.parse(deletionTimestamp) - Date.parse(creationTimestamp ?? '') >= 2000);
    break;
  }
  assert.equal((await client.list(artifactWorkflows)).items.length, 1, 'that of the Order whose ttl is 0, which keeps');
  await eventually('one Workflow to be left', async () => (await client.list(workflows)).items.length === 1);
});

test('deleting an Order waits for its children in the background and in the foreground; orphaned ones go on', async () => {
  let isHeld = true;
  await using scenario = await setUp(() => (isHeld ? undefined : { phase: 'Succeeded' }), quick);
  const { client } = scenario;
  await supply(client);
  for (const policy of ['Background', 'Foreground'] as const) {
    await client.create(orders, orderOf('o', [policy]));
    await eventually('work', async () => (await client.list(workflows)).items.length === 1);
    const [workflow] = (await client.list<Workflow>(workflows)).items;
    const held = ref(workflow?.metadata.name ?? '');
    await client.patch(workflows, held, { metadata: { finalizers: ['engine/hold'] } });
    await client.delete(orders, ref('o'), { propagationPolicy: policy });
    await eventually(
      'the end of the Workflow to begin',
      async () => (await client.get(workflows, held)).metadata.deletionTimestamp !== undefined,
    );
    assert.ok((await client.get(orders, ref('o'))).metadata.finalizers?.includes(orderFinalizer), policy);
    await client.patch(workflows, held, { metadata: { finalizers: null } });
    await eventually(`the end of the Order (${policy})`, async () => await isGone(client, orders, ref('o')));
    assert.deepEqual([(await client.list(artifactWorkflows)).items, (await client.list(workflows)).items], [[], []], policy);
  }
  await client.create(orders, orderOf('o', ['Orphan']));
  await eventually('work', async () => (await client.list<Workflow>(workflows)).items[0]?.status?.phase === 'Running');
  await client.delete(orders, ref('o'), { propagationPolicy: 'Orphan' });
  await eventually('the end of the Order (Orphan)', async () => await isGone(client, orders, ref('o')));
  isHeld = false;
  const [workflow] = (await client.list<Workflow>(workflows)).items;
  await client.patch(workflows, ref(workflow?.metadata.name ?? ''), { metadata: { labels: { touched: 'yes' } } });
  await eventually(
    'its success',
    async () => (await client.list<ArtifactWorkflow>(artifactWorkflows)).items[0]?.status?.phase === 'Succeeded',
  );
  assert.deepEqual((await client.list(artifactWorkflows)).items[0]?.metadata.ownerReferences ?? [], []);
});
