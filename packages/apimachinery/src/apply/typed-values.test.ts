import assert from 'node:assert/strict';
import { test } from 'node:test';
import { s } from '../schema/builder.ts';
import { applyTypeOf } from './apply-type.ts';
import { compareValues } from './compare-values.ts';
import { encodeFieldsV1, decodeFieldsV1 } from './fields-v1.ts';
import { everyPathOf, fieldSetOf } from './field-set-of.ts';
import type { FieldSet } from './field-set.ts';
import { mergeValues } from './merge-values.ts';
import { reconcileSet } from './reconcile-set.ts';
import { removePaths } from './remove-paths.ts';
import { validateConfig } from './validate-config.ts';

const part = s.object({ name: s.string(), port: s.integer({ default: 80 }), note: s.optional(s.string()) });
const type = applyTypeOf(
  s.object({
    size: s.optional(s.integer()),
    port: s.optional(s.intOrString()),
    labels: s.optional(s.map(s.string())),
    ref: s.optional(s.object({ kind: s.string(), name: s.string() }, { 'x-kubernetes-map-type': 'atomic' })),
    nested: s.optional(s.object({ a: s.optional(s.integer()), b: s.optional(s.integer()) })),
    parts: s.optional(s.listMap(part, ['port', 'name'])),
    tags: s.optional(s.array(s.string(), { 'x-kubernetes-list-type': 'set' })),
    list: s.optional(s.array(s.object({ x: s.integer() }))),
    old: s.optional(s.array(part, { 'x-kubernetes-patch-strategy': 'merge', 'x-kubernetes-patch-merge-key': 'name' })),
    oldSet: s.optional(s.array(s.string(), { 'x-kubernetes-patch-strategy': 'merge' })),
    union: s.optional(s.object({ a: s.optional(s.integer()) }, { 'x-kubernetes-patch-strategy': 'retainKeys' })),
    free: s.optional(s.freeForm()),
    embedded: s.optional({ type: 'object', 'x-kubernetes-embedded-resource': true, 'x-kubernetes-preserve-unknown-fields': true }),
  }),
);
const json = (set: FieldSet): unknown => encodeFieldsV1(set);
const setOf = (fields: unknown): FieldSet => decodeFieldsV1(fields) ?? assert.fail();

test('5.2 step 3: the set of a configuration', () => {
  const cases: [unknown, unknown][] = [
    [
      { size: 1, port: 'x' },
      { 'f:size': {}, 'f:port': {} },
    ],
    [{ nested: { a: 1 } }, { 'f:nested': { 'f:a': {} } }],
    [
      { nested: {}, labels: {} },
      { 'f:labels': {}, 'f:nested': {} },
    ],
    [
      { nested: null, size: null, parts: [] },
      { 'f:nested': {}, 'f:parts': {}, 'f:size': {} },
    ],
    [{ labels: { 'a/b': 'c' } }, { 'f:labels': { 'f:a/b': {} } }],
    [{ ref: { kind: 'a', name: 'b' } }, { 'f:ref': {} }],
    [{ union: { a: 1 } }, { 'f:union': {} }],
    [{ list: [{ x: 1 }] }, { 'f:list': {} }],
    [{ tags: ['b', 'a'] }, { 'f:tags': { 'v:"a"': {}, 'v:"b"': {} } }],
    [{ oldSet: ['a'] }, { 'f:oldSet': { 'v:"a"': {} } }],
    [{ old: [{ name: 'x' }] }, { 'f:old': { 'k:{"name":"x"}': { '.': {}, 'f:name': {} } } }],
    [{ parts: [{ name: 'x', note: 'n' }] }, { 'f:parts': { 'k:{"name":"x","port":80}': { '.': {}, 'f:name': {}, 'f:note': {} } } }],
    [{ free: { a: { b: [1] }, c: {} } }, { 'f:free': { 'f:a': { '.': {}, 'f:b': {} }, 'f:c': {} } }],
    [
      { embedded: { kind: 'A', metadata: { labels: { a: 'b' } }, x: { y: 1 } } },
      { 'f:embedded': { 'f:kind': {}, 'f:metadata': { 'f:labels': { 'f:a': {} } }, 'f:x': { '.': {}, 'f:y': {} } } },
    ],
  ];
  for (const [value, fields] of cases) assert.deepEqual(json(fieldSetOf(value, type)), fields, JSON.stringify(value));
  assert.deepEqual(json(everyPathOf({ nested: { a: 1 } }, type)), { 'f:nested': { '.': {}, 'f:a': {} } });
});

test('5.2 step 2: merging', () => {
  const cases: [live: unknown, applied: unknown, merged: unknown][] = [
    [{ size: 1, port: 2 }, { size: 3 }, { size: 3, port: 2 }],
    [{ nested: { a: 1 } }, { nested: { b: 2 } }, { nested: { a: 1, b: 2 } }],
    [{ ref: { kind: 'a', name: 'b' } }, { ref: { kind: 'c' } }, { ref: { kind: 'c' } }],
    [{ list: [{ x: 1 }, { x: 2 }] }, { list: [{ x: 3 }] }, { list: [{ x: 3 }] }],
    [{ tags: ['a', 'b'] }, { tags: ['c', 'a'] }, { tags: ['c', 'a', 'b'] }],
    [{ tags: ['x', 'a', 'y', 'b', 'z'] }, { tags: ['b', 'n', 'a'] }, { tags: ['x', 'y', 'b', 'z', 'n', 'a'] }],
    [{ tags: ['a'] }, { tags: [] }, { tags: ['a'] }],
    [{ tags: ['a'] }, { tags: null }, { tags: ['a'] }],
    [{}, { tags: null, nested: null }, { tags: null, nested: null }],
    [{ nested: {} }, { nested: null }, { nested: null }],
    [{ size: 1 }, { size: null }, { size: null }],
    [
      {
        parts: [
          { name: 'a', port: 80, note: 'live' },
          { name: 'b', port: 1 },
        ],
      },
      { parts: [{ name: 'c', port: 2 }, { name: 'a' }] },
      {
        parts: [
          { name: 'c', port: 2 },
          { name: 'a', port: 80, note: 'live' },
          { name: 'b', port: 1 },
        ],
      },
    ],
    [
      {
        parts: [
          { name: 'a', port: 80, note: '1' },
          { name: 'a', port: 80, note: '2' },
        ],
      },
      { parts: [{ name: 'a', note: '3' }] },
      { parts: [{ name: 'a', note: '3' }] },
    ],
    [{ free: { a: { b: 1 }, l: [1] } }, { free: { a: { c: 2 }, l: [2] } }, { free: { a: { b: 1, c: 2 }, l: [2] } }],
    [{ free: { a: 1 } }, { free: { a: { b: 2 } } }, { free: { a: { b: 2 } } }],
    [{ free: { a: { b: 2 } } }, { free: { a: [1] } }, { free: { a: [1] } }],
  ];
  for (const [live, applied, merged] of cases) {
    const before = structuredClone([live, applied]);
    assert.deepEqual(mergeValues(live, applied, type), merged, JSON.stringify(applied));
    assert.deepEqual([live, applied], before, 'inputs are left alone');
  }
});

test('5.2 step 5: comparing', () => {
  const cases: [old: unknown, next: unknown, difference: { added?: unknown; modified?: unknown; removed?: unknown }][] = [
    [{ size: 1 }, { size: 1 }, {}],
    [{ size: 1 }, { size: 2 }, { modified: { 'f:size': {} } }],
    [{}, { nested: { a: 1 } }, { added: { 'f:nested': { '.': {}, 'f:a': {} } } }],
    [{ nested: { a: 1, b: 2 } }, { nested: { b: 3 } }, { modified: { 'f:nested': { 'f:b': {} } }, removed: { 'f:nested': { 'f:a': {} } } }],
    [{ tags: ['a', 'b'] }, { tags: ['b', 'a'] }, {}],
    [{ tags: ['a'] }, { tags: ['b'] }, { added: { 'f:tags': { 'v:"b"': {} } }, removed: { 'f:tags': { 'v:"a"': {} } } }],
    [{ tags: ['a', 'a'] }, { tags: ['a'] }, { modified: { 'f:tags': { 'v:"a"': {} } } }],
    [{ list: [{ x: 1 }] }, { list: [{ x: 2 }] }, { modified: { 'f:list': {} } }],
    [{ list: null }, { list: [] }, { modified: { 'f:list': {} } }],
    [{ nested: null }, { nested: { a: 1 } }, { added: { 'f:nested': { 'f:a': {} } } }],
    [
      { free: { a: 1 } },
      { free: { a: { b: 1 } } },
      { modified: { 'f:free': { 'f:a': {} } }, added: { 'f:free': { 'f:a': { 'f:b': {} } } } },
    ],
    [
      { parts: [{ name: 'a', port: 80, note: 'x' }] },
      { parts: [{ name: 'b' }, { name: 'a', port: 80, note: 'y' }] },
      {
        added: { 'f:parts': { 'k:{"name":"b","port":80}': { '.': {}, 'f:name': {} } } },
        modified: { 'f:parts': { 'k:{"name":"a","port":80}': { 'f:note': {} } } },
      },
    ],
  ];
  for (const [old, next, { added = {}, modified = {}, removed = {} }] of cases) {
    const found = compareValues(old, next, type);
    assert.deepEqual(
      { added: json(found.added), modified: json(found.modified), removed: json(found.removed) },
      { added, modified, removed },
      JSON.stringify([old, next]),
    );
  }
});

test('5.2 step 4: removing', () => {
  const value = {
    size: 1,
    labels: { a: 'b' },
    tags: ['a', 'b'],
    parts: [
      { name: 'a', port: 80, note: 'x' },
      { name: 'b', port: 80 },
    ],
    list: [{ x: 1 }],
  };
  const removed = removePaths(
    value,
    setOf({
      'f:size': {},
      'f:labels': { 'f:a': {} },
      'f:tags': { 'v:"b"': {} },
      'f:parts': { 'k:{"name":"a","port":80}': { 'f:note': {} }, 'k:{"name":"b","port":80}': {} },
      'f:list': { 'i:0': {} },
    }),
    type,
  );
  assert.deepEqual(removed, { labels: {}, tags: ['a'], parts: [{ name: 'a', port: 80 }], list: [{ x: 1 }] });
});

test('5.2 unknown fields, duplicates and wrong shapes are refused', () => {
  const cases: [unknown, string[]][] = [
    [{ size: 1, tags: ['a', 'b'], list: [{ x: 1 }, { x: 1 }], free: { any: [1, 1] } }, []],
    [{ color: 1 }, ['.color: field not declared in schema']],
    [{ nested: { c: 1 }, ref: { other: 1 } }, ['.nested.c: field not declared in schema', '.ref.other: field not declared in schema']],
    [{ parts: [{ name: 'a', x: 1 }] }, ['.parts[name="a",port=80].x: field not declared in schema']],
    [{ tags: ['a', 'a', 'a'] }, ['.tags: duplicate entries for key [="a"]']],
    [{ parts: [{ name: 'a' }, { name: 'a', port: 80 }] }, ['.parts: duplicate entries for key [name="a",port=80]']],
    [
      { parts: [{ port: 1 }] },
      ['.parts: element 0: associative list with keys has an element that omits key field "name" (and doesn\'t have default value)'],
    ],
    [
      { parts: [null, 1] },
      [
        '.parts: element 0: associative list with keys may not have a null element',
        '.parts: element 1: associative list with keys may not have non-map elements',
      ],
    ],
    [{ tags: [{}] }, ['.tags: element 0: associative list without keys has an element that is a map type']],
    [
      { nested: [], tags: {}, size: {} },
      ['.nested: expected map, got list', '.tags: expected list, got map', '.size: expected numeric (int or float), got map'],
    ],
  ];
  for (const [config, problems] of cases) assert.deepEqual(validateConfig(config, type), problems, JSON.stringify(config));
});

test('5.2 step 1: sets follow a schema that turns atomic or granular', () => {
  const live = { ref: { kind: 'a', name: 'b' }, nested: { a: 1, b: 2 }, tags: ['x', 'y'], list: [{ x: 1 }] };
  const reconciled = (fields: unknown): unknown => json(reconcileSet(setOf(fields), { type, live, everyone: [] }));
  assert.deepEqual(reconciled({ 'f:ref': { 'f:kind': {} } }), { 'f:ref': {} }, 'granular to atomic map');
  assert.deepEqual(reconciled({ 'f:list': { 'k:{"x":1}': { 'f:x': {} } } }), { 'f:list': {} }, 'keyed to atomic list');
  assert.deepEqual(reconciled({ 'f:nested': {} }), { 'f:nested': { '.': {}, 'f:a': {}, 'f:b': {} } }, 'atomic to granular map');
  assert.deepEqual(reconciled({ 'f:tags': {} }), { 'f:tags': { '.': {}, 'v:"x"': {}, 'v:"y"': {} } }, 'atomic list to set');
  const kept = setOf({ 'f:nested': { 'f:a': {} }, 'f:gone': { 'f:x': {} }, 'f:tags': { 'v:"x"': {} } });
  assert.equal(reconcileSet(kept, { type, live, everyone: [kept] }), kept, 'nothing changed');
  const empty = setOf({ 'f:nested': {} });
  assert.equal(reconcileSet(empty, { type, live, everyone: [empty, kept] }), empty, 'others own fields of what one owns as empty');
});
