import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { cloneJson, deepEqual } from '../json/object.ts';
import { generateName } from './generate-name.ts';
import { nameProblems } from './name-rules.ts';
import { dedupeOwnerReferences } from './owner-references.ts';
import { specChanged } from './spec-changed.ts';
import type { ObjectMeta } from './types.ts';
import { maxAnnotationsSize, validateObjectMeta, validateObjectMetaUpdate } from './validate-object-meta.ts';

const namespaced = { scope: 'Namespaced' } as const;
const cluster = { scope: 'Cluster' } as const;
const good: ObjectMeta = {
  name: 'w1',
  namespace: 'ns',
  resourceVersion: '5',
  uid: 'u',
  generation: 1,
  creationTimestamp: '2026-01-01T00:00:00Z',
};
const texts = (errors: readonly { field: string; message: string }[]): string[] =>
  errors.map(({ field, message }) => `${field}: ${message}`);
const onCreate = (meta: ObjectMeta): string[] => texts(validateObjectMeta({ ...good, ...meta }, namespaced));
const onUpdate = (meta: ObjectMeta, old: ObjectMeta = {}): string[] =>
  texts(validateObjectMetaUpdate({ ...good, ...meta }, { ...good, ...old }));

test('3.1 names by rule', () => {
  const accepted = {
    dns1123subdomain: ['a', 'a.b', 'a-1.b', 'a'.repeat(253)],
    dns1123label: ['a', '1-a', 'a'.repeat(63)],
    'path-segment': ['A_b:c', '...'],
  };
  const refused = {
    dns1123subdomain: ['', 'A', 'a_b', '-a', 'a-', 'a..b', '.a', 'a.-b', 'a'.repeat(254)],
    dns1123label: ['', 'a.b', 'a'.repeat(64)],
    'path-segment': ['.', '..', 'a/b', 'a%b'],
  };
  for (const rule of ['dns1123subdomain', 'dns1123label', 'path-segment'] as const) {
    for (const name of accepted[rule]) assert.deepEqual(nameProblems(name, rule), [], `${rule} ${name}`);
    for (const name of refused[rule]) assert.notEqual(nameProblems(name, rule).length, 0, `${rule} ${name}`);
  }
});

test('3.1 metadata on create: texts', () => {
  assert.deepEqual(onCreate({}), []);
  assert.deepEqual(onCreate({ name: 'a_b' }), [
    "metadata.name: Invalid value: \"a_b\": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
  ]);
  assert.deepEqual(onCreate({ name: '' }), ['metadata.name: Required value: name or generateName is required']);
  assert.deepEqual(onCreate({ name: '', generateName: 'w-' }), ['metadata.name: Required value: name or generateName is required']);
  assert.deepEqual(onCreate({ generateName: 'w-' }), []);
  assert.match(onCreate({ generateName: '-w' })[0] ?? '', /^metadata.generateName: Invalid value: "-w"/);
  assert.deepEqual(onCreate({ namespace: '' }), ['metadata.namespace: Required value']);
  assert.deepEqual(texts(validateObjectMeta(good, cluster)), ['metadata.namespace: Forbidden: not allowed on this type']);
  assert.deepEqual(onCreate({ labels: { 'a/b/c': 'x' } }).length, 1);
  assert.deepEqual(onCreate({ labels: { 'example.com/a': '', b: 'x'.repeat(63) } }), []);
  assert.match(
    onCreate({ labels: { 'Example.com/a': 'x' } })[0] ?? '',
    /^metadata.labels: Invalid value: "Example.com\/a": prefix part a lowercase/,
  );
  assert.match(
    onCreate({ labels: { a: 'b c' } })[0] ?? '',
    /^metadata.labels: Invalid value: "b c": a valid label must be an empty string/,
  );
  assert.deepEqual(onCreate({ annotations: { 'Example.com/A': 'any thing' } }), []);
  assert.deepEqual(onCreate({ finalizers: ['orphan', 'foregroundDeletion'] }), [
    'metadata.finalizers: Invalid value: ["orphan","foregroundDeletion"]: orphan and foregroundDeletion cannot be both set',
  ]);
});

test('3.1 annotations: the total of keys and values is bounded in bytes', () => {
  assert.deepEqual(onCreate({ annotations: { a: 'x'.repeat(maxAnnotationsSize - 1) } }), []);
  assert.deepEqual(onCreate({ annotations: { a: 'x'.repeat(maxAnnotationsSize) } }), [
    'metadata.annotations: Too long: may not be more than 262144 bytes',
  ]);
  assert.equal(onCreate({ annotations: { a: 'é'.repeat(maxAnnotationsSize / 2) } }).length, 1);
});

test('3.1 owner references', () => {
  const owner = { apiVersion: 'v1', kind: 'Pod', name: 'p', uid: 'u1' };
  assert.deepEqual(onCreate({ ownerReferences: [owner] }), []);
  assert.deepEqual(onCreate({ ownerReferences: [{ ...owner, uid: '' }] }), [
    'metadata.ownerReferences.uid: Invalid value: "": must not be empty',
  ]);
  assert.match(onCreate({ ownerReferences: [{ ...owner, kind: 'Event' }] })[0] ?? '', /v1, Kind=Event is disallowed from being an owner/);
  const controllers = [
    { ...owner, controller: true },
    { ...owner, name: 'q', uid: 'u2', controller: true },
  ];
  assert.match(
    onCreate({ ownerReferences: controllers })[0] ?? '',
    /Only one reference can have Controller set to true. Found "true" in references for p and q$/,
  );
  const meta: ObjectMeta = { ownerReferences: [owner, { ...owner, uid: 'u2' }, { ...owner }] };
  assert.equal(
    dedupeOwnerReferences(meta),
    '.metadata.ownerReferences contains duplicate entries; API server dedups owner references in 1.20+, and may reject such requests as early as 1.24; please fix your requests; duplicate UID(s) observed: u1',
  );
  assert.deepEqual(
    meta.ownerReferences?.map((reference) => reference.uid),
    ['u1', 'u2'],
  );
  assert.equal(dedupeOwnerReferences(meta), undefined);
});

test('3.1 metadata on update: immutability and finalizers', () => {
  assert.deepEqual(onUpdate({ labels: { a: 'b' } }), []);
  assert.deepEqual(onUpdate({ resourceVersion: '' }), ['metadata.resourceVersion: Invalid value: 0: must be specified for an update']);
  assert.deepEqual(onUpdate({ name: 'other' }), ['metadata.name: Invalid value: "other": field is immutable']);
  assert.deepEqual(onUpdate({ uid: 'x' }), ['metadata.uid: Invalid value: "x": field is immutable']);
  assert.deepEqual(onUpdate({ generation: 1 }, { generation: 2 }), ['metadata.generation: Invalid value: 1: must not be decremented']);
  assert.deepEqual(onUpdate({ finalizers: ['a/b'] }), []);
  const deleting = { deletionTimestamp: '2026-01-01T00:00:00Z' };
  assert.deepEqual(onUpdate({ ...deleting, finalizers: ['a/b', 'x'] }, { ...deleting, finalizers: ['a/b'] }), [
    'metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{"x"}',
  ]);
  assert.deepEqual(onUpdate({ ...deleting, finalizers: [] }, { ...deleting, finalizers: ['a/b'] }), []);
});

test('3.1 generateName keeps 58 characters and adds 5 from the alphabet', () => {
  let next = 0;
  assert.equal(
    generateName('w-', (bound) => next++ % bound),
    'w-bcdfg',
  );
  fc.assert(
    fc.property(fc.stringMatching(/^[a-z][a-z-]{0,80}$/), fc.integer({ min: 0, max: 26 }), (base, pick) => {
      const name = generateName(base, () => pick);
      assert.ok(name.length <= 63 && name.startsWith(base.slice(0, 58)));
      assert.match(name.slice(-5), /^[bcdfghjklmnpqrstvwxz2456789]{5}$/);
    }),
  );
});

test('3.1 generation is raised by anything outside metadata and status', () => {
  const old = { apiVersion: 'v1', kind: 'A', metadata: { name: 'a' }, spec: { a: [1, { b: 2 }] }, status: { x: 1 } };
  assert.equal(specChanged({ ...old, metadata: { name: 'a', labels: {} }, status: {} }, old), false);
  assert.equal(specChanged({ ...old, spec: { a: [1, { b: 3 }] } }, old), true);
  assert.equal(specChanged({ ...old, data: {} }, old), true);
  const { spec: _, ...without } = old;
  assert.equal(specChanged(without, old), true);
});

test('deep equality ignores key order and follows copies', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const copy = cloneJson(value);
      assert.ok(deepEqual(value, copy));
      assert.equal(JSON.stringify(copy), JSON.stringify(value));
    }),
  );
  assert.ok(deepEqual({ a: 1, b: undefined }, { a: 1 }));
  assert.ok(!deepEqual({ a: 1 }, { a: 1, b: null }));
  assert.ok(!deepEqual([1], { 0: 1 }));
  assert.ok(!deepEqual({}, { constructor: 1 }));
  assert.ok(!deepEqual({ constructor: Object }, {}));
});
