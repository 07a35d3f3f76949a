import assert from 'node:assert/strict';
import { test } from 'node:test';
import { objectSchemaOf, prune, validateSchema } from '@arc/apimachinery';
import type { KindDefinition, StructuralSchema, UnstructuredObject } from '@arc/apimachinery';
import { coreKinds } from './kinds.ts';
import { leaseDefinition } from './lease.ts';
import { selfSubjectAccessReviewDefinition } from './self-subject-access-review.ts';
import { selfSubjectRulesReviewDefinition } from './self-subject-rules-review.ts';
import { localSubjectAccessReviewDefinition, subjectAccessReviewDefinition } from './subject-access-review.ts';
import { tokenReviewDefinition } from './token-review.ts';

const served: readonly KindDefinition[] = coreKinds.flatMap((kind) => [
  kind,
  ...(kind.servedAlsoAs ?? []).map(({ definition }) => definition),
]);

function visit(schema: StructuralSchema, path: string, look: (schema: StructuralSchema, path: string) => void): void {
  look(schema, path);
  for (const [name, property] of Object.entries(schema.properties ?? {})) visit(property, `${path}.${name}`, look);
  if (schema.items !== undefined) visit(schema.items, `${path}[]`, look);
  if (schema.additionalProperties !== undefined) visit(schema.additionalProperties, `${path}{}`, look);
}

test('no two kinds share a URL or a kind', () => {
  const urls = served.map(({ group, version, names }) => `${group}/${version}/${names.plural}`);
  assert.equal(new Set(urls).size, urls.length);
  assert.equal(urls.length, 14);
});

test('every field that kubectl explain shows has a description', () => {
  const missing: string[] = [];
  for (const { kind, schema } of served) {
    for (const [name, property] of Object.entries(schema.properties ?? {})) {
      visit(property, `${kind}.${name}`, (found, path) => {
        const isNamed = !path.endsWith('[]') && !path.endsWith('{}');
        const isState = /\.(lastState|state)\.(running|terminated|waiting)$/.test(path);
        const isStatusOrSpec = /^\w+\.(spec|status)$/.test(path);
        if (isNamed && !isState && !isStatusOrSpec && found.description === undefined) missing.push(path);
      });
    }
  }
  assert.deepEqual(missing, []);
});

test('lists merge by a key their entries have', () => {
  for (const { kind, schema } of served) {
    visit(schema, kind, (found, path) => {
      const keys = [...(found['x-kubernetes-list-map-keys'] ?? []), found['x-kubernetes-patch-merge-key']].filter(
        (key) => key !== undefined,
      );
      for (const key of keys) assert.ok(found.items?.properties?.[key] !== undefined, `${path} merges by ${key}`);
      assert.equal(
        found['x-kubernetes-patch-merge-key'] !== undefined,
        found['x-kubernetes-patch-strategy']?.includes('merge') ?? false,
        path,
      );
    });
  }
});

test('selectable fields are scalars of the schema', () => {
  for (const { kind, schema, selectableFields = [] } of served) {
    for (const path of selectableFields) {
      const found = path.split('.').reduce<StructuralSchema | undefined>((at, name) => at?.properties?.[name], schema);
      assert.equal(found?.type, 'string', `${kind} ${path}`);
    }
  }
});

test('stored core kinds take strategic merge patches; reviews can only be created', () => {
  for (const { kind, verbs, strategicMergePatch } of served) {
    if (kind.endsWith('Review')) assert.deepEqual(verbs, ['create'], kind);
    else assert.ok(strategicMergePatch === true && verbs === undefined, kind);
  }
});

test('what typed clients write is accepted as protobuf', () => {
  for (const { group, kind, protobuf } of served) assert.equal(typeof protobuf, 'function', `${group} ${kind}`);
});

test('a review asks about exactly one thing', () => {
  const fieldsOf = (spec: object): string[] =>
    (
      selfSubjectAccessReviewDefinition.strategy?.validate?.({
        apiVersion: 'authorization.k8s.io/v1',
        kind: 'SelfSubjectAccessReview',
        metadata: {},
        spec,
      }) ?? []
    ).map(({ field }) => field);
  assert.deepEqual(fieldsOf({ resourceAttributes: {} }), []);
  assert.deepEqual(fieldsOf({ nonResourceAttributes: {} }), []);
  assert.deepEqual(fieldsOf({}), ['spec.resourceAttributes']);
  assert.deepEqual(fieldsOf({ resourceAttributes: {}, nonResourceAttributes: {} }), ['spec.nonResourceAttributes']);
  const rules = { apiVersion: 'authorization.k8s.io/v1', kind: 'SelfSubjectRulesReview', metadata: {} };
  const rulesErrors = (spec: { namespace?: string }) => selfSubjectRulesReviewDefinition.strategy?.validate?.({ ...rules, spec }) ?? [];
  assert.equal(rulesErrors({}).length, 1);
  assert.equal(rulesErrors({ namespace: 'default' }).length, 0);
});

test('a review of others names a subject, a local one no path, a token review a token', () => {
  const fieldsOf = (definition: KindDefinition, spec: Record<string, unknown>): string[] => {
    const object: UnstructuredObject = { apiVersion: 'authorization.k8s.io/v1', kind: definition.kind, metadata: {}, spec };
    return (definition.strategy?.validate?.(object) ?? []).map(({ field }) => field);
  };
  const path = { nonResourceAttributes: { path: '/x', verb: 'get' } };
  assert.deepEqual(fieldsOf(subjectAccessReviewDefinition, { ...path, user: 'u' }), []);
  assert.deepEqual(fieldsOf(subjectAccessReviewDefinition, { ...path, groups: ['g'] }), []);
  assert.deepEqual(fieldsOf(subjectAccessReviewDefinition, path), ['spec.user']);
  assert.deepEqual(fieldsOf(localSubjectAccessReviewDefinition, { ...path, user: 'u' }), ['spec.nonResourceAttributes']);
  assert.deepEqual(fieldsOf(tokenReviewDefinition, {}), ['spec.token']);
});

test('a lease lasts longer than nothing', () => {
  const fieldsOf = (spec: object): string[] =>
    (leaseDefinition.strategy?.validate?.({ apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: {}, spec }) ?? []).map(
      ({ field }) => field,
    );
  assert.deepEqual(fieldsOf({ leaseDurationSeconds: 15, leaseTransitions: 0 }), []);
  assert.deepEqual(fieldsOf({ leaseDurationSeconds: 0, leaseTransitions: -1 }), ['spec.leaseDurationSeconds', 'spec.leaseTransitions']);
});

/** As Go clients write them, without the nulls that the server drops from core kinds before it looks at them. */
const samples: readonly UnstructuredObject[] = [
  { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'a' }, spec: {}, status: {} },
  { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'a' }, type: 'Opaque', data: { a: 'MQ==' } },
  { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' }, data: { a: '1' }, binaryData: { b: 'MQ==' }, immutable: true },
  {
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: { name: 'a' },
    secrets: [{ name: 's' }],
    imagePullSecrets: [{ name: 'p' }],
    automountServiceAccountToken: false,
  },
  {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name: 'a' },
    involvedObject: { kind: 'Order', namespace: 'n', name: 'o', uid: 'u', apiVersion: 'v1', resourceVersion: '1', fieldPath: 'spec' },
    reason: 'R',
    message: 'm',
    source: { component: 'c', host: 'h' },
    firstTimestamp: '2026-01-01T00:00:00Z',
    lastTimestamp: '2026-01-01T00:00:00Z',
    count: 2,
    type: 'Normal',
    eventTime: '2026-01-01T00:00:00.123456Z',
    series: { count: 2, lastObservedTime: '2026-01-01T00:00:00.123456Z' },
    action: 'A',
    related: { name: 'r' },
    reportingComponent: 'c',
    reportingInstance: 'i',
  },
  {
    apiVersion: 'events.k8s.io/v1',
    kind: 'Event',
    metadata: { name: 'a' },
    eventTime: '2026-01-01T00:00:00.123456Z',
    series: { count: 2, lastObservedTime: '2026-01-01T00:00:00.123456Z' },
    reportingController: 'c',
    reportingInstance: 'i',
    action: 'A',
    reason: 'R',
    regarding: { name: 'o' },
    related: { name: 'r' },
    note: 'n',
    type: 'Warning',
    deprecatedSource: { component: 'c' },
    deprecatedFirstTimestamp: '2026-01-01T00:00:00Z',
    deprecatedLastTimestamp: '2026-01-01T00:00:00Z',
    deprecatedCount: 1,
  },
  {
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: { name: 'a' },
    spec: {
      holderIdentity: 'h',
      leaseDurationSeconds: 15,
      acquireTime: '2026-01-01T00:00:00.123456Z',
      renewTime: '2026-01-01T00:00:00.123456Z',
      leaseTransitions: 0,
    },
  },
  {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'a' },
    spec: {
      containers: [{ name: 'main', image: 'i', env: [{ name: 'A', valueFrom: { secretKeyRef: { name: 's', key: 'k' } } }], resources: {} }],
      volumes: [{ name: 'v', emptyDir: {} }],
      hostNetwork: true,
      restartPolicy: 'Never',
    },
    status: {
      phase: 'Running',
      podIPs: [{ ip: '127.0.0.1' }],
      containerStatuses: [
        {
          name: 'main',
          ready: true,
          restartCount: 0,
          state: { running: { startedAt: '2026-01-01T00:00:00Z' } },
          lastState: {},
          allocatedResources: {},
        },
      ],
      conditions: [{ type: 'Ready', status: 'True', observedGeneration: 1 }],
    },
  },
  {
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SelfSubjectAccessReview',
    metadata: {},
    spec: { resourceAttributes: { verb: 'get', resource: 'pods', namespace: 'n', group: '', version: '*', subresource: 'log', name: 'p' } },
    status: { allowed: false },
  },
  {
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SelfSubjectRulesReview',
    metadata: {},
    spec: { namespace: 'n' },
    status: {
      resourceRules: [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'] }],
      nonResourceRules: [{ verbs: ['get'] }],
      incomplete: false,
    },
  },
  {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'SelfSubjectReview',
    metadata: {},
    status: { userInfo: { username: 'u', extra: { k: ['v'] } } },
  },
  {
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SubjectAccessReview',
    metadata: {},
    spec: { nonResourceAttributes: { path: '/x', verb: 'get' }, user: 'u', groups: ['g'], uid: '1', extra: { k: ['v'] } },
    status: { allowed: true, reason: 'r' },
  },
  {
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'LocalSubjectAccessReview',
    metadata: { namespace: 'n' },
    spec: { resourceAttributes: { namespace: 'n', verb: 'get', resource: 'pods' }, groups: ['g'] },
  },
  {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenReview',
    metadata: {},
    spec: { token: 't', audiences: ['a'] },
    status: { authenticated: true, user: { username: 'u', groups: ['g'] } },
  },
];

test('what real clients write passes whole', () => {
  for (const sample of samples) {
    const definition = served.find(
      ({ group, version, kind }) => sample.apiVersion === (group === '' ? version : `${group}/${version}`) && kind === sample.kind,
    );
    assert.ok(definition !== undefined, sample.kind);
    const schema = objectSchemaOf(definition);
    const object = structuredClone(sample);
    assert.deepEqual(prune(object, schema), [], sample.kind);
    assert.deepEqual(object, sample);
    assert.deepEqual(validateSchema(object, schema, ''), [], sample.kind);
  }
  assert.equal(samples.length, served.length);
});
