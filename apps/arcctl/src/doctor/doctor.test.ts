import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { clusterArtifactTypes, endpoints, orders } from '@arc/api/arc';
import { clusterWorkflowTemplates } from '@arc/api/argo';
import { leases, namespaces, serviceAccounts, subjectAccessReviews } from '@arc/api/core';
import { failure, type KubeObject } from '@arc/apimachinery';
import { memoryStreams } from '@arc/cli-kit';
import { FakeClock } from '@arc/kernel';
import { createFakeClient, type FakeClient } from '@arc/kube-client/fake';
import { runCli } from '../run-cli.ts';
import { startTestServer, type TestServer } from '../testing/test-server.ts';
import { apiServices } from './apis.ts';

const arc = 'arc.opendefense.cloud/v1alpha1';
let server: TestServer;
before(async () => void (server = await startTestServer()));
after(() => server[Symbol.asyncDispose]());

test('a standalone server is looked at without what only clusters have', async () => {
  const first = await server.arcctl(['doctor']);
  assert.equal(first.code, 0, first.stdout);
  assert.match(first.stdout, /^ok +Server: a server of ARC by itself, v/);
  assert.match(first.stdout, /^ok +APIs: arc\.opendefense\.cloud\/v1alpha1 is served$/m);
  assert.match(first.stdout, /^warning +Artifact types: there are none.*\n +-> Apply some of examples/m);
  assert.equal(/APIService|Controllers|Rights/.test(first.stdout), false);

  await server.client.create(clusterArtifactTypes, {
    ...{ apiVersion: arc, kind: 'ClusterArtifactType', metadata: { name: 'oci' } },
    spec: { workflowTemplateRef: { name: 'gone', clusterScope: true } },
  });
  const second = await server.arcctl(['doctor', '-o', 'json']);
  assert.equal(second.code, 1);
  const report = JSON.parse(second.stdout) as { healthy: boolean; findings: readonly { id: string; verdict: string; seen: string }[] };
  assert.equal(report.healthy, false);
  assert.deepEqual(
    report.findings.filter(({ verdict }) => verdict === 'failed').map(({ id, seen }) => `${id}: ${seen}`),
    ['types: templates are missing of oci (clusterworkflowtemplate/gone)'],
  );
});

interface ClusterState {
  readonly groups?: readonly string[];
  readonly available?: { readonly status: string; readonly reason: string; readonly message: string };
  readonly renewedSecondsAgo?: number;
  readonly refuse?: (attributes: { readonly resource: string; readonly verb: string }) => boolean;
  readonly objects?: readonly (readonly [Parameters<FakeClient['put']>[0], KubeObject])[];
}

const both = [arc, 'argoproj.io/v1alpha1'];
const now = Date.parse('2026-01-01T00:00:00Z');

async function examine(state: ClusterState, ...args: readonly string[]): Promise<{ readonly code: number; readonly text: string }> {
  const {
    groups = both,
    available = { status: 'True', reason: 'Passed', message: '' },
    renewedSecondsAgo = 3,
    refuse = () => false,
  } = state;
  const clock = new FakeClock(now);
  const lease = (namespace: string, name: string): readonly [typeof leases, KubeObject] => [
    leases,
    {
      ...{ apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { namespace, name } },
      spec: { holderIdentity: `${name}-0`, leaseDurationSeconds: 15, renewTime: new Date(now - renewedSecondsAgo * 1000).toISOString() },
    } as KubeObject,
  ];
  const client = createFakeClient({
    clock,
    objects: [
      [
        apiServices,
        {
          ...{ apiVersion: 'apiregistration.k8s.io/v1', kind: 'APIService', metadata: { name: 'v1alpha1.arc.opendefense.cloud' } },
          spec: { service: { namespace: 'zone', name: 'arc-apiserver' } },
          status: { conditions: [{ type: 'Available', ...available }] },
        } as KubeObject,
      ],
      lease('zone', 'arc.opendefense.cloud'),
      lease('argo', 'workflow-controller'),
      ...(state.objects ?? []),
    ],
  });
  using _answers = client.onRaw(({ path }) => {
    const body = (value: unknown): AsyncIterable<Uint8Array> =>
      (async function* () {
        yield await Promise.resolve(Buffer.from(JSON.stringify(value)));
      })();
    if (path === '/version') return { status: 200, headers: {}, body: body({ gitVersion: 'v1.33.4' }) };
    if (path === '/apis/apiregistration.k8s.io/v1') return { status: 200, headers: {}, body: body({}) };
    if (!groups.some((group) => path === `/apis/${group}`))
      throw failure(404, 'NotFound', 'the server could not find the requested resource');
    const resources = ['orders', 'artifactworkflows', 'endpoints', 'workflows', 'cronworkflows'].map((name) => ({ name }));
    return { status: 200, headers: {}, body: body({ resources }) };
  });
  const connected = Object.assign(Object.create(client) as FakeClient, {
    create: async (type: Parameters<FakeClient['create']>[0], object: KubeObject): Promise<KubeObject> => {
      if (type !== subjectAccessReviews) return await client.create(type, object);
      const { spec } = object as KubeObject & { readonly spec: { readonly resourceAttributes: { resource: string; verb: string } } };
      return { ...object, status: { allowed: !refuse(spec.resourceAttributes) } } as KubeObject;
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  });
  const streams = memoryStreams();
  const code = await runCli(['doctor', ...args], {
    ...{ streams, environment: {}, clock, signal: new AbortController().signal },
    connect: () =>
      Promise.resolve({
        client: connected,
        namespace: 'default',
        isNamespaceExplicit: false,
        [Symbol.asyncDispose]: () => Promise.resolve(),
      }),
  });
  return { code, text: `${streams.stdout.text}${streams.stderr.text}` };
}

const namespace = (name: string, status: object = {}, metadata: object = {}): readonly [typeof namespaces, KubeObject] => [
  namespaces,
  { apiVersion: 'v1', kind: 'Namespace', metadata: { name, ...metadata }, status } as KubeObject,
];

test('a cluster in which all is well', async () => {
  const { code, text } = await examine({
    objects: [
      namespace('team'),
      [serviceAccounts, { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { namespace: 'team', name: 'arc-workflow' } }],
      [
        orders,
        { apiVersion: arc, kind: 'Order', metadata: { namespace: 'team', name: 'one' }, status: { phase: 'Succeeded' } } as KubeObject,
      ],
      [clusterWorkflowTemplates, { apiVersion: 'argoproj.io/v1alpha1', kind: 'ClusterWorkflowTemplate', metadata: { name: 'copy' } }],
      [
        clusterArtifactTypes,
        {
          ...{ apiVersion: arc, kind: 'ClusterArtifactType', metadata: { name: 'oci' } },
          spec: { workflowTemplateRef: { name: 'copy', clusterScope: true } },
        } as KubeObject,
      ],
    ],
  });
  assert.equal(code, 0, text);
  assert.deepEqual(text.trimEnd().split('\n'), [
    'ok       Server: a cluster, v1.33.4',
    'ok       APIService: v1alpha1.arc.opendefense.cloud leads to zone/arc-apiserver and is available',
    'ok       APIs: arc.opendefense.cloud/v1alpha1 is served',
    'ok       APIs: argoproj.io/v1alpha1 is served',
    'ok       Rights: zone/arc-controller-manager may do what the controllers do',
    'ok       Controllers: arc.opendefense.cloud-0 leads the controllers',
    "ok       Argo Workflows: workflow-controller-0 leads Argo's controller of argo",
    'ok       Namespaces with Orders: each of 1 has an account for the pods of its Workflows',
    'ok       Namespaces: none is being deleted',
    'ok       Artifact types: 1, whose templates are all there',
    'ok       Endpoints: 0, none of which is known to be unusable',
    'ok       Orders: 1 Succeeded',
  ]);
});

const reasons: readonly (readonly [string, string, RegExp])[] = [
  ['ServiceNotFound', 'service/arc-apiserver in "zone" is not present', /-> The Service zone\/arc-apiserver is gone: helm upgrade/],
  ['MissingEndpoints', 'endpoints for service have no addresses', /-> No pod behind the Service zone\/arc-apiserver is ready/],
  [
    'FailedDiscoveryCheck',
    'tls: failed to verify certificate: x509: unknown authority',
    /-> It trusts another authority .*serving-certificate/,
  ],
  [
    'FailedDiscoveryCheck',
    'bad status from https://10.96.0.12:443/apis: 403',
    /-> A pod of zone\/arc-apiserver answers, but refuses: .*extension-apiserver/,
  ],
  ['FailedDiscoveryCheck', 'dial tcp 10.0.0.3:6443: connect: connection refused', /-> Nothing listens behind zone\/arc-apiserver/],
  ['FailedDiscoveryCheck', 'context deadline exceeded', /-> The control plane does not reach the pods .*network policies/],
];
for (const [reason, message, remedy] of reasons) {
  test(`an APIService that is not available, ${reason}: ${message}`, async () => {
    const { code, text } = await examine({ available: { status: 'False', reason, message }, groups: ['argoproj.io/v1alpha1'] });
    assert.equal(code, 1);
    assert.match(text, remedy);
    assert.match(text, /^FAILED +APIs: arc\.opendefense\.cloud\/v1alpha1 is not served$/m);
  });
}

test('what is missing for the work is told with what to do', async () => {
  const { code, text } = await examine({
    renewedSecondsAgo: 300,
    groups: [arc],
    refuse: ({ resource, verb }) => resource === 'workflows' && verb === 'create',
    objects: [
      namespace('team'),
      namespace(
        'old',
        { conditions: [{ type: 'NamespaceContentRemaining', status: 'True', message: 'Some resources are remaining.' }] },
        { deletionTimestamp: '2025-12-31T00:00:00Z', finalizers: ['kubernetes'] },
      ),
      [orders, { apiVersion: arc, kind: 'Order', metadata: { namespace: 'team', name: 'one' }, status: { phase: 'Failed' } } as KubeObject],
      [
        endpoints,
        {
          ...{ apiVersion: arc, kind: 'Endpoint', metadata: { namespace: 'team', name: 'dst' } },
          status: { conditions: [{ type: 'Ready', status: 'False', reason: 'Unauthorized', message: '', lastTransitionTime: '' }] },
        } as KubeObject,
      ],
    ],
  });
  assert.equal(code, 1);
  assert.match(text, /^FAILED +APIs: argoproj\.io\/v1alpha1 is not served\n +-> Install Argo Workflows/m);
  assert.match(text, /^FAILED +Rights: zone\/arc-controller-manager may not create workflows\.argoproj\.io in all namespaces\n/m);
  assert.match(text, /^FAILED +Controllers: .* has not been heard of for 300 s\n +-> Look at the pods of arc-controller-manager in zone/m);
  assert.match(text, /^FAILED +Namespaces with Orders: pods of Workflows cannot report as team\/arc-workflow/m);
  assert.match(text, /^warning +Namespaces: being deleted: old \(Some resources are remaining\.\)\n/m);
  assert.match(text, /^warning +Endpoints: not ready: team\/dst \(Unauthorized\)\n/m);
  assert.match(text, /^warning +Orders: 1 Failed; failed: team\/one\n/m);
});
