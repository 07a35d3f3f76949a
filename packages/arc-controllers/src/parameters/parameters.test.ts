import { flattenSpec } from '@arc/api/arc';
import { decodeYaml, parseJson } from '@arc/apimachinery';
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
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

/** Names as templates use them, none of which differs from another only in the case of its first letter. */
const fieldName = fc.stringMatching(/^[a-z][a-z0-9_]{0,4}$/);
const scalar = fc.oneof(fc.string({ minLength: 1 }), fc.boolean(), fc.integer(), fc.double({ noNaN: true, noDefaultInfinity: true }));
const emptiness = fc.constantFrom<unknown>(null, '', [], {}, [null], { none: null }, [[], ['']]);
const { tree } = fc.letrec<{ tree: unknown }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 3, depthSize: 'small' },
    scalar,
    emptiness,
    fc.array(tie('tree'), { maxLength: 3 }),
    fc.dictionary(fieldName, tie('tree'), { maxKeys: 3 }),
  ),
}));
const anySpec = fc.dictionary(fieldName, tree, { maxKeys: 4 });

/** The scalars of a spec with the way to each, found without any of the code under test. */
function leaves(value: unknown, way: readonly (string | number)[] = []): { way: readonly (string | number)[]; value: unknown }[] {
  if (value === null || value === '') return [];
  if (typeof value !== 'object') return [{ way, value }];
  const members: [string | number, unknown][] = Array.isArray(value) ? value.map((item, index) => [index, item]) : Object.entries(value);
  return members.flatMap(([step, member]) => leaves(member, [...way, step]));
}

function documentedName(way: readonly (string | number)[]): string {
  return `spec${way.map((step) => (typeof step === 'number' ? String(step) : step.replace(/^./, (first) => first.toUpperCase()))).join('')}`;
}

test('every scalar is one parameter under its documented name, or two coincide and the spec is refused', () => {
  fc.assert(
    fc.property(anySpec, (spec) => {
      const found = leaves(spec);
      const names = found.map(({ way }) => documentedName(way));
      const { parameters, conflict } = deriveParameters({ ...sides, spec });
      assert.equal(conflict === undefined, new Set(names).size === names.length && !names.includes('specJSON'), conflict);
      if (parameters === undefined) return;
      const values = new Map(parameters.map(({ name, value }) => [name, value]));
      for (const [index, { value }] of found.entries()) {
        assert.equal(values.get(names[index] ?? ''), typeof value === 'string' ? value : JSON.stringify(value));
      }
      assert.deepEqual(JSON.parse(values.get('specJSON') ?? ''), JSON.parse(JSON.stringify(spec)));
      assert.equal(values.size, found.length + 9, 'and nothing else');
    }),
  );
});

test('a field that is null or empty, or that no template asks for, changes no parameter of another', () => {
  fc.assert(
    fc.property(anySpec, emptiness, scalar, (spec, empty, unused) => {
      const before = deriveParameters({ ...sides, spec }).parameters?.filter(({ name }) => name !== 'specJSON');
      const beside = { ...spec, Zempty: empty, Zunused: { by: { nobody: unused } } };
      const after = deriveParameters({ ...sides, spec: beside }).parameters?.filter(({ name }) => name !== 'specJSON');
      assert.deepEqual(
        after?.filter(({ name }) => name !== 'specZunusedByNobody'),
        before,
      );
    }),
  );
});

test('numbers are what the JSON said, whole ones of 64 bits to the last digit', () => {
  fc.assert(
    fc.property(
      fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      (whole, real) => {
        const spec = parseJson(`{"whole":${whole},"real":${JSON.stringify(real)},"list":[${whole}]}`);
        const json = JSON.stringify(real);
        assert.deepEqual(flat(spec), { specWhole: String(whole), specReal: json, specList0: String(whole) });
        const { parameters } = deriveParameters({ ...sides, spec });
        assert.equal(parameters?.find(({ name }) => name === 'specJSON')?.value, `{"list":[${whole}],"real":${json},"whole":${whole}}`);
      },
    ),
  );
});

test('what the reference says of the fields of a spec is what becomes of them, and it names every parameter', async () => {
  const text = await readFile(new URL('../../../../docs/reference/workflow-parameters.md', import.meta.url), 'utf8');
  const rows = [...text.matchAll(/^\| `([a-z]+: [^`]*)` \| (.*) \|$/gm)];
  assert.ok(rows.length >= 4);
  for (const [, source = '', told = ''] of rows) {
    const fields = decodeYaml(`{${source}}`).value;
    const values = [...told.matchAll(/`(\w+)` = `([^`]*)`/g)].map(([, name, value]) => [name, value]);
    assert.deepEqual(flat(fields), Object.fromEntries(values), source);
  }
  const { parameters } = deriveParameters({ ...sides, spec: {} });
  for (const { name } of parameters ?? []) assert.ok(text.includes(`\`${name}\``), name);
});
