import type { Workflow } from '@arc/api/argo';
import { namespaces } from '@arc/api/core';
import type { Secret } from '@arc/api/core';
import { statusError } from '@arc/apimachinery';
import type { RawResponse } from '@arc/kube-client';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import {
  artifactWorkflows,
  clusterArtifactTypes,
  clusterType,
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

const queue = 'kueue.x-k8s.io/queue-name';
const priorityClass = 'kueue.x-k8s.io/priority-class';
const finished = { finishedAt: '2026-01-01T00:01:00Z' };

async function handedOver(world: World): Promise<Workflow> {
  await world.settle();
  const [workflow] = world.workflows();
  assert.ok(workflow !== undefined);
  return workflow;
}

function argument({ spec }: Workflow, name: string): unknown {
  return spec.arguments?.parameters?.find((parameter) => parameter.name === name)?.value;
}

function answer(text: string): RawResponse {
  return {
    status: 200,
    headers: {},
    body: (async function* () {
      yield await Promise.resolve(Buffer.from(text));
    })(),
  };
}

test('queue and ServiceAccount are those of the namespace, the queue of an Order wins, and so does its priority', async () => {
  await using world = await createWorld({}, { handOver: { instanceId: 'zone-a', serviceAccountName: 'arc' } });
  supply(world);
  world.apply(clusterArtifactTypes, clusterType('oci', { priority: 3 }));
  await world.settle();
  world.apply(orders, order(['plain'], { name: 'plain' }));
  const plain = await handedOver(world);
  assert.deepEqual([plain.spec.serviceAccountName, plain.spec.priority, plain.spec.podMetadata], ['arc', 3, undefined]);
  assert.equal(plain.metadata.labels?.['workflows.argoproj.io/controller-instanceid'], 'zone-a');

  world.apply(namespaces, {
    ...{ apiVersion: 'v1', kind: 'Namespace' },
    metadata: {
      name: namespace,
      labels: { [queue]: 'shared', [priorityClass]: 'low' },
      annotations: { 'arc.opendefense.cloud/service-account': 'own' },
    },
  });
  await world.settle();
  const urgent = order(['urgent'], { name: 'urgent', metadata: { labels: { [priorityClass]: 'high' } } });
  world.apply(orders, { ...urgent, spec: { ...urgent.spec, priority: -2 } });
  await world.settle();
  const { spec } = world.workflows().find(({ metadata }) => metadata.name?.startsWith('urgent')) ?? {};
  assert.deepEqual([spec?.serviceAccountName, spec?.priority], ['own', -2]);
  assert.deepEqual(spec?.podMetadata, { labels: { [queue]: 'shared', [priorityClass]: 'high' } });
});

test('a template that brings its volumes gets the names of the Secrets, and of one there is none of', async () => {
  await using world = await createWorld({}, { handOver: { volumesFrom: 'template' } });
  supply(world);
  world.apply(endpoints, endpoint('dst', { secretRef: { name: 'creds' } }));
  world.apply(secrets, secret('creds', { password: 'hunter2hunter2' }));
  world.apply(clusterArtifactTypes, clusterType('oci', { parameters: [{ name: 'queueName', value: 'mine' }] }));
  world.apply(orders, order(['a']));
  const workflow = await handedOver(world);
  assert.deepEqual(Object.keys(workflow.spec).sort(), ['arguments', 'workflowTemplateRef']);
  assert.deepEqual(
    [argument(workflow, 'dstSecretName'), argument(workflow, 'srcSecretName'), argument(workflow, 'queueName')],
    ['creds', `${workflow.metadata.name}-none`, 'mine'],
  );
  const names = (workflow.spec.arguments?.parameters ?? []).map(({ name }) => name);
  assert.equal(new Set(names).size, names.length, 'no name twice');
});

test('no value of a Secret that a template brings itself is shown', async () => {
  await using world = await createWorld({}, { handOver: { volumesFrom: 'template' } });
  supply(world);
  world.apply(endpoints, endpoint('dst', { secretRef: { name: 'creds' } }));
  world.apply(secrets, secret('creds', { password: 'hunter2hunter2' }));
  world.apply(secrets, secret('signing', { key: 'keykeykey' }));
  world.apply(secrets, secret('proxy', { url: 'proxyproxy' }));
  world.apply(orders, order(['a']));
  const { metadata } = await handedOver(world);
  using _ = world.client.onRaw(() => answer('hunter2hunter2 keykeykey proxyproxy'));
  world.report(metadata.name ?? '', {
    ...{ phase: 'Failed', ...finished },
    nodes: { p: podNode('p-1', { phase: 'Failed' }) },
    storedWorkflowTemplateSpec: {
      volumes: [{ name: 'src', secret: { secretName: '{{workflow.parameters.dstSecretName}}', optional: true } }],
      templates: [
        {
          name: 't',
          volumes: [{ name: 'own', projected: { sources: [{ secret: { name: 'signing' } }] } }],
          container: { image: 'i', env: [{ name: 'P', valueFrom: { secretKeyRef: { name: 'proxy', key: 'url' } } }] },
        },
      ],
    },
  });
  await world.settle();
  assert.equal(world.runs()[0]?.status?.logTail, '[redacted] [redacted] [redacted]');
});

test('the log of a step that fails while others run is kept, for its pod may be gone when they end', async () => {
  await using world = await createWorld();
  supply(world);
  world.apply(orders, order(['a']));
  const name = (await handedOver(world)).metadata.name ?? '';
  const nodes = {
    a: podNode('n-1', { displayName: 'scan', phase: 'Failed' }),
    b: podNode('n-2', { displayName: 'push', phase: 'Running' }),
  };
  let isThere = true;
  let asked = 0;
  using _ = world.client.onRaw(() => {
    asked++;
    if (!isThere) throw new Error('no such pod');
    return answer('error: it has a virus\n');
  });
  world.report(name, { phase: 'Running', startedAt: '2026-01-01T00:00:01Z', nodes });
  await world.settle();
  const { phase, logTail } = world.runs()[0]?.status ?? {};
  assert.deepEqual([phase, logTail], ['Running', 'error: it has a virus']);
  world.report(name, { phase: 'Running', progress: '1/2' });
  await world.settle();
  assert.equal(asked, 1, 'once');
  assert.equal(world.runs()[0]?.status?.logTail, 'error: it has a virus');
  isThere = false;
  world.report(name, { phase: 'Failed', ...finished, nodes: { ...nodes, b: podNode('n-2', { displayName: 'push' }) } });
  await world.settle();
  const { status } = world.runs()[0] ?? {};
  assert.equal(status?.logTail, 'error: it has a virus');
  assert.match(status?.message ?? '', /^Step 'scan' failed: it has a virus\n/);
});

test('the log of an attempt that failed is forgotten when the next one succeeds', async () => {
  await using world = await createWorld();
  supply(world);
  world.apply(orders, order(['a']));
  const name = (await handedOver(world)).metadata.name ?? '';
  const attempt = podNode('n-1', { phase: 'Failed' });
  const retry = podNode('r', { type: 'Retry', phase: 'Running', children: ['n-1'] });
  using _ = world.client.onRaw(() => answer('error: connection reset\n'));
  world.report(name, { phase: 'Running', nodes: { r: retry, 'n-1': attempt } });
  await world.settle();
  assert.equal(world.runs()[0]?.status?.logTail, 'error: connection reset');
  const done = { r: { ...retry, phase: 'Succeeded' as const, children: ['n-1', 'n-2'] }, 'n-1': attempt, 'n-2': podNode('n-2') };
  world.report(name, { phase: 'Succeeded', ...finished, nodes: done });
  await world.settle();
  assert.deepEqual([world.runs()[0]?.status?.phase, world.runs()[0]?.status?.logTail], ['Succeeded', undefined]);
});

test('nodes that Argo has compressed are read, those in its database or unreadable are done without', async () => {
  await using world = await createWorld();
  supply(world);
  world.apply(orders, order(['compressed', 'offloaded', 'unreadable']));
  await world.settle();
  const nodes = JSON.stringify({ p: podNode('p-1', { displayName: 'push', phase: 'Failed', message: 'exit code 1' }) });
  const statuses: Readonly<Record<string, Workflow['status']>> = {
    compressed: { compressedNodes: gzipSync(nodes).toString('base64') },
    offloaded: { offloadNodeStatusVersion: 'fnv:123', message: 'child failed' },
    unreadable: { compressedNodes: 'KLUv/SQ', message: 'child failed' },
  };
  for (const workflow of world.workflows()) {
    world.report(workflow.metadata.name ?? '', { phase: 'Failed', ...finished, ...statuses[String(argument(workflow, 'specImage'))] });
  }
  await world.settle();
  assert.deepEqual(
    world.entries().map(({ message }) => message),
    ["Step 'push' failed: exit code 1", 'child failed', 'child failed'],
  );
});

test('a Workflow that is taken up again after its failure is followed, with its configuration', async () => {
  await using world = await createWorld();
  supply(world);
  world.apply(clusterArtifactTypes, clusterType('oci', { renderConfig: true }));
  world.apply(orders, order(['a']));
  const name = (await handedOver(world)).metadata.name ?? '';
  const config = world.client.peek<Secret>(secrets, { namespace, name: `${name}-config` });
  world.report(name, { phase: 'Failed', startedAt: '2026-01-01T00:00:01Z', ...finished, message: 'no luck' });
  await world.settle();
  assert.equal(world.order().status?.phase, 'Failed');
  assert.equal(world.client.peek(secrets, { namespace, name: `${name}-config` }), undefined);
  world.client.put(workflows, {
    ...(await handedOver(world)),
    status: { phase: 'Running', startedAt: '2026-01-01T00:00:01Z' },
  } as Workflow);
  await world.settle();
  const { phase, failureTime, message } = world.runs()[0]?.status ?? {};
  assert.deepEqual([phase, failureTime, message], ['Running', undefined, undefined]);
  assert.deepEqual(world.client.peek<Secret>(secrets, { namespace, name: `${name}-config` })?.data, config?.data);
  await runAll(world);
  assert.equal(world.order().status?.phase, 'Succeeded');
  assert.equal(creations(world, workflows).length, 1);
});

test('a failure that the informer of Workflows does not know of yet stays one', async () => {
  await using world = await createWorld();
  supply(world);
  world.apply(orders, order(['a']));
  const name = (await handedOver(world)).metadata.name ?? '';
  world.report(name, { phase: 'Failed', ...finished });
  await world.settle();
  using _ = world.client.onRequest(({ verb, type }) => {
    if (verb === 'get' && type?.plural === 'workflows') throw statusError.notFound({ group: 'argoproj.io', plural: 'workflows' }, name);
  });
  world.client.put(workflows, { ...(await handedOver(world)), status: { phase: 'Running' } } as Workflow);
  await world.settle();
  assert.equal(world.runs()[0]?.status?.phase, 'Failed');
});

test('where it is so wanted, a Workflow that vanishes is a failure, which may be retried', async () => {
  await using world = await createWorld({}, { handOver: { onVanished: 'fail' } });
  supply(world);
  world.apply(orders, order(['a']));
  const name = (await handedOver(world)).metadata.name ?? '';
  world.report(name, { phase: 'Running', startedAt: '2026-01-01T00:00:01Z' });
  await world.settle();
  await world.client.delete(workflows, { namespace, name });
  await world.settle();
  const { phase, reason, message } = world.runs()[0]?.status ?? {};
  assert.deepEqual([phase, reason], ['Failed', 'WorkflowVanished']);
  assert.match(message ?? '', /what it has done is not known/);
  assert.equal(world.order().status?.phase, 'Failed');
  assert.equal(creations(world, workflows).length, 1);
  world.apply(orders, { ...world.order(), metadata: { ...world.order().metadata, annotations: { 'arc.opendefense.cloud/retry': '1' } } });
  await runAll(world);
  assert.equal(world.order().status?.phase, 'Succeeded');
  assert.equal(world.client.peekAll(artifactWorkflows).length, 1);
});
