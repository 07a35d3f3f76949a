import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { DecodeError } from './decode-error.ts';
import { maxNestingDepth } from '../json/nesting.ts';
import { decodeJson } from './decode-json.ts';

/** `JSON.parse` with what it loses of int64, taken from the source text. */
function parsed(text: string): unknown {
  return JSON.parse(text, function (this: unknown, _key: string, value: unknown, ...context: { readonly source?: string }[]) {
    const source = context[0]?.source ?? '';
    if (typeof value !== 'number' || Number.isSafeInteger(value) || !/^-?\d+$/.test(source)) return value;
    return BigInt.asIntN(64, BigInt(source)) === BigInt(source) ? BigInt(source) : value;
  });
}

test('decodes what JSON.parse decodes', () => {
  fc.assert(
    fc.property(fc.json({ maxDepth: 6 }), fc.constantFrom(undefined, 1, '\t'), (json, indent) => {
      const text = JSON.stringify(JSON.parse(json), undefined, indent);
      assert.deepEqual(decodeJson(text), { value: parsed(text), duplicates: [] });
      assert.deepEqual(decodeJson(new TextEncoder().encode(text)).value, parsed(text));
    }),
  );
});

test('accepts exactly the texts JSON.parse accepts', () => {
  const alphabet = [
    '{',
    '}',
    '[',
    ']',
    ',',
    ':',
    '"',
    'a',
    '\\',
    'u0041',
    '1',
    '-',
    '.',
    'e',
    'true',
    'nul',
    'null',
    ' ',
    '\n',
    '\u0001',
    '0',
  ];
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...alphabet), { maxLength: 12 }), (parts) => {
      const text = parts.join('');
      let expected: { value: unknown } | undefined;
      try {
        expected = { value: parsed(text) };
      } catch {
        assert.throws(() => decodeJson(text), DecodeError);
        return;
      }
      assert.deepEqual(decodeJson(text).value, expected.value);
    }),
    { numRuns: 3000 },
  );
});

test('2.4 reports the path of every duplicate key; the last value counts', () => {
  const { value, duplicates } = decodeJson('{"spec":{"a":1,"a":2,"l":[{"x":1},{"x":1,"x":2}]},"kind":"A","kind":"B"}');
  assert.deepEqual(duplicates, ['spec.a', 'spec.l[1].x', 'kind']);
  assert.deepEqual(value, { spec: { a: 2, l: [{ x: 1 }, { x: 2 }] }, kind: 'B' });
});

test('__proto__ is an ordinary key', () => {
  const { value, duplicates } = decodeJson('{"__proto__":{"polluted":true},"a":{"__proto__":1,"__proto__":2}}');
  assert.equal(JSON.stringify(value), '{"__proto__":{"polluted":true},"a":{"__proto__":2}}');
  assert.deepEqual(duplicates, ['a.__proto__']);
  assert.equal(Object.getPrototypeOf(value), Object.prototype);
  assert.equal('polluted' in {}, false);
});

test('errors name line and column', () => {
  const cases: [text: string, line: number, column: number, what: RegExp][] = [
    ['', 1, 1, /unexpected end of JSON input/],
    ['{\n  "a": 1,\n}', 3, 1, /invalid character '}' looking for beginning of object key string/],
    ['{"a" 1}', 1, 6, /invalid character '1' after object key/],
    ['[1 2]', 1, 4, /invalid character '2' after array element/],
    ['{"a":1} x', 1, 9, /invalid character 'x' after top-level value/],
    ['{"a":tru}', 1, 9, /in literal true \(expecting 'e'\)/],
    ['"a\nb"', 1, 3, /invalid character '\\n' in string literal/],
    ['{"a":01}', 1, 7, /after object key:value pair/],
    ['"\\x"', 1, 1, /invalid escape/],
    ['1e999', 1, 1, /out of range/],
  ];
  for (const [text, line, column, what] of cases) {
    assert.throws(
      () => decodeJson(text),
      (thrown) => {
        assert.ok(thrown instanceof DecodeError, text);
        assert.deepEqual([thrown.line, thrown.column], [line, column], text);
        assert.match(thrown.message, what);
        return true;
      },
    );
  }
});

test('refuses nesting that would exhaust the stack', () => {
  const deep = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth);
  assert.doesNotThrow(() => decodeJson(deep(maxNestingDepth)));
  assert.throws(() => decodeJson(deep(100_000)), /nested more than/);
});
