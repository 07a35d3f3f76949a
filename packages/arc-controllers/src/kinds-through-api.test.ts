import type { Artifact, ArtifactWorkflow, Endpoint, Order } from '@arc/api/arc';
import { artifactTypes, artifactWorkflows, clusterArtifactTypes, endpoints, orders } from '@arc/api/arc';
import type { ArtifactType, ClusterArtifactType } from '@arc/api/arc';
import type { CronWorkflow, Workflow } from '@arc/api/argo';
import { cronWorkflows, workflows } from '@arc/api/argo';
import { parseJson } from '@arc/apimachinery';
import type { KubeObject, ResourceType, UnstructuredObject } from '@arc/apimachinery';
import type { KubeClient } from '@arc/kube-client';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually, phaseOf, setUp, supply } from '../test/api-scenario.ts';
import type { Verdict } from '../test/api-scenario.ts';
import { clusterType, endpoint, namespace, namespacedType, order } from '../test/world.ts';

const ref = { namespace, name: 'o' };
async function listed<T extends KubeObject>(client: KubeClient, type: ResourceType): Promise<readonly T[]> {
  return (await client.list<T>(type, { namespace })).items;
}

function parametersOf({ spec }: Workflow): Record<string, unknown> {
  return Object.fromEntries((spec.arguments?.parameters ?? []).map(({ name, value }) => [name, value]));
}

function withSpec(spec: Partial<NonNullable<Order['spec']>>, name = 'o'): Order {
  const base = order([], { name });
  return { ...base, spec: { ...base.spec, ...spec } };
}

function artifact(image: string, extra: Partial<Artifact> = {}): Artifact {
  return { type: 'oci', spec: { image }, ...extra };
}

test('an artifact goes to each of its destinations by a run of its own, and a change of one runs only that again', async () => {
  await using scenario = await setUp();
  const { client } = scenario;
  await supply(client);
  await client.create(endpoints, endpoint('second'));
  await client.create(
    orders,
    withSpec({ artifacts: [artifact('a', { dstRefs: [{ name: 'dst' }, { name: 'second' }, { name: 'dst' }] })] }),
  );
  await eventually('success', async () => (await phaseOf(client)) === 'Succeeded');
  const runs = await listed<ArtifactWorkflow>(client, artifactWorkflows);
  assert.deepEqual(runs.map(({ spec }) => spec?.dstRef?.name).sort(), ['dst', 'second']);
  const before = (await client.get<Order>(orders, ref)).status?.artifactWorkflows ?? {};
  assert.deepEqual(
    Object.values(before)
      .map(({ artifactIndex, destination, succeeded, failed }) => [artifactIndex, destination, succeeded, failed])
      .sort(),
    [
      [0, 'dst', 1, 0],
      [0, 'second', 1, 0],
    ],
  );

  await client.patch(endpoints, { namespace, name: 'second' }, { spec: { remoteURL: 'https://elsewhere.example.com' } });
  await eventually('one more run, of one destination', async () => {
    const after = (await client.get<Order>(orders, ref)).status?.artifactWorkflows ?? {};
    const kept = Object.keys(before).filter((hash) => hash in after);
    return kept.length === 1 && Object.values(after).every(({ phase }) => phase === 'Succeeded');
  });
  assert.equal((await listed(client, workflows)).length, 3);

  await client.patch(orders, ref, { spec: { artifacts: [artifact('a', { dstRefs: [{ name: 'second' }] })] } });
  await eventually('one destination', async () => (await client.get<Order>(orders, ref)).status?.counts?.total === 1);
  assert.equal((await listed(client, workflows)).length, 3, 'nothing runs again because another destination went');
  await assert.rejects(
    client.create(orders, withSpec({ artifacts: [artifact('b', { dstRef: { name: 'dst' }, dstRefs: [{ name: 'second' }] })] }, 'both')),
    /spec\.artifacts\[0\]\.dstRef: Forbidden/,
  );
});

/** Notes the images of Workflows in the order they run, and lets none end before it is told to. */
function gate(): { readonly seen: string[]; open: boolean; readonly verdict: Verdict } {
  const state = {
    seen: [] as string[],
    open: false,
    verdict: (workflow: Workflow): Workflow['status'] | undefined => {
      const image = String(parametersOf(workflow)['specImage']);
      if (!state.seen.includes(image)) state.seen.push(image);
      return state.open ? { phase: 'Succeeded' } : undefined;
    },
  };
  return state;
}

/** The scripted engine looks at a Workflow whenever it changes. */
async function wake(client: KubeClient): Promise<void> {
  for (const { metadata } of await listed<Workflow>(client, workflows)) {
    await client.patch(workflows, { namespace, name: metadata.name ?? '' }, { metadata: { annotations: { wake: 'up' } } });
  }
}

async function queued(client: KubeClient): Promise<readonly ArtifactWorkflow[]> {
  return (await listed<ArtifactWorkflow>(client, artifactWorkflows)).filter(({ status }) => status?.reason === 'Queued');
}

test('the higher priority of a namespace goes first, that of the type where the Order says none', async () => {
  const engine = gate();
  await using scenario = await setUp(engine.verdict, { limits: { maxActiveWorkflows: 1 } });
  const { client } = scenario;
  await supply(client);
  await client.create(clusterArtifactTypes, clusterType('urgent', { priority: 50 }));
  await client.create(orders, order(['first'], { name: 'first' }));
  await eventually('a start', async () => engine.seen.length === 1);
  await client.create(orders, order(['none'], { name: 'none' }));
  await client.create(orders, withSpec({ artifacts: [artifact('of the type', { type: 'urgent' })] }, 'type'));
  await client.create(orders, withSpec({ priority: 90, artifacts: [artifact('of the order', { type: 'urgent' })] }, 'order'));
  await eventually('three in line', async () => (await queued(client)).length === 3);
  engine.open = true;
  await wake(client);
  await eventually('all to run', async () => engine.seen.length === 4);
  assert.deepEqual(engine.seen, ['first', 'of the order', 'of the type', 'none']);
});

test('an Endpoint is used by as many runs as it says, and by more when it says more', async () => {
  const engine = gate();
  await using scenario = await setUp(engine.verdict);
  const { client } = scenario;
  await supply(client);
  await client.patch(endpoints, { namespace, name: 'dst' }, { spec: { concurrency: 1 } });
  await client.create(orders, order(['a', 'b', 'c']));
  await eventually('one to run and two in line', async () => engine.seen.length === 1 && (await queued(client)).length === 2);
  for (const { status } of await queued(client)) assert.match(status?.message ?? '', /1 of at most 1 runs use the Endpoint "dst"/);
  await client.patch(endpoints, { namespace, name: 'dst' }, { spec: { concurrency: 2 } });
  await eventually('another', async () => engine.seen.length === 2);
  engine.open = true;
  await wake(client);
  await eventually('the end of all', async () => (await phaseOf(client)) === 'Succeeded');
  assert.equal((await client.get<Order>(orders, ref)).status?.counts?.succeeded, 3);
});

test('an Order is Active once only schedules are left of it, and one artifact may stay out of the schedule of the others', async () => {
  await using scenario = await setUp();
  const { client } = scenario;
  await supply(client);
  const cron = {
    schedules: ['0 3 * * *', '0 15 * * MON-FRI'],
    timezone: 'Europe/Berlin',
    concurrencyPolicy: 'Replace',
    startingDeadlineSeconds: 60,
    when: '{{=true}}',
  };
  const defaults = { srcRef: { name: 'src' }, dstRef: { name: 'dst' }, cron };
  await client.create(orders, withSpec({ defaults, artifacts: [artifact('a'), artifact('b', { cron: { disabled: true } })] }));
  await eventually('the Order to be Active', async () => (await phaseOf(client)) === 'Active');
  const { status } = await client.get<Order>(orders, ref);
  assert.deepEqual(
    [
      status?.counts?.succeeded,
      status?.counts?.scheduled,
      status?.counts?.total,
      status?.conditions?.find(({ type }) => type === 'Progressing')?.reason,
    ],
    [1, 1, 2, 'Scheduled'],
  );
  assert.match(status?.nextScheduled ?? '', /^\d{4}-/);
  assert.deepEqual(
    (await listed<Order>(client, orders)).length,
    (await client.list(orders, { namespace, fieldSelector: 'status.phase=Active' })).items.length,
  );
  const [schedule, ...others] = await listed<CronWorkflow>(client, cronWorkflows);
  const { schedules, timezone, concurrencyPolicy, startingDeadlineSeconds, when } = schedule?.spec ?? {};
  assert.deepEqual(
    { schedules, timezone, concurrencyPolicy, startingDeadlineSeconds, when },
    cron,
    'as written (upstream always writes Replace)',
  );
  assert.deepEqual([others, (await listed(client, workflows)).length], [[], 1]);

  // What the engine says of it is told (upstream shows nothing of this).
  const conditions = [{ type: 'SubmissionError', status: 'True', message: 'no such template' }];
  await client.patch(cronWorkflows, { namespace, name: schedule?.metadata.name ?? '' }, { status: { conditions } });
  await eventually('the refusal to be told', async () => {
    const entries = Object.values((await client.get<Order>(orders, ref)).status?.artifactWorkflows ?? {});
    return entries.some(({ reason, message }) => reason === 'SubmissionError' && message === 'no such template');
  });
});

test('what upstream lets pass is refused with its field: usage, address, policy, time zone, runs that come too close', async () => {
  await using scenario = await setUp();
  const { client } = scenario;
  const refused = async (type: ResourceType, object: KubeObject, what: RegExp): Promise<void> => {
    await assert.rejects(client.create(type, object), what, JSON.stringify(object));
  };
  await refused(endpoints, endpoint('e', { usage: 'push' }), /spec\.usage: Unsupported value: "push"/);
  await refused(endpoints, endpoint('e', { remoteURL: 'https://' }), /spec\.remoteURL: Invalid value/);
  const scheduled = (cron: NonNullable<Artifact['cron']>): Order => withSpec({ artifacts: [artifact('a', { cron })] });
  await refused(orders, scheduled({ schedules: ['@daily'], concurrencyPolicy: 'Sometimes' }), /cron\.concurrencyPolicy: Unsupported value/);
  await refused(orders, scheduled({ schedules: ['@daily'], timezone: 'Mars/Base' }), /cron\.timezone: Invalid value/);
  await refused(orders, scheduled({ schedules: ['0,1 3 * * *'] }), /schedules\[0\]: .* two runs may not be less than 10m apart/);
  await refused(orders, scheduled({ schedules: ['0 3 * * *', '5 3 * * *'] }), /schedules: .* whichever of the schedules they are from/);
  await client.create(endpoints, { ...endpoint('e'), spec: { remoteURL: 'registry.example.com' } });
  assert.equal((await client.get<Endpoint>(endpoints, { namespace, name: 'e' })).spec?.usage, 'All', 'the documented default');
});

test('an edited type runs exactly its artifacts again, because its generation is kept; labels and times to keep run nothing', async () => {
  await using scenario = await setUp();
  const { client } = scenario;
  await supply(client);
  await client.create(artifactTypes, namespacedType('local'));
  await client.create(orders, withSpec({ artifacts: [artifact('a'), artifact('b', { type: 'local' })] }));
  await eventually('success', async () => (await phaseOf(client)) === 'Succeeded');
  const type = { name: 'oci' };
  await client.patch(clusterArtifactTypes, type, { metadata: { labels: { team: 'a' } }, spec: { ttlAfterFailed: '24h', priority: 5 } });
  await client.patch(clusterArtifactTypes, type, { spec: { parameters: [{ name: 'severity', value: 'HIGH' }] } });
  await eventually('one more run', async () => (await listed(client, workflows)).length === 3 && (await phaseOf(client)) === 'Succeeded');
  assert.equal((await client.get(clusterArtifactTypes, type)).metadata.generation, 3);
  const images = (await listed<Workflow>(client, workflows)).map(
    (workflow) => `${parametersOf(workflow)['specImage']} ${parametersOf(workflow)['severity']}`,
  );
  assert.deepEqual(images.sort(), ['a HIGH', 'a undefined', 'b undefined']);
  await assert.rejects(client.patch(artifactTypes, { namespace, name: 'local' }, { spec: { priority: 1 } }), /spec is immutable/);
});

test('the spec reaches the Workflow as the JSON that was received, field by field and whole', async () => {
  await using scenario = await setUp();
  const { client } = scenario;
  await supply(client);
  const text = `{"big":9007199254740993,"bytes":10485760,"million":1000000,"half":0.5,"nested":{"deep":{"value":"x"}},"list":["a",["b"],{"c":false}],
    "none":null,"empty":"","nothing":[],"object":{},"":"unnamed","with space":"kept in specJSON","unused":{"never":["asked","for"]}}`;
  const spec = parseJson(text) as Record<string, unknown>;
  await client.create(orders, withSpec({ artifacts: [{ type: 'oci', spec }] }));
  await eventually('success', async () => (await phaseOf(client)) === 'Succeeded');
  const [workflow] = await listed<Workflow>(client, workflows);
  assert.ok(workflow);
  const parameters = parametersOf(workflow);
  assert.deepEqual(Object.fromEntries(Object.entries(parameters).filter(([name]) => name.startsWith('spec') && name !== 'specJSON')), {
    spec: 'unnamed',
    specBig: '9007199254740993',
    specBytes: '10485760',
    specHalf: '0.5',
    specList0: 'a',
    specList10: 'b',
    specList2C: 'false',
    specMillion: '1000000',
    specNestedDeepValue: 'x',
    specUnusedNever0: 'asked',
    specUnusedNever1: 'for',
  });
  const { none: _none, ...rest } = spec;
  assert.deepEqual(parseJson(String(parameters['specJSON'])), rest);
  await assert.rejects(
    client.create(orders, withSpec({ artifacts: [{ type: 'oci', spec: { foo: 1, Foo: 2 } }] }, 'collision')),
    /spec\.artifacts\[0\]\.spec: .*spec\.foo and spec\.Foo both become the parameter specFoo/,
  );
});

test('the longest legal name of an Order gives names that Argo takes, and tells Orders apart', async () => {
  await using scenario = await setUp();
  const { client } = scenario;
  await supply(client);
  const name = (last: string): string => `${'order.'.repeat(42)}${last}`;
  for (const last of ['a', 'b']) await client.create(orders, order(['x'], { name: name(last) }));
  for (const last of ['a', 'b']) await eventually(`success of ${last}`, async () => (await phaseOf(client, name(last))) === 'Succeeded');
  const made = await listed<Workflow>(client, workflows);
  assert.equal(made.length, 2);
  for (const { metadata } of made) {
    assert.match(metadata.name ?? '', /^[a-z0-9](?:[-a-z0-9.]{0,61}[a-z0-9])?$/);
    for (const value of Object.values(metadata.labels ?? {})) assert.ok(value.length <= 63, value);
  }
  await assert.rejects(client.create(orders, order(['x'], { name: `${name('a')}bc` })), /metadata\.name/);
});

test('what an older server has stored is read, changed and run, though it would not be accepted today', async () => {
  const apiVersion = 'arc.opendefense.cloud/v1alpha1';
  const stored = (kind: string, name: string, spec: object): UnstructuredObject => ({
    apiVersion,
    kind,
    metadata: { name, namespace, uid: `uid-of-${kind}-${name}`, creationTimestamp: '2025-11-20T08:00:00Z', generation: 1 },
    spec,
    status: {},
  });
  const colliding = { type: 'oci', srcRef: { name: 'src' }, dstRef: { name: 'dst' }, spec: { foo: 1, Foo: 2 } };
  const fine = { ...colliding, spec: { image: 'a' } };
  await using scenario = await setUp(undefined, {
    stored: [
      stored('Endpoint', 'src', { type: 'oci', remoteURL: 'https://src.example.com', usage: 'push' }),
      stored('Endpoint', 'dst', { type: 'oci', remoteURL: 'https://dst.example.com', usage: '', concurrency: -1 }),
      stored('Order', 'o', { artifacts: [colliding, fine], ttl: '-1h', unheardOf: { field: true } }),
      stored('Order', 'often', { defaults: { cron: { schedules: ['* * * * *'], concurrencyPolicy: 'Sometimes' } }, artifacts: [fine] }),
    ],
  });
  const { client } = scenario;
  await client.create(clusterArtifactTypes, clusterType());
  await eventually('the bad artifacts to say what is wrong', async () => {
    const entries = Object.values((await client.get<Order>(orders, ref)).status?.artifactWorkflows ?? {});
    return entries.length === 2 && entries.every(({ phase }) => phase === 'Failed');
  });
  const reasons = Object.values((await client.get<Order>(orders, ref)).status?.artifactWorkflows ?? {}).map(({ reason }) => reason);
  assert.deepEqual(reasons.sort(), ['EndpointUsage', 'EndpointUsage']);

  await client.patch(endpoints, { namespace, name: 'src' }, { metadata: { labels: { seen: 'yes' } } });
  await client.patch(endpoints, { namespace, name: 'src' }, { spec: { remoteURL: 'https://other.example.com' } });
  await client.patch(orders, ref, { spec: { priority: 3 } });
  await client.patch(orders, { namespace, name: 'often' }, { spec: { suspend: true } });
  await assert.rejects(
    client.patch(endpoints, { namespace, name: 'src' }, { spec: { usage: 'pull' } }),
    /spec\.usage: Unsupported value: "pull"/,
  );
  await assert.rejects(client.patch(orders, ref, { spec: { ttl: '-2h' } }), /spec\.ttl: Invalid value: "-2h"/);

  await client.patch(endpoints, { namespace, name: 'src' }, { spec: { usage: 'PullOnly' } });
  await eventually('the good artifact to run and the colliding one to say so', async () => {
    const entries = Object.values((await client.get<Order>(orders, ref)).status?.artifactWorkflows ?? {});
    return (
      entries
        .map(({ phase, reason }) => reason ?? phase)
        .sort()
        .join() === 'InvalidSpec,Succeeded'
    );
  });
});

test('what never changes may be labelled, annotated and finalized, also where an older server has stored nulls and fields of old', async () => {
  const stored = (kind: string, spec: object): UnstructuredObject => ({
    apiVersion: 'arc.opendefense.cloud/v1alpha1',
    kind,
    metadata: { name: 'old', namespace, uid: `uid-of-${kind}`, creationTimestamp: '2025-11-20T08:00:00Z' },
    spec,
  });
  await using scenario = await setUp(undefined, {
    stored: [
      stored('ArtifactWorkflow', {
        workflowTemplateRef: { name: 'copy', clusterScope: null },
        parameters: [{ name: 'a', value: null }],
        cron: null,
        fieldOfOld: 1,
      }),
      stored('ArtifactType', {
        rules: { srcTypes: null, dstType: ['oci'] },
        parameters: null,
        fieldOfOld: 1,
        workflowTemplateRef: { name: 'copy' },
        ttlAfterFailed: null,
      }),
    ],
  });
  const { client } = scenario;
  for (const type of [artifactWorkflows, artifactTypes]) {
    await client.patch(type, { namespace, name: 'old' }, { metadata: { labels: { seen: 'yes' } } });
    const read = await client.get<KubeObject & { spec?: object }>(type, { namespace, name: 'old' });
    assert.equal(JSON.stringify(read).includes('fieldOfOld'), false);
    await client.update(type, { ...read, metadata: { ...read.metadata, annotations: { note: 'x' } } });
    await assert.rejects(
      client.patch(type, { namespace, name: 'old' }, { spec: { workflowTemplateRef: { name: 'other' } } }),
      /spec is immutable/,
    );
  }
});

test('every selectable field selects', async () => {
  await using scenario = await setUp();
  const { client } = scenario;
  await supply(client);
  const secretRef = { name: 'creds' };
  await client.create(
    endpoints,
    endpoint('other', { type: 's3', usage: 'PushOnly', secretRef, tls: { secretRef }, remoteURL: 's3://bucket' }),
  );
  await client.create(artifactTypes, namespacedType('local'));
  await client.create(orders, order(['a']));
  await client.create(
    orders,
    order(['b'], { name: 'waits', spec: { defaults: { srcRef: { name: 'x' }, dstRef: { name: 'x' } }, artifacts: [artifact('b')] } }),
  );
  await eventually('success', async () => (await phaseOf(client)) === 'Succeeded' && (await phaseOf(client, 'waits')) === 'Pending');
  const cases: [type: ResourceType, selector: string, names: RegExp][] = [
    [orders, 'status.phase=Pending', /^waits$/],
    [orders, 'status.phase!=Pending', /^o$/],
    [artifactWorkflows, 'status.phase=Succeeded,spec.type=oci', /^o-[0-9a-f]{16}$/],
    [artifactWorkflows, 'spec.workflowTemplateRef.name=copy,spec.srcRef.name=src,spec.dstRef.name=dst', /^o-[0-9a-f]{16}$/],
    [artifactWorkflows, 'spec.type=helm', /^$/],
    [endpoints, 'spec.type=s3', /^other$/],
    [endpoints, 'spec.usage=PushOnly,spec.remoteURL=s3://bucket', /^other$/],
    [endpoints, 'spec.secretRef.name=creds,spec.tls.secretRef.name=creds', /^other$/],
    [artifactTypes, 'spec.workflowTemplateRef.name=local', /^local$/],
    [clusterArtifactTypes, 'spec.workflowTemplateRef.name=copy', /^oci$/],
  ];
  for (const [type, fieldSelector, names] of cases) {
    const { items } = await client.list(type, { ...(type.namespaced && { namespace }), fieldSelector });
    assert.match(items.map(({ metadata }) => metadata.name).join(','), names, `${type.plural} ${fieldSelector}`);
  }
  await assert.rejects(
    client.list(orders, { namespace, fieldSelector: 'spec.artifacts=x' }),
    /field label not supported: spec\.artifacts|spec\.artifacts/,
  );
});

test('risky but legal input is accepted with a warning for whoever sends it', async () => {
  await using scenario = await setUp();
  const { client, warnings } = scenario;
  await client.create(
    endpoints,
    endpoint('e', { remoteURL: 'http://plain.example.com', secretRef: { name: 's' }, tls: { serverName: 'x.example' } }),
  );
  await client.create<ClusterArtifactType>(clusterArtifactTypes, clusterType('t', { workflowTemplateRef: { name: '' } }));
  await client.create<ArtifactType>(artifactTypes, namespacedType('t', { parameters: [{ name: 'dryRun', value: 'false' }] }));
  await client.create(orders, withSpec({ priority: 101, artifacts: [artifact('a'), artifact('a')] }));
  for (const expected of [
    /travel unencrypted/,
    /spec\.tls has no effect/,
    /cannot be transferred/,
    /no effect on dry runs/,
    /counts as 100/,
    /transferred once with it/,
  ]) {
    assert.match(warnings.join('\n'), expected);
  }
  assert.equal(warnings.length, 6);
});
