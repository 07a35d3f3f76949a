import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { decodeYaml } from './decode-yaml.ts';
import { encodeYaml } from './encode-yaml.ts';
import { parseJson } from './parse-json.ts';
import { stringifyJson } from '../json/stringify.ts';

const plain = (value: unknown): unknown => parseJson(stringifyJson(value));

test('4.1 what is written as YAML is read back as the same value', () => {
  const awkward = fc.constantFrom(
    'y',
    'no',
    '0o17',
    '12:30:45',
    '<<',
    '',
    '~',
    ' x',
    'a: b',
    '#',
    '- a',
    '1_000',
    '0x1f',
    'a\nb\n',
    '\n',
    '"',
    "'",
    '|',
    '.inf',
    '=',
    '%',
    '@',
    '1e3',
    '\t',
    'é\u2028',
    '---',
    '...',
    'null',
    '2001-12-14',
    '\r\n',
    '\u0000',
  );
  const value = fc.letrec<{ value: unknown }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 4 },
      awkward,
      fc.string({ unit: 'binary' }),
      fc.integer(),
      fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.boolean(),
      fc.constant(null),
      fc.array(tie('value'), { maxLength: 4 }),
      fc.dictionary(fc.oneof(awkward, fc.string()), tie('value'), { maxKeys: 4 }),
    ),
  })).value;
  fc.assert(fc.property(value, (given) => assert.deepEqual(decodeYaml(encodeYaml(given)).value, plain(given))));
});

test('YAML is written in block style', () => {
  assert.equal(
    encodeYaml({ apiVersion: 'v1', metadata: { labels: { a: 'yes' }, finalizers: ['x'] }, items: [], data: {}, text: 'a\nb\n' }),
    'apiVersion: v1\nmetadata:\n  labels:\n    a: "yes"\n  finalizers:\n  - x\nitems: []\ndata: {}\ntext: |\n  a\n  b\n',
  );
});
