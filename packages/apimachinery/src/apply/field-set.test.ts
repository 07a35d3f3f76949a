import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import {
  difference,
  emptySet,
  equalSets,
  hasPath,
  intersection,
  isEmptySet,
  pathsOf,
  recursiveDifference,
  setOfPaths,
  union,
} from './field-set.ts';
import type { FieldSet } from './field-set.ts';
import { decodeFieldsV1, encodeFieldsV1 } from './fields-v1.ts';
import { comparePathElements, keyElement, parsePathElement, printPath, valueElement } from './path-element.ts';
import type { FieldPath } from './path-element.ts';

const element = fc.oneof(
  fc.constantFrom('f:a', 'f:b', 'f:__proto__', 'f:', 'f:a.b/c', 'i:0', 'i:2'),
  fc.record({ name: fc.constantFrom('x', 'y"'), port: fc.constantFrom(80, 443) }, { requiredKeys: ['name'] }).map(keyElement),
  fc.oneof(fc.constantFrom('s', 'ü', ''), fc.integer({ min: -1, max: 2 }), fc.boolean(), fc.constant(null)).map(valueElement),
);
const path: fc.Arbitrary<FieldPath> = fc.array(element, { minLength: 1, maxLength: 4 });
const set: fc.Arbitrary<FieldSet> = fc.array(path, { maxLength: 8 }).map(setOfPaths);
const texts = (sets: FieldSet): string[] => pathsOf(sets).map((one) => JSON.stringify(one));

function assertSame(a: FieldSet, b: FieldSet): void {
  assert.deepEqual(texts(a).sort(), texts(b).sort());
  assert.ok(equalSets(a, b));
}

test('3.4 FieldsV1 survives the way there and back, and is the same for equal sets', () => {
  fc.assert(
    fc.property(set, fc.array(path), (one, more) => {
      const json = JSON.stringify(encodeFieldsV1(one));
      assertSame(decodeFieldsV1(JSON.parse(json)) ?? assert.fail(), one);
      const rebuilt = recursiveDifference(union(setOfPaths(more), one), difference(setOfPaths(more), one));
      const again = union(rebuilt, one);
      if (equalSets(again, one)) assert.equal(JSON.stringify(encodeFieldsV1(again)), json);
    }),
  );
});

test('sets obey the laws of sets', () => {
  fc.assert(
    fc.property(set, set, set, (a, b, c) => {
      assertSame(union(a, b), union(b, a));
      assertSame(union(union(a, b), c), union(a, union(b, c)));
      assertSame(intersection(a, b), intersection(b, a));
      assertSame(intersection(a, union(b, c)), union(intersection(a, b), intersection(a, c)));
      assertSame(union(a, a), a);
      assertSame(intersection(a, a), a);
      assertSame(difference(a, a), emptySet);
      assertSame(union(difference(a, b), intersection(a, b)), a);
      assert.ok(isEmptySet(intersection(difference(a, b), b)));
      assertSame(difference(a, union(b, c)), difference(difference(a, b), c));
    }),
  );
});

test('each operation holds exactly the paths it should', () => {
  fc.assert(
    fc.property(set, set, (a, b) => {
      const inB = (one: FieldPath): boolean => hasPath(b, one);
      assert.deepEqual(
        texts(intersection(a, b)).sort(),
        pathsOf(a)
          .filter(inB)
          .map((one) => JSON.stringify(one))
          .sort(),
      );
      const below = (one: FieldPath): boolean => one.some((_, at) => inB(one.slice(0, at + 1)));
      assert.deepEqual(
        texts(recursiveDifference(a, b)).sort(),
        pathsOf(a)
          .filter((one) => !below(one))
          .map((one) => JSON.stringify(one))
          .sort(),
      );
    }),
  );
});

test('3.4 FieldsV1 has the keys in the order Go writes them', () => {
  const paths: FieldPath[] = [
    ['i:3'],
    ['v:"b"'],
    ['v:2'],
    ['v:10'],
    ['v:true'],
    ['k:{"name":"b"}'],
    ['k:{"name":"a","port":80}'],
    ['k:{"name":"a"}', 'f:x'],
    ['f:b'],
    ['f:b', 'f:c'],
    ['f:\uffee'],
    ['f:\u{1f600}'],
    ['f:a-b'],
    ['f:a', 'f:z'],
  ];
  assert.equal(
    JSON.stringify(encodeFieldsV1(setOfPaths(paths))),
    '{"f:a":{"f:z":{}},"f:a-b":{},"f:b":{".":{},"f:c":{}},"f:\uffee":{},"f:\u{1f600}":{},"k:{\\"name\\":\\"a\\"}":{"f:x":{}},"k:{\\"name\\":\\"a\\",\\"port\\":80}":{},"k:{\\"name\\":\\"b\\"}":{},"v:2":{},"v:10":{},"v:\\"b\\"":{},"v:true":{},"i:3":{}}',
  );
});

test('elements are ordered totally', () => {
  fc.assert(
    fc.property(element, element, element, (a, b, c) => {
      assert.equal(comparePathElements(a, b) < 0, comparePathElements(b, a) > 0);
      assert.equal(comparePathElements(a, b) === 0, a === b);
      if (comparePathElements(a, b) < 0 && comparePathElements(b, c) < 0) assert.ok(comparePathElements(a, c) < 0);
    }),
  );
});

test('FieldsV1 from elsewhere is made canonical, what is unknown ignored, what is broken refused', () => {
  const read = (value: unknown): unknown => {
    const decoded = decodeFieldsV1(value);
    return decoded === undefined ? undefined : encodeFieldsV1(decoded);
  };
  assert.deepEqual(read({ 'k:{ "b": 1.0, "a": "x" }': { '.': {} } }), { 'k:{"a":"x","b":1}': {} });
  assert.deepEqual(read({ 'z:new': {}, 'f:a': { 'z:new': {} }, '.': {} }), {});
  assert.deepEqual(read({}), {});
  for (const broken of [
    [],
    'x',
    null,
    { a: {} },
    { 'f:a': 1 },
    { 'k:1': {} },
    { 'v:{': {} },
    { 'i:x': {} },
    { [`v:${'['.repeat(9_000)}${']'.repeat(9_000)}`]: {} },
  ]) {
    assert.equal(read(broken), undefined, JSON.stringify(broken).slice(0, 50));
  }
  assert.equal(parsePathElement('v:"x"'), 'v:"x"');
});

test('5.3 paths print as conflicts show them', () => {
  const cases: [FieldPath, string][] = [
    [['f:spec', 'f:size'], '.spec.size'],
    [['f:metadata', 'f:annotations', 'f:a.b/c'], '.metadata.annotations.a.b/c'],
    [['f:spec', 'f:items', 'k:{"name":"x"}', 'f:v'], '.spec.items[name="x"].v'],
    [['f:ports', 'k:{"port":80,"protocol":"TCP"}'], '.ports[port=80,protocol="TCP"]'],
    [['f:set', 'v:"a"'], '.set[="a"]'],
    [['f:set', 'v:[1,{"a":null}]'], '.set[=[1,{a=null}]]'],
    [['f:list', 'i:2'], '.list[2]'],
  ];
  for (const [given, printed] of cases) assert.equal(printPath(given), printed);
});
