import { flattenSpec } from '@arc/api/arc';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { deriveParameters } from './derive.ts';
import type { ParameterSources } from './derive.ts';

function flat(spec: unknown): Record<string, string> {
  return Object.fromEntries(flattenSpec(spec).map(({ name, value }) => [name, value]));
}

const sides: Omit<ParameterSources, 'spec'> = {
  source: { type: 'oci', remoteURL: 'https://src', hasSecret: true },
  destination: { type: 's3', remoteURL: 's3://bucket', hasSecret: false },
  scheduled: false,
  dryRun: false,
  typeParameters: [],
};

test('the spec becomes parameters with the documented names (reference weakness 8)', () => {
  const cases: [spec: unknown, expected: Record<string, string>][] = [
    [{ image: 'x' }, { specImage: 'x' }],
    [{ config: { port: 8080 } }, { specConfigPort: '8080' }],
    [{ level1: { level2: { value: 'deep' } } }, { specLevel1Level2Value: 'deep' }],
    [{ tags: ['a', 'b'] }, { specTags0: 'a', specTags1: 'b' }],
    [{ items: [{ x: 1 }, [2, 3]] }, { specItems0X: '1', specItems10: '2', specItems11: '3' }],
    [
      { a: 1_000_000, b: 10_485_760, c: 0.5, d: -0.25, e: 1e21 },
      { specA: '1000000', specB: '10485760', specC: '0.5', specD: '-0.25', specE: '1e+21' },
    ],
    [
      { on: true, off: false },
      { specOn: 'true', specOff: 'false' },
    ],
    [{ none: null, text: '', list: [], map: {}, deep: { list: [null, ''] } }, {}],
    [
      { '': 'x', 'a.b': 'y', 'with space': 'z', ok: { ümlaut: 1, fine_1: 2 } },
      { spec: 'x', specOkFine_1: '2' },
    ],
    [undefined, {}],
    [JSON.parse('{"__proto__":"p","constructor":"c"}'), { spec__proto__: 'p', specConstructor: 'c' }],
  ];
  for (const [spec, expected] of cases) assert.deepEqual(flat(spec), expected, JSON.stringify(spec));
});

test('both sides, the schedule and the whole spec are parameters too, sorted by name', () => {
  const { parameters } = deriveParameters({ ...sides, spec: { b: 1, a: null } });
  assert.deepEqual(parameters, [
    { name: 'cron', value: 'false' },
    { name: 'dryRun', value: 'false' },
    { name: 'dstRemoteURL', value: 's3://bucket' },
    { name: 'dstSecret', value: 'false' },
    { name: 'dstType', value: 's3' },
    { name: 'specB', value: '1' },
    { name: 'specJSON', value: '{"a":null,"b":1}' },
    { name: 'srcRemoteURL', value: 'https://src' },
    { name: 'srcSecret', value: 'true' },
    { name: 'srcType', value: 'oci' },
  ]);
});

test('parameters of the type replace derived ones of the same name (reference, section 1.5)', () => {
  const { parameters } = deriveParameters({
    ...sides,
    spec: { image: 'x' },
    typeParameters: [
      { name: 'specImage', value: 'y' },
      { name: 'srcType', value: '' },
      { name: 'extra', value: 'z' },
    ],
  });
  const values = Object.fromEntries((parameters ?? []).map(({ name, value }) => [name, value]));
  assert.equal(values['specImage'], 'y');
  assert.equal(values['srcType'], '');
  assert.equal(values['extra'], 'z');
});

test('two fields that would become the same parameter are refused, naming both', () => {
  for (const [spec, expected] of [
    [{ foo: 1, Foo: 2 }, /spec\.foo and spec\.Foo both become the parameter specFoo/],
    [{ JSON: 'x' }, /the whole spec and spec\.JSON both become the parameter specJSON/],
    [{ a: { b: 1 }, aB: 2 }, /spec\.a\.b and spec\.aB/],
  ] as const) {
    assert.match(deriveParameters({ ...sides, spec }).conflict ?? '', expected);
  }
  assert.equal(deriveParameters({ ...sides, spec: { foo: 1, Foo: null } }).conflict, undefined, 'what yields no parameter cannot coincide');
});

test('whatever the spec, names are unique, sorted and acceptable to Argo, values are texts', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string({ maxLength: 6 }), fc.jsonValue({ maxDepth: 3 })), (spec) => {
      const { parameters, conflict } = deriveParameters({ ...sides, spec: JSON.parse(JSON.stringify(spec)) });
      if (conflict !== undefined) return;
      const names = (parameters ?? []).map(({ name }) => name);
      assert.deepEqual(
        names,
        [...new Set(names)].sort((a, b) => (a < b ? -1 : 1)),
      );
      for (const { name, value } of parameters ?? []) {
        assert.match(name, /^[-A-Za-z0-9_]+$/);
        assert.equal(typeof value, 'string');
      }
    }),
  );
});

test('a type cannot turn a dry run into a real one', () => {
  const { parameters } = deriveParameters({ ...sides, dryRun: true, spec: {}, typeParameters: [{ name: 'dryRun', value: 'false' }] });
  assert.equal(parameters?.find(({ name }) => name === 'dryRun')?.value, 'true');
});
