import type { KindDefinition, UnstructuredObject } from '@arc/apimachinery';
import { applyDefaults, objectSchemaOf, prune } from '@arc/apimachinery';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { arcKinds } from './index.ts';

const one = (...values: unknown[]): fc.Arbitrary<unknown> => fc.constantFrom(...values);
const text = one(null, '', 'x', 'a b', '-1h', '5m', 'https://', 'http://u:p@h');
const integer = one(null, 0, -1, 5, 1000);
const flag = one(null, true, false);
const reference = one(null, {}, { name: null }, { name: '' }, { name: 'x' });
const noSchedule = { timezone: null, when: null, concurrencyPolicy: null, startingDeadlineSeconds: null, disabled: null };
const cron = one(
  null,
  {},
  { schedules: null },
  { schedules: ['x', '* * * * *'], timezone: 'Nowhere', concurrencyPolicy: 'Maybe' },
  { schedules: ['@daily'], ...noSchedule },
  { disabled: true, schedules: ['@daily'] },
);
const emptyArtifact = { type: null, srcRef: null, dstRef: null, dstRefs: null, spec: null, cron: null };
const colliding = { spec: { foo: 1, Foo: 2, nothing: null }, cron: { schedules: null } };
const type = {
  rules: one(null, {}, { srcTypes: null, dstTypes: null, dstType: null }, { srcTypes: [''], dstType: ['oci'] }),
  parameters: one(null, [], [{}], [{ name: null, value: null }], [{ name: 'a' }, { name: 'a' }], [{ name: 'dryRun' }]),
  workflowTemplateRef: one(null, {}, { name: null, clusterScope: null }, { name: 'x' }),
  priority: integer,
  ttlAfterFinished: text,
  ttlAfterFailed: text,
  renderConfig: flag,
};

/** Specs as people, user interfaces, Go clients and older servers have written them, most of which are refused today. */
const specs: Readonly<Record<string, fc.Arbitrary<object>>> = {
  Endpoint: anyOf({
    type: text,
    remoteURL: text,
    secretRef: reference,
    tls: one(null, {}, { ca: null, secretRef: null, serverName: null }, { ca: 'x', serverName: '1.2.3.4', secretRef: { name: null } }),
    contacts: one(null, [], [{}], [{ name: null, email: null, role: null }], [{ email: 'nobody' }]),
    concurrency: integer,
    maxBytesPerSecond: integer,
    usage: text,
    validUntil: one(null, '2020-01-01T00:00:00Z'),
  }),
  Order: anyOf({
    defaults: one(
      null,
      {},
      { srcRef: null, dstRef: null, dstRefs: null, cron: null },
      { cron: { schedules: null } },
      { srcRef: { name: 'x' }, dstRefs: [{ name: 'x' }, {}] },
    ),
    artifacts: one(null, [], [{}], [emptyArtifact], [colliding, emptyArtifact, colliding]),
    ttl: text,
    TTLSecondsAfterCompletion: integer,
    priority: integer,
    suspend: flag,
    dryRun: flag,
  }),
  ArtifactWorkflow: anyOf({
    parameters: type.parameters,
    workflowTemplateRef: type.workflowTemplateRef,
    ttlAfterFailed: text,
    cron,
    type: text,
    srcRef: reference,
    dstSecretRef: reference,
  }),
  ArtifactType: anyOf(type),
  ClusterArtifactType: anyOf(type),
};

function anyOf(fields: Readonly<Record<string, fc.Arbitrary<unknown>>>): fc.Arbitrary<object> {
  return fc.record(fields, { requiredKeys: [] });
}

function objectWith(kind: KindDefinition, spec: object): UnstructuredObject {
  const metadata = { name: 'x', ...(kind.scope === 'Namespaced' && { namespace: 'ns' }) };
  return JSON.parse(JSON.stringify({ apiVersion: `${kind.group}/${kind.version}`, kind: kind.kind, metadata, spec })) as UnstructuredObject;
}

/** What the server makes of an object that replaces another. */
function prepared(kind: KindDefinition, object: UnstructuredObject, old: UnstructuredObject): UnstructuredObject {
  prune(object, objectSchemaOf(kind));
  applyDefaults(object, objectSchemaOf(kind));
  kind.strategy?.prepareForUpdate?.(object, old);
  return object;
}

for (const kind of arcKinds) {
  const spec = specs[kind.kind] ?? fc.constant({});

  test(`whatever ${kind.kind} is stored, it is shown, and a write that changes nothing of its spec is accepted`, () => {
    fc.assert(
      fc.property(spec, (stored) => {
        const old = objectWith(kind, stored);
        for (const column of kind.columns ?? []) column.value(old);
        const same = prepared(kind, objectWith(kind, stored), old);
        assert.deepEqual(kind.strategy?.validate?.(same, old) ?? [], []);
        assert.deepEqual(kind.strategy?.validateUpdate?.(same, old) ?? [], []);
      }),
      { numRuns: 300 },
    );
  });

  test(`whatever replaces whatever ${kind.kind}, the answer is a list of errors and warnings`, () => {
    fc.assert(
      fc.property(spec, spec, (before, after) => {
        const old = objectWith(kind, before);
        const object = prepared(kind, objectWith(kind, after), old);
        const fresh = kind.strategy?.validate?.(object) ?? [];
        const left = kind.strategy?.validate?.(object, old) ?? [];
        const texts = new Set(fresh.map(({ field, message }) => `${field} ${message}`));
        for (const { field, message } of left) assert.ok(texts.has(`${field} ${message}`), 'an update is never stricter than a creation');
        kind.strategy?.validateUpdate?.(object, old);
        for (const warning of kind.strategy?.warnings?.(object, old) ?? []) assert.equal(typeof warning, 'string');
      }),
      { numRuns: 300 },
    );
  });
}
