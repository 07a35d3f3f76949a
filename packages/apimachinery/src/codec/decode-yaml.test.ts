import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DecodeError } from './decode-error.ts';
import { decodeYaml, decodeYamlDocuments, maxAliasedValues } from './decode-yaml.ts';

/** Taken from `kubectl annotate --local -f FILE a=b -o json`, kubectl 1.29 and 1.33 alike. */
const kubectlGolden: [source: string, value: unknown][] = [
  ['y', true],
  ['Y', true],
  ['yes', true],
  ['on', true],
  ['ON', true],
  ['oN', 'oN'],
  ['n', false],
  ['off', false],
  ['True', true],
  ['tRUE', 'tRUE'],
  ['"true"', 'true'],
  ['~', null],
  ['null', null],
  ['Null', null],
  ['nUll', 'nUll'],
  ['', null],
  ['12:30:45', '12:30:45'],
  ['2001-12-14', '2001-12-14'],
  ['2001-12-14T21:59:43Z', '2001-12-14T21:59:43Z'],
  ['0o17', 15],
  ['0O17', 15],
  ['017', 15],
  ['0777', 511],
  ['08', 8],
  ['0888', 888],
  ['07.5', 7.5],
  ['0_7', 7],
  ['0x1F', 31],
  ['-0x1F', -31],
  ['+0x10', 16],
  ['0x_1', 1],
  ['0b101', 5],
  ['-0b101', -5],
  ['0x', '0x'],
  ['0b', '0b'],
  ['1_000', 1000],
  ['1__0', 10],
  ['_1', '_1'],
  ['1,000', '1,000'],
  ['1e3', 1000],
  ['1E+3', 1000],
  ['1.e3', 1000],
  ['e3', 'e3'],
  ['1e', '1e'],
  ['.', '.'],
  ['.5', 0.5],
  ['+.5', 0.5],
  ['-.5', -0.5],
  ['5.', 5],
  ['+5', 5],
  ['-5', -5],
  ['--1', '--1'],
  ['1.0', 1],
  ['1.10', 1.1],
  ['0.1_0', 0.1],
  ['0.0.1', '0.0.1'],
  ['-0', 0],
  ['-0.0', 0],
  ['1e400', '1e400'],
  ['1e20', 1e20],
  ['1e-7', 1e-7],
  ['-9223372036854775808', -9223372036854775808n],
  ['9007199254740993', 9007199254740993n],
  ['+9007199254740993', 9007199254740993n],
  ['0x20000000000001', 9007199254740993n],
  ['9223372036854775808', 2 ** 63],
  ['9007199254740993.0', 9007199254740992],
  ['"12"', '12'],
  ["'='", '='],
  ['!!str 12', '12'],
  ['!!str', ''],
  ['!!str null', 'null'],
  ['!!int "12"', 12],
  ['!!float 3', 3],
  ['!!bool y', true],
  ['!!null ""', null],
  ['!!binary aGVsbG8=', 'hello'],
  ['!!timestamp 2001-12-14', '2001-12-14'],
  ['!!set {x, y}', { x: null, true: null }],
  ['!foo bar', 'bar'],
  ['!foo 12', '12'],
  ['! 12', '12'],
];

test('4.1 scalars mean what they mean to kubectl', () => {
  for (const [source, value] of kubectlGolden) assert.deepEqual(decodeYaml(`a: ${source}\n`).value, { a: value }, source);
});

test('4.1 keys become text as kubectl makes them', () => {
  const text = '1: a\ny: b\n1.5: c\n0x10: d\n2001-12-14: f\n"q": g\n.inf: h\n';
  assert.deepEqual(decodeYaml(text).value, { 1: 'a', true: 'b', 1.5: 'c', 16: 'd', '2001-12-14': 'f', q: 'g', '.inf': 'h' });
});

test('merge keys and aliases', () => {
  assert.deepEqual(decodeYaml('base: &b {a: 1, b: 2}\nx:\n  b: 3\n  <<: [*b, {a: 5, c: 6}]\n').value, {
    base: { a: 1, b: 2 },
    x: { b: 3, a: 1, c: 6 },
  });
});

test('4.1 reports duplicate keys', () => {
  const { value, duplicates } = decodeYaml('spec:\n  a: 1\n  l:\n  - {x: 1, x: 2}\n  a: 2\n1: a\n"1": b\n');
  assert.deepEqual(duplicates, ['spec.l[0].x', 'spec.a', '1']);
  assert.deepEqual(value, { spec: { a: 2, l: [{ x: 2 }] }, 1: 'b' });
});

test('__proto__ is an ordinary key, merged ones too', () => {
  assert.equal(
    JSON.stringify(decodeYaml('a: {<<: {__proto__: {p: 1}}}\n__proto__: 2\n').value),
    '{"a":{"__proto__":{"p":1}},"__proto__":2}',
  );
});

test('errors name line and column', () => {
  const cases: [text: string, line: number, what?: RegExp][] = [
    ['a: 1\nb: [1,2\n', 3],
    ['a: 1\nb: c: d\n', 2],
    ['a:\n\tb: 1\n', 2],
    ['a: 1\nb: @x\n', 2],
    ['a: *nope\n', 1, /nope/],
    ['a: 1\nb: &x {b: *x}\n', 2, /contains itself/],
    ['a: 1\nb: .inf\n', 2, /unsupported value/],
    ['a: !!int x\n', 1, /cannot decode `x` as a !!int/],
    ['a: !!binary "*bad"\n', 1, /!!binary/],
    ['~: 1\n', 1, /key must not be null/],
    ['a: 1\n{a: b}: 1\n', 2, /key must be a scalar/],
    ['a: 1\n<<: 3\n', 2, /map merge requires/],
    ['a: 1\n---\nb: 2\n', 3, /one document/],
  ];
  for (const [text, line, what] of cases) {
    assert.throws(
      () => decodeYaml(text),
      (thrown) => {
        assert.ok(thrown instanceof DecodeError, text);
        assert.equal(thrown.line, line, `${text}: ${thrown.message}`);
        if (what !== undefined) assert.match(thrown.message, what);
        return true;
      },
      text,
    );
  }
});

test('alias bombs are refused, ordinary reuse is not', () => {
  const bomb = ['a0: &a0 [x, x, x, x, x, x, x, x, x]'];
  for (let level = 1; level < 10; level++) bomb.push(`a${level}: &a${level} [${`*a${level - 1},`.repeat(9)}]`);
  assert.throws(() => decodeYaml(bomb.join('\n')), /excessive aliasing/);
  const reuse = `a: &a {x: 1}\nb: [${'*a,'.repeat(maxAliasedValues / 2 - 1)}]`;
  assert.doesNotThrow(() => decodeYaml(reuse));
});

test('nesting that would exhaust the stack is refused', () => {
  for (const text of ['['.repeat(600) + ']'.repeat(600), '['.repeat(20_000), '- '.repeat(20_000)]) {
    assert.throws(
      () => decodeYaml(text),
      (thrown) => thrown instanceof DecodeError && /nested more than/.test(thrown.message),
    );
  }
});

test('streams of documents', () => {
  assert.deepEqual(
    decodeYamlDocuments('a: 1\n---\n# nothing\n---\nb: 2\n...\n').map((decoded) => decoded.value),
    [{ a: 1 }, { b: 2 }],
  );
  assert.deepEqual(decodeYaml('').value, null);
  assert.deepEqual(decodeYaml('# nothing\n').value, null);
  assert.deepEqual(decodeYaml('{"json": [true, "yes"]}').value, { json: [true, 'yes'] });
  assert.throws(
    () => decodeYamlDocuments('a: 1\n---\nb: [\n'),
    (thrown) => thrown instanceof DecodeError && thrown.line >= 3,
  );
});
