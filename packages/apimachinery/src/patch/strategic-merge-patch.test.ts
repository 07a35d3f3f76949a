import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import type { JsonObject } from '../json/object.ts';
import { stringifyJson } from '../json/stringify.ts';
import { objectMetaSchema } from '../schema/object-meta-schema.ts';
import type { StructuralSchema } from '../schema/structural.ts';
import { applyMergePatch } from './merge-patch.ts';
import { applyStrategicMergePatch } from './strategic-merge-patch.ts';

const text: StructuralSchema = { type: 'string' };
const schema: StructuralSchema = {
  type: 'object',
  properties: {
    metadata: objectMetaSchema,
    list: {
      type: 'array',
      'x-kubernetes-patch-strategy': 'merge',
      'x-kubernetes-patch-merge-key': 'name',
      items: {
        type: 'object',
        properties: { name: text, value: text, inner: { type: 'array', items: text, 'x-kubernetes-patch-strategy': 'merge' } },
      },
    },
    set: { type: 'array', items: text, 'x-kubernetes-patch-strategy': 'merge' },
    plain: { type: 'array', items: text },
    union: { type: 'object', 'x-kubernetes-patch-strategy': 'retainKeys', additionalProperties: text },
    replaced: { type: 'object', 'x-kubernetes-patch-strategy': 'replace', additionalProperties: text },
    data: { type: 'object', additionalProperties: text },
  },
};

test('2.7 strategic merge patch', () => {
  const cases: [name: string, original: JsonObject, patch: JsonObject, result: JsonObject][] = [
    ['maps merge, null removes', { data: { a: '1', b: '2' } }, { data: { b: null, c: '3' } }, { data: { a: '1', c: '3' } }],
    ['labels', { metadata: { labels: { a: '1' } } }, { metadata: { labels: { b: '2' } } }, { metadata: { labels: { a: '1', b: '2' } } }],
    ['plain lists are replaced', { plain: ['a'] }, { plain: ['b'] }, { plain: ['b'] }],
    ['unknown lists are replaced', { other: [{ name: 'a' }] }, { other: [{ name: 'b' }] }, { other: [{ name: 'b' }] }],
    ['sets are united', { set: ['a', 'b'] }, { set: ['b', 'c'] }, { set: ['a', 'b', 'c'] }],
    [
      'finalizers are a set',
      { metadata: { finalizers: ['a'] } },
      { metadata: { finalizers: ['b'] } },
      { metadata: { finalizers: ['a', 'b'] } },
    ],
    [
      'primitive items are removed',
      { metadata: { finalizers: ['a', 'b'] } },
      { metadata: { '$deleteFromPrimitiveList/finalizers': ['a'], finalizers: ['c'] } },
      { metadata: { finalizers: ['b', 'c'] } },
    ],
    [
      'owner references are removed by uid',
      {
        metadata: {
          ownerReferences: [
            { uid: 'u1', name: 'a' },
            { uid: 'u2', name: 'b' },
          ],
        },
      },
      { metadata: { uid: 'x', ownerReferences: [{ $patch: 'delete', uid: 'u1' }] } },
      { metadata: { ownerReferences: [{ uid: 'u2', name: 'b' }], uid: 'x' } },
    ],
    [
      'items merge by key',
      { list: [{ name: 'a', value: '1', inner: ['x'] }, { name: 'b' }] },
      { list: [{ name: 'c' }, { name: 'a', value: null, inner: ['y'] }] },
      { list: [{ name: 'a', inner: ['x', 'y'] }, { name: 'b' }, { name: 'c' }] },
    ],
    ['a list item says replace', { list: [{ name: 'a' }] }, { list: [{ $patch: 'replace' }, { name: 'b' }] }, { list: [{ name: 'b' }] }],
    [
      'an item is replaced',
      { list: [{ name: 'a' }] },
      { list: [{ $patch: 'merge', name: 'a', value: '2' }] },
      { list: [{ name: 'a', value: '2' }] },
    ],
    ['a map is replaced', { data: { a: '1' } }, { data: { $patch: 'replace', b: '2' } }, { data: { b: '2' } }],
    ['a map is emptied', { data: { a: '1' } }, { data: { $patch: 'delete' } }, { data: {} }],
    ['a map merges explicitly', { data: { a: '1' } }, { data: { $patch: 'merge', b: '2' } }, { data: { a: '1', b: '2' } }],
    ['strategy replace', { replaced: { a: '1' } }, { replaced: { b: '2' } }, { replaced: { b: '2' } }],
    ['retained keys', { union: { a: '1', b: '2', c: '3' } }, { union: { $retainKeys: ['b', 'c'], c: '4' } }, { union: { b: '2', c: '4' } }],
    [
      'absent lists take the patch without directives',
      {},
      {
        list: [
          { name: 'a', value: null },
          { $patch: 'delete', name: 'b' },
        ],
      },
      { list: [{ name: 'a' }] },
    ],
    ['absent maps take the patch without directives', {}, { data: { $patch: 'merge', a: '1', b: null } }, { data: { a: '1' } }],
    [
      'another type wins',
      { data: 'x', list: 'y' },
      { data: { a: '1' }, list: [{ name: 'a' }] },
      { data: { a: '1' }, list: [{ name: 'a' }] },
    ],
    [
      'order of items',
      { list: [{ name: 'a' }, { name: 'b' }, { name: 'server' }, { name: 'c' }] },
      { '$setElementOrder/list': [{ name: 'c' }, { name: 'new' }, { name: 'a' }, { name: 'b' }], list: [{ name: 'new' }] },
      { list: [{ name: 'server' }, { name: 'c' }, { name: 'new' }, { name: 'a' }, { name: 'b' }] },
    ],
    ['order of scalars', { set: ['a', 'server', 'b'] }, { '$setElementOrder/set': ['b', 'a'] }, { set: ['server', 'b', 'a'] }],
    [
      'server items stay behind',
      { set: ['a', 'b', 'server'] },
      { '$setElementOrder/set': ['b', 'a', 'c'], set: ['c'] },
      { set: ['b', 'a', 'c', 'server'] },
    ],
  ];
  for (const [name, original, patch, result] of cases) {
    const before = JSON.stringify([original, patch]);
    assert.deepEqual(applyStrategicMergePatch(original, patch, schema), result, name);
    assert.equal(JSON.stringify([original, patch]), before, name);
  }
});

test('directives that make no sense are 400', () => {
  const wrong: JsonObject[] = [
    { data: { $patch: 'x' } },
    { data: { $patch: 9_007_199_254_740_993n } },
    { list: [{ value: '1' }] },
    { list: ['a'] },
    { union: { $retainKeys: ['a'], b: '1' } },
    { '$setElementOrder/set': 'a' },
  ];
  for (const patch of wrong) {
    assert.throws(
      () => applyStrategicMergePatch({ data: {}, list: [], union: {}, set: ['a'] }, patch, schema),
      { code: 'BadRequest' },
      stringifyJson(patch),
    );
  }
});

const keys = fc.constantFrom('a', 'b', '__proto__', 'metadata', 'data', 'plain');
const values = fc.letrec<{ object: JsonObject }>((tie) => ({
  object: fc.dictionary(
    keys,
    fc.oneof({ maxDepth: 3 }, fc.constantFrom<unknown>(1, 'x', true), fc.array(fc.constantFrom(1, 'y')), tie('object')),
    { noNullPrototype: true },
  ),
})).object;
const nulls = (object: JsonObject, removed: readonly string[]): JsonObject => ({
  ...object,
  ...Object.fromEntries(removed.map((key) => [key, null])),
});

test('without merged lists and directives it is a merge patch', () => {
  fc.assert(
    fc.property(values, values, fc.uniqueArray(fc.constantFrom('a', 'b', 'data')), (original, patch, removed) => {
      const given = nulls(patch, removed);
      assert.deepEqual(applyStrategicMergePatch(original, given, { type: 'object' }), applyMergePatch(original, given));
    }),
  );
});

test('a patch of items applied twice is as good as once', () => {
  const item = fc.record({ name: fc.constantFrom('a', 'b', 'c'), value: fc.string() }, { noNullPrototype: true });
  const list = fc.uniqueArray(item, { selector: (entry) => entry.name });
  fc.assert(
    fc.property(list, list, (original, patch) => {
      const given = { list: patch, '$setElementOrder/list': patch.map(({ name }) => ({ name })) };
      const once = applyStrategicMergePatch({ list: original }, given, schema);
      assert.deepEqual(applyStrategicMergePatch(once, given, schema), once);
      const names = (once['list'] as { name: string }[]).map(({ name }) => name);
      assert.deepEqual(new Set(names), new Set([...original, ...patch].map(({ name }) => name)));
      assert.deepEqual(
        names.filter((name) => patch.some((entry) => entry.name === name)),
        patch.map(({ name }) => name),
      );
    }),
  );
});
