import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KindDefinition, StructuralSchema } from '@arc/apimachinery';
import { coreKinds } from './kinds.ts';
import { leaseDefinition } from './lease.ts';
import { selfSubjectAccessReviewDefinition } from './self-subject-access-review.ts';
import { selfSubjectRulesReviewDefinition } from './self-subject-rules-review.ts';

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
  assert.equal(urls.length, 11);
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

test('a lease lasts longer than nothing', () => {
  const fieldsOf = (spec: object): string[] =>
    (leaseDefinition.strategy?.validate?.({ apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: {}, spec }) ?? []).map(
      ({ field }) => field,
    );
  assert.deepEqual(fieldsOf({ leaseDurationSeconds: 15, leaseTransitions: 0 }), []);
  assert.deepEqual(fieldsOf({ leaseDurationSeconds: 0, leaseTransitions: -1 }), ['spec.leaseDurationSeconds', 'spec.leaseTransitions']);
});
