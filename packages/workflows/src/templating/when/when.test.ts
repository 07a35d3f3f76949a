import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { evaluateWhen } from './when.ts';

const yes = [
  '',
  'heads == heads',
  'oci == oci',
  "'docker.io' == 'docker.io'",
  '"library/alpine" == \'library/alpine\'',
  'true',
  'true == true',
  'true && !false',
  '1 < 2',
  '3.18 == 3.18',
  'a in (a, b)',
  '!(c in (a, b))',
  'foobar =~ "^foo"',
  'foobar !~ baz',
  'false || (1 + 1 == 2)',
  '2 ** 3 == 8',
  "[my-value] == 'my-value'",
  'true ? true : false',
  "'b' > 'a'",
  "'2026-01-01' == '2026-01-01'",
  '-1 < 0',
  "a == b || 'x' == 'x'",
];
const no = ['heads == tails', "'1' == 1", '"true" == true', 'a != a', 'false && 1 == 1', '2 < 1', 'oci == helm'];
const errors: readonly (readonly [string, RegExp])[] = [
  ['docker.io == docker.io', /unexported field 'io'/],
  ['my-registry == x', /not a number/],
  ['library/alpine == x', /not a number/],
  ['1.2.3 == 1', /Unable to parse numeric value/],
  [' == oci', /Unexpected '=='/],
  ['oci == ', /Unexpected end/],
  ['heads', /Expected boolean evaluation/],
  ['1 + 1', /Expected boolean evaluation/],
  ['a b', /Unexpected 'b'/],
  ["'open == 1", /Unclosed string/],
  ['(a == a', /Unbalanced parenthesis/],
  ['a && b', /not a bool/],
  ['a in b', /not an array/],
  ['@ == 1', /Invalid token/],
  ['a:b == x', /Unexpected ':'/],
  ["'a' =~ '('", /Unable to compile/],
];

test('when: what is true', () => {
  for (const expression of yes) assert.equal(evaluateWhen(expression), true, expression);
});

test('when: what is false', () => {
  for (const expression of no) assert.equal(evaluateWhen(expression), false, expression);
});

test('when: what is an error is never false (1.5)', () => {
  for (const [expression, message] of errors) assert.throws(() => evaluateWhen(expression), { code: 'InvalidWhen', message }, expression);
});

test('when: quoted texts without quotes and backslashes compare as themselves, whatever they contain', () => {
  const plain = fc.string({ unit: 'grapheme' }).filter((text) => !/['"\\]/.test(text));
  fc.assert(
    fc.property(plain, (text) => {
      assert.equal(evaluateWhen(`'${text}' == '${text}'`), true);
    }),
  );
});

test('when: any text gives a boolean or an InvalidWhen, never another failure', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      try {
        assert.equal(typeof evaluateWhen(text), 'boolean');
      } catch (error) {
        assert.equal((error as { code?: string }).code, 'InvalidWhen');
      }
    }),
    { numRuns: 1000 },
  );
});
