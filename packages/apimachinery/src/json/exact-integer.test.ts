import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { decodeJson } from '../codec/decode-json.ts';
import { parseJson } from '../codec/parse-json.ts';
import { canonicalJson } from './canonical.ts';
import { exactInteger, exactNumber, holdsLongNumber } from './exact-integer.ts';
import { deepEqual } from './object.ts';
import { stringifyJson } from './stringify.ts';

const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });

test('4.1 every int64 is kept as its digits say, as a number where that is exact', () => {
  fc.assert(
    fc.property(fc.oneof(int64, fc.maxSafeInteger().map(BigInt)), (integer) => {
      const value = exactNumber(integer.toString());
      assert.equal(value.toString(), integer.toString());
      assert.equal(typeof value, Number.isSafeInteger(Number(integer)) ? 'number' : 'bigint');
      assert.equal(exactInteger(integer), value);
    }),
  );
});

test('4.1 what is no int64 is a double, as in Kubernetes', () => {
  for (const [text, value] of [
    ['9007199254740991', 9007199254740991],
    ['9007199254740992', 9007199254740992n],
    ['9223372036854775807', 9223372036854775807n],
    ['9223372036854775808', 2 ** 63],
    ['-9223372036854775808', -9223372036854775808n],
    ['-9223372036854775809', -(2 ** 63)],
    ['9007199254740993.0', 9007199254740992],
    ['1e3', 1000],
    ['1.0', 1],
    ['9007199254740993e0', 9007199254740992],
  ] as const) {
    assert.equal(exactNumber(text), value, text);
    assert.equal(decodeJson(text).value, value, text);
  }
});

test('a text holds a long number where 16 digits stand in a row', () => {
  const piece = fc.oneof(
    fc.stringMatching(/^[0-9]{0,20}$/),
    fc.stringMatching(/^[a-z":,{}]{0,20}$/),
    fc.constantFrom('123456789012345', '1234567890123456'),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
      const text = pieces.join('');
      assert.equal(holdsLongNumber(text), /[0-9]{16}/.test(text), text);
    }),
    { numRuns: 2_000 },
  );
});

test('values with bigints are written and read without loss, and otherwise as JSON writes and reads them', () => {
  const value = fc.letrec<{ value: unknown }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 4 },
      int64.map(exactInteger),
      fc.string({ unit: 'grapheme' }),
      fc.boolean(),
      fc.constant(null),
      fc.array(tie('value'), { maxLength: 4 }),
      fc.dictionary(fc.string(), tie('value'), { maxKeys: 4 }),
    ),
  })).value;
  fc.assert(
    fc.property(value, fc.constantFrom(undefined, 2), (given, indent) => {
      const text = stringifyJson(given, indent);
      assert.ok(deepEqual(parseJson(text), given), text);
      assert.ok(deepEqual(decodeJson(text).value, given), text);
      assert.ok(deepEqual(parseJson(canonicalJson(given)), given));
    }),
  );
  assert.equal(stringifyJson({ a: [2n ** 60n, 1.5, -0], b: 'x' }), '{"a":[1152921504606846976,1.5,0],"b":"x"}');
});

test('a bigint equals the number of the same value and no other', () => {
  assert.ok(deepEqual([2n ** 53n], [2 ** 53]));
  assert.ok(deepEqual(2 ** 53, 2n ** 53n));
  assert.ok(!deepEqual(2n ** 53n + 1n, 2 ** 53));
  assert.ok(!deepEqual(2n ** 53n, '9007199254740992'));
  assert.ok(!deepEqual(2n ** 53n, null));
  assert.ok(!deepEqual(1n, 1.5));
});
