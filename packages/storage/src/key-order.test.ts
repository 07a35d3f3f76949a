import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { compareKeys, keyAfter, prefixEnd } from './key-order.ts';

const key = fc.string({ unit: 'binary', maxLength: 6 });
const closeKey = fc.string({
  unit: fc.constantFrom('a', '-', '/', 'é', '\ud7ff', '\ue000', '\uffff', '\u{10000}', '\u{10ffff}'),
  maxLength: 4,
});
const anyKey = fc.oneof(key, closeKey);
const bytewise = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));

test('keys compare as their UTF-8 bytes do', () => {
  fc.assert(fc.property(anyKey, anyKey, (a, b) => assert.equal(Math.sign(compareKeys(a, b)), bytewise(a, b))));
  assert.ok(compareKeys('a-b/x', 'a/x') < 0);
});

test('a key is below the end of its prefixes, and nothing else between them is', () => {
  fc.assert(
    fc.property(anyKey, anyKey, (prefix, other) => {
      const end = prefixEnd(prefix);
      const inRange = compareKeys(other, prefix) >= 0 && (end === undefined || compareKeys(other, end) < 0);
      assert.equal(inRange, other.startsWith(prefix));
    }),
  );
  assert.equal(prefixEnd(''), undefined);
  assert.equal(prefixEnd('/a/'), '/a0');
});

test('nothing lies between a key and the one after it', () => {
  fc.assert(fc.property(anyKey, anyKey, (a, b) => assert.equal(compareKeys(b, keyAfter(a)) >= 0, compareKeys(b, a) > 0)));
});
