import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import type { JsonObject } from '../json/object.ts';
import type { KindDefinition } from '../kind/kind.ts';
import type { ManagedFieldsEntry, UnstructuredObject } from '../meta/types.ts';
import { objectSchemaOf } from '../schema/object-schema.ts';
import { s } from '../schema/builder.ts';
import { ApiStatusError } from '../status/api-status-error.ts';
import { applyConfiguration } from './apply-configuration.ts';
import { applyTypeOf } from './apply-type.ts';
import { sameManagers, trackFields } from './track-fields.ts';
import type { FieldWrite } from './track-fields.ts';

const definition: KindDefinition = {
  group: 'g.io',
  version: 'v1',
  kind: 'Widget',
  names: { plural: 'widgets', singular: 'widget' },
  scope: 'Namespaced',
  description: 'A widget.',
  schema: s.object({
    spec: s.optional(
      s.object({
        size: s.optional(s.integer()),
        color: s.optional(s.string()),
        items: s.optional(s.listMap(s.object({ name: s.string(), v: s.optional(s.integer()) }), ['name'])),
      }),
    ),
    status: s.optional(s.object({ ready: s.optional(s.boolean()) })),
  }),
  subresources: { status: true },
};
const type = applyTypeOf(objectSchemaOf(definition));
const lastApplied = 'kubectl.kubernetes.io/last-applied-configuration';

function write(manager: string, options: Partial<FieldWrite> = {}): FieldWrite {
  return {
    manager,
    apiVersion: 'g.io/v1',
    subresource: '',
    writable: { except: ['status'] },
    version: (apiVersion) => (apiVersion === 'g.io/v1' ? { type, convert: (object) => object } : undefined),
    now: '2026-01-01T00:00:00Z',
    ...options,
  };
}

function widget(spec: JsonObject, metadata: UnstructuredObject['metadata'] = {}): UnstructuredObject {
  return { apiVersion: 'g.io/v1', kind: 'Widget', metadata: { name: 'w', namespace: 'ns', ...metadata }, spec };
}

/** Stores what an update leaves behind. */
function updated(live: UnstructuredObject | undefined, next: UnstructuredObject, by: FieldWrite, sent?: unknown): UnstructuredObject {
  const managedFields = trackFields(live, next, { ...by, sent });
  const { managedFields: _, ...metadata } = next.metadata;
  return { ...next, metadata: { ...metadata, ...(managedFields !== undefined && { managedFields }) } };
}

function apply(
  live: UnstructuredObject | undefined,
  config: UnstructuredObject,
  manager: string,
  options: Partial<FieldWrite> & { force?: boolean } = {},
): UnstructuredObject {
  return applyConfiguration(live, config, { ...write(manager, options), force: options.force ?? false });
}

const fieldsOf = (object: UnstructuredObject): Record<string, unknown> =>
  Object.fromEntries(
    (object.metadata.managedFields ?? []).map(({ manager, operation, fieldsV1 }) => [`${manager} ${operation}`, fieldsV1]),
  );

function refused(run: () => unknown): ApiStatusError['status'] {
  try {
    run();
  } catch (error) {
    assert.ok(error instanceof ApiStatusError);
    return error.status;
  }
  return assert.fail('not refused');
}

test('3.4 an entry has the fields of Kubernetes, in their order, and never what the server decides', () => {
  const created = updated(undefined, widget({ size: 1 }, { uid: 'u', labels: { a: 'b' }, creationTimestamp: 't' }), write('m'));
  assert.equal(
    JSON.stringify(created.metadata.managedFields),
    '[{"manager":"m","operation":"Update","apiVersion":"g.io/v1","time":"2026-01-01T00:00:00Z","fieldsType":"FieldsV1","fieldsV1":{"f:metadata":{"f:labels":{".":{},"f:a":{}}},"f:spec":{".":{},"f:size":{}}}}]',
  );
  const applied = apply(undefined, widget({ size: 1 }, { labels: { a: 'b' } }), 'm');
  assert.deepEqual(applied.metadata.managedFields?.[0]?.fieldsV1, {
    'f:metadata': { 'f:labels': { 'f:a': {} } },
    'f:spec': { 'f:size': {} },
  });
});

test('3.4 an update takes what it changes; the time moves only with the writes of the manager', () => {
  const created = updated(undefined, widget({ size: 1, color: 'red' }), write('a'));
  const later = write('b', { now: '2026-02-02T00:00:00Z' });
  const changed = updated(created, widget({ size: 2, color: 'red' }), later);
  assert.deepEqual(fieldsOf(changed), { 'a Update': { 'f:spec': { '.': {}, 'f:color': {} } }, 'b Update': { 'f:spec': { 'f:size': {} } } });
  assert.deepEqual(
    changed.metadata.managedFields?.map(({ time }) => time),
    ['2026-01-01T00:00:00Z', '2026-02-02T00:00:00Z'],
  );
  const noop = updated(changed, widget({ size: 2, color: 'red' }), write('b', { now: '2026-03-03T00:00:00Z' }));
  assert.deepEqual(noop.metadata.managedFields, changed.metadata.managedFields);
  const removed = updated(changed, widget({ color: 'red' }), write('c'));
  assert.deepEqual(fieldsOf(removed), { 'a Update': { 'f:spec': { '.': {}, 'f:color': {} } } });
});

test('3.4 managers differ by subresource, and updates by version', () => {
  const created = updated(undefined, widget({ size: 1 }), write('m'));
  const status = { ...created, status: { ready: true } };
  const both = updated(created, status, write('m', { subresource: 'status', writable: { only: ['status'] } }));
  assert.deepEqual(
    both.metadata.managedFields?.map(({ manager, subresource, fieldsV1 }) => [manager, subresource, fieldsV1]),
    [
      ['m', undefined, { 'f:spec': { '.': {}, 'f:size': {} } }],
      ['m', 'status', { 'f:status': { '.': {}, 'f:ready': {} } }],
    ],
  );
});

test('3.4 managedFields a client sends: valid ones are the base, empty ones end tracking, the rest is ignored', () => {
  const created = updated(undefined, widget({ size: 1 }), write('a'));
  const entry: ManagedFieldsEntry = {
    manager: 'x',
    operation: 'Apply',
    apiVersion: 'g.io/v1',
    fieldsType: 'FieldsV1',
    fieldsV1: { 'f:spec': { 'f:size': {} } },
  };
  assert.deepEqual(fieldsOf(updated(created, widget({ size: 1 }), write('b'), [entry])), { 'x Apply': { 'f:spec': { 'f:size': {} } } });
  for (const sent of [[], [{}]]) assert.equal(updated(created, widget({ size: 1 }), write('b'), sent).metadata.managedFields, undefined);
  for (const sent of [
    undefined,
    null,
    'x',
    [{ ...entry, operation: 'Other' }],
    [{ ...entry, fieldsV1: { size: {} } }],
    [{ ...entry, fieldsType: 'V2' }],
  ]) {
    assert.deepEqual(fieldsOf(updated(created, widget({ size: 1 }), write('b'), sent)), fieldsOf(created));
  }
  const onStatus = write('b', { subresource: 'status', writable: { only: ['status'] } });
  assert.deepEqual(fieldsOf(updated(created, widget({ size: 1 }), onStatus, [])), fieldsOf(created));
});

test('3.4 an untracked object stays so until the first apply, when before-first-apply owns everything', () => {
  const untracked = widget({ size: 1, color: 'red' });
  assert.equal(updated(untracked, widget({ size: 2, color: 'red' }), write('u')).metadata.managedFields, undefined);
  const applied = apply(untracked, widget({ size: 1 }), 'm');
  assert.deepEqual(fieldsOf(applied), {
    'm Apply': { 'f:spec': { 'f:size': {} } },
    'before-first-apply Update': { 'f:spec': { '.': {}, 'f:color': {}, 'f:size': {} } },
  });
  const { message } = refused(() => apply(untracked, widget({ size: 3 }), 'm'));
  assert.equal(message, 'Apply failed with 1 conflict: conflict with "before-first-apply" using g.io/v1: .spec.size');
});

test('3.4 more than ten managers that update: the oldest become ancient-changes', () => {
  let object = updated(undefined, widget({ items: [] }), write('m0'));
  for (let at = 1; at < 14; at++) {
    const items = Array.from({ length: at }, (_, index) => ({ name: `i${index}` }));
    object = updated(object, widget({ items }), write(`m${at}`, { now: `2026-01-01T00:00:${String(at).padStart(2, '0')}Z` }));
  }
  const entries = object.metadata.managedFields ?? [];
  assert.equal(entries.length, 10);
  assert.deepEqual(
    entries.map(({ manager }) => manager),
    ['ancient-changes', ...Array.from({ length: 9 }, (_, at) => `m${at + 5}`)],
  );
  assert.deepEqual(entries[0]?.fieldsV1, {
    'f:spec': {
      '.': {},
      'f:items': Object.fromEntries([
        ['.', {}],
        ...['i0', 'i1', 'i2', 'i3'].map((name) => [`k:{"name":"${name}"}`, { '.': {}, 'f:name': {} }]),
      ]),
    },
  });
  assert.equal(entries[0]?.time, '2026-01-01T00:00:04Z');
});

test('5.3 the texts of conflicts', () => {
  const one = updated(undefined, widget({ size: 1, color: 'red' }), write('kubectl-edit'));
  const single = refused(() => apply(one, widget({ size: 2 }), 'm'));
  assert.equal(single.code, 409);
  assert.equal(single.reason, 'Conflict');
  assert.equal(single.message, 'Apply failed with 1 conflict: conflict with "kubectl-edit" using g.io/v1: .spec.size');
  assert.deepEqual(single.details, {
    causes: [{ reason: 'FieldManagerConflict', message: 'conflict with "kubectl-edit" using g.io/v1', field: '.spec.size' }],
  });
  const applied = apply(one, widget({ items: [{ name: 'x', v: 1 }] }), 'applier');
  const several = refused(() => apply(applied, widget({ size: 2, color: 'blue', items: [{ name: 'x', v: 2 }] }), 'm'));
  assert.equal(
    several.message,
    'Apply failed with 3 conflicts: conflicts with "applier":\n- .spec.items[name="x"].v\nconflicts with "kubectl-edit" using g.io/v1:\n- .spec.color\n- .spec.size',
  );
  const status = { subresource: 'status', writable: { only: ['status'] } };
  const ready = updated(one, { ...one, status: { ready: true } }, write('c', status));
  const wanted = { ...widget({}), status: { ready: false } };
  assert.equal(
    refused(() => apply(ready, wanted, 'm', status)).message,
    'Apply failed with 1 conflict: conflict with "c" with subresource "status" using g.io/v1: .status.ready',
  );
});

test('5.2 force takes over, the same value is shared, and what everybody left is gone', () => {
  const a = apply(undefined, widget({ size: 1, items: [{ name: 'x', v: 1 }] }), 'a');
  const shared = apply(a, widget({ size: 1 }), 'b');
  assert.deepEqual(fieldsOf(shared)['b Apply'], { 'f:spec': { 'f:size': {} } });
  const taken = apply(shared, widget({ size: 2 }), 'b', { force: true });
  assert.deepEqual(fieldsOf(taken)['a Apply'], { 'f:spec': { 'f:items': { 'k:{"name":"x"}': { '.': {}, 'f:name': {}, 'f:v': {} } } } });
  const left = apply(taken, widget({}), 'b');
  assert.deepEqual(left['spec'], { items: [{ name: 'x', v: 1 }] });
  const gone = apply(left, widget({}), 'a');
  assert.deepEqual(gone['spec'], {});
  const labelled = apply(undefined, widget({}, { labels: { a: 'b' } }), 'a');
  const { managedFields: _, ...metadata } = apply(labelled, widget({}), 'a').metadata;
  assert.deepEqual(metadata, { name: 'w', namespace: 'ns' }, 'the place of the object stays');
});

test('5.2 an item goes with all that is in it, unless somebody else has the item too', () => {
  const applied = apply(undefined, widget({ items: [{ name: 'x' }, { name: 'y' }] }), 'a');
  const grown = { ...applied, spec: { items: [{ name: 'x', v: 1 }, { name: 'y' }] } };
  const without = widget({ items: [{ name: 'y' }] });
  assert.deepEqual(apply(grown, without, 'a')['spec'], { items: [{ name: 'y' }] }, 'a default nobody owns');
  const edited = updated(applied, grown, write('u'));
  const gone = apply(edited, without, 'a');
  assert.deepEqual(gone['spec'], { items: [{ name: 'y' }] }, 'a field an update added to the item');
  assert.deepEqual(Object.keys(fieldsOf(gone)), ['a Apply']);
  const shared = apply(edited, widget({ items: [{ name: 'x' }] }), 'b');
  assert.deepEqual(apply(shared, without, 'a')['spec'], { items: [{ name: 'x', v: 1 }, { name: 'y' }] }, 'an item b applies too');
});

test('2.8 what a strategy resets is neither owned nor in conflict', () => {
  const created = updated(undefined, widget({ size: 1 }), write('a'));
  const ready = updated(
    created,
    { ...created, status: { ready: true } },
    write('c', { subresource: 'status', writable: { only: ['status'] } }),
  );
  const applied = apply(ready, { ...widget({ size: 1 }), status: { ready: false } }, 'm');
  assert.deepEqual(fieldsOf(applied)['m Apply'], { 'f:spec': { 'f:size': {} } });
  const status = apply(ready, { ...widget({ size: 5 }), status: { ready: true } }, 'm', {
    subresource: 'status',
    writable: { only: ['status'] },
  });
  assert.deepEqual(fieldsOf(status)['m Apply'], { 'f:status': { 'f:ready': {} } });
});

test('5.2 a configuration that does not fit, or has managedFields', () => {
  const unknown = refused(() => apply(undefined, widget({ colour: 1 }), 'm'));
  assert.equal(unknown.code, 500);
  assert.equal(
    unknown.message,
    'failed to create typed patch object (ns/w; g.io/v1, Kind=Widget): .spec.colour: field not declared in schema',
  );
  const two = refused(() => apply(undefined, widget({ a: 1, b: 1 }), 'm'));
  assert.equal(
    two.message,
    'failed to create typed patch object (ns/w; g.io/v1, Kind=Widget): errors:\n  .spec.a: field not declared in schema\n  .spec.b: field not declared in schema',
  );
  const managed = refused(() => apply(undefined, widget({}, { managedFields: [] }), 'm'));
  assert.equal(managed.code, 400);
  assert.equal(managed.message, 'metadata.managedFields must be nil');
});

test('5.4 kubectl takes over what client-side apply set and nobody changed, and keeps its annotation up to date', () => {
  const config = JSON.stringify(widget({ size: 1, color: 'red' }));
  const created = updated(
    undefined,
    widget({ size: 1, color: 'red' }, { annotations: { [lastApplied]: config } }),
    write('kubectl-client-side-apply'),
  );
  const other = refused(() => apply(created, widget({ size: 2 }), 'other'));
  assert.match(other.message ?? '', /kubectl-client-side-apply/);
  const taken = apply(created, widget({ size: 2 }), 'kubectl');
  assert.deepEqual(taken['spec'], { size: 2, color: 'red' });
  assert.equal(
    taken.metadata.annotations?.[lastApplied],
    '{"apiVersion":"g.io/v1","kind":"Widget","metadata":{"name":"w","namespace":"ns"},"spec":{"size":2}}\n',
  );
  const edited = updated(created, { ...created, spec: { size: 7, color: 'red' } }, write('kubectl-edit'));
  const refusal = refused(() => apply(edited, widget({ size: 2, color: 'blue' }), 'kubectl'));
  assert.equal(refusal.message, 'Apply failed with 1 conflict: conflict with "kubectl-edit" using g.io/v1: .spec.size');
  const broken = { ...created, metadata: { ...created.metadata, annotations: { [lastApplied]: '{' } } };
  assert.equal(refused(() => apply(broken, widget({ size: 2 }), 'kubectl')).code, 409);
  const large = apply(created, widget({ size: 1, color: 'x'.repeat(270_000) }), 'kubectl', { force: true });
  assert.deepEqual(large.metadata.annotations, {});
});

test('5.4 the client half: managers rewritten by a patch are the base of the next apply', () => {
  const config = widget({ size: 1 });
  const created = updated(undefined, config, write('kubectl-client-side-apply'));
  const applied = apply(created, config, 'kubectl');
  const [own] = applied.metadata.managedFields ?? [];
  const migrated = updated(applied, applied, write('kubectl'), [own]);
  assert.deepEqual(Object.keys(fieldsOf(migrated)), ['kubectl Apply']);
  assert.deepEqual(apply(migrated, widget({}), 'kubectl')['spec'], {});
});

test('2.6 managers that differ by their times only are the same', () => {
  const a: ManagedFieldsEntry = { manager: 'a', operation: 'Update', fieldsV1: { 'f:x': {} }, time: '1' };
  const b: ManagedFieldsEntry = { ...a, manager: 'b' };
  assert.ok(sameManagers([a, b], [{ ...b, time: '2' }, a]));
  assert.ok(!sameManagers([a], [a, b]));
  assert.ok(!sameManagers([a, a], [a, b]));
  assert.ok(sameManagers(undefined, []));
});

test('5 whatever clients send is applied or refused, never an accident', () => {
  const json = fc.jsonValue({ maxDepth: 3 });
  const key = fc.constantFrom(
    'f:spec',
    'f:size',
    'f:items',
    'k:{"name":"x"}',
    'k:{}',
    'v:1',
    'i:0',
    '.',
    'f:metadata',
    'f:labels',
    'z:',
    '',
  );
  const { fields } = fc.letrec<{ fields: Record<string, unknown> }>((tie) => ({
    fields: fc.dictionary(key, fc.oneof({ maxDepth: 4 }, fc.constant({}), tie('fields'), json), { maxKeys: 3, noNullPrototype: true }),
  }));
  const entry = fc.record(
    {
      manager: fc.constantFrom('a', 'b', ''),
      operation: fc.constantFrom('Apply', 'Update', 'x'),
      apiVersion: fc.constantFrom('g.io/v1', 'g.io/v0'),
      fieldsV1: fields,
    },
    { requiredKeys: [], noNullPrototype: true },
  );
  const item = fc.record({ name: fc.oneof(fc.constantFrom('x', 'y'), json), v: json }, { requiredKeys: [], noNullPrototype: true });
  const spec = fc.record(
    { size: json, color: json, items: fc.oneof(json, fc.array(fc.oneof(item, json), { maxLength: 3 })) },
    { requiredKeys: [], noNullPrototype: true },
  );
  const object = fc
    .record({ spec: fc.oneof(spec, json), labels: json }, { requiredKeys: [], noNullPrototype: true })
    .map(({ spec: inner, labels }) => ({ ...widget({}, labels === undefined ? {} : ({ labels } as object)), spec: inner }));
  fc.assert(
    fc.property(object, object, fc.array(entry, { maxLength: 3 }), (live, config, managedFields) => {
      const stored = { ...live, metadata: { ...live.metadata, managedFields } } as UnstructuredObject;
      const tracked = updated(stored, config, write('u'), managedFields);
      for (const from of [stored, tracked]) {
        try {
          const applied = apply(from, config, 'kubectl', { force: true });
          assert.ok(applied.metadata.managedFields?.every(({ fieldsV1 }) => typeof fieldsV1 === 'object') !== false);
        } catch (error) {
          assert.ok(error instanceof ApiStatusError, String(error));
        }
      }
    }),
    { numRuns: 500 },
  );
});
