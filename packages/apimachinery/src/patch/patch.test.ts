import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { cloneJson, isObject } from '../json/object.ts';
import type { JsonObject } from '../json/object.ts';
import { ApiStatusError } from '../status/api-status-error.ts';
import { applyJsonPatch, maxJsonPatchOperations } from './json-patch.ts';
import { applyMergePatch } from './merge-patch.ts';

const fails = (run: () => unknown, code: number, text?: RegExp): void =>
  assert.throws(run, (thrown) => {
    assert.ok(thrown instanceof ApiStatusError);
    assert.equal(thrown.httpCode, code, thrown.message);
    if (text !== undefined) assert.match(`${thrown.message} ${JSON.stringify(thrown.status.details)}`, text);
    return true;
  });

test('2.7 merge patch: the examples of RFC 7396', () => {
  const cases: [target: unknown, patch: unknown, result: unknown][] = [
    [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
    [{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }],
    [{ a: 'b' }, { a: null }, {}],
    [{ a: 'b', b: 'c' }, { a: null }, { b: 'c' }],
    [{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
    [{ a: 'c' }, { a: ['b'] }, { a: ['b'] }],
    [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
    [{ a: [{ b: 'c' }] }, { a: [1] }, { a: [1] }],
    [
      ['a', 'b'],
      ['c', 'd'],
      ['c', 'd'],
    ],
    [{ a: 'b' }, ['c'], ['c']],
    [{ a: 'foo' }, null, null],
    [{ a: 'foo' }, 'bar', 'bar'],
    [{ e: null }, { a: 1 }, { e: null, a: 1 }],
    [[1, 2], { a: 'b', c: null }, { a: 'b' }],
    [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
  ];
  for (const [target, patch, result] of cases) assert.deepEqual(applyMergePatch(target, patch), result, JSON.stringify(patch));
});

/** The merge patch that turns `from` into `to`; exists when `to` has no nulls. */
function difference(from: unknown, to: unknown): unknown {
  if (!isObject(from) || !isObject(to)) return to;
  const patch: JsonObject = {};
  for (const key of Object.keys(from)) if (!Object.hasOwn(to, key)) patch[key] = null;
  for (const key of Object.keys(to)) patch[key] = Object.hasOwn(from, key) ? difference(from[key], to[key]) : to[key];
  return patch;
}

const keys = fc.constantFrom('a', 'b', 'c', 'constructor');
const withoutNulls = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom(1, 'x', true, ''),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(keys, tie('value'), { noNullPrototype: true }),
  ),
})).value;

test('merge patch: a difference turns the one into the other, twice is as good as once, inputs stay', () => {
  fc.assert(
    fc.property(withoutNulls, withoutNulls, (from, to) => {
      const patch = difference(from, to);
      const before = JSON.stringify([from, patch]);
      const result = applyMergePatch(from, patch);
      assert.deepEqual(result, to);
      assert.deepEqual(applyMergePatch(result, patch), to);
      assert.equal(JSON.stringify([from, patch]), before);
    }),
  );
});

test('patches treat __proto__ as an ordinary key', () => {
  const evil: unknown = JSON.parse('{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}');
  assert.equal(
    JSON.stringify(applyMergePatch({ a: 1 }, evil)),
    '{"a":1,"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}',
  );
  fails(() => applyJsonPatch({ a: 1 }, [{ op: 'add', path: '/__proto__/polluted', value: 1 }]), 422);
  fails(() => applyJsonPatch({ a: 1 }, [{ op: 'add', path: '/constructor/prototype/polluted', value: 1 }]), 422);
  assert.equal(JSON.stringify(applyJsonPatch({}, [{ op: 'add', path: '/__proto__', value: 1 }])), '{"__proto__":1}');
  assert.equal('polluted' in {}, false);
});

test('2.7 JSON patch: operations', () => {
  const cases: [document: unknown, patch: unknown[], result: unknown][] = [
    [{ foo: 'bar' }, [{ op: 'add', path: '/baz', value: 'qux' }], { foo: 'bar', baz: 'qux' }],
    [{ foo: ['bar', 'baz'] }, [{ op: 'add', path: '/foo/1', value: 'qux' }], { foo: ['bar', 'qux', 'baz'] }],
    [{ foo: ['bar'] }, [{ op: 'add', path: '/foo/-', value: ['abc'] }], { foo: ['bar', ['abc']] }],
    [{ foo: ['bar', 'qux', 'baz'] }, [{ op: 'remove', path: '/foo/1' }], { foo: ['bar', 'baz'] }],
    [{ baz: 'qux' }, [{ op: 'replace', path: '/baz', value: 'boo' }], { baz: 'boo' }],
    [
      { foo: { bar: 1, waldo: 2 }, qux: {} },
      [{ op: 'move', from: '/foo/waldo', path: '/qux/thud' }],
      { foo: { bar: 1 }, qux: { thud: 2 } },
    ],
    [{ foo: ['all', 'grass', 'cows', 'eat'] }, [{ op: 'move', from: '/foo/1', path: '/foo/3' }], { foo: ['all', 'cows', 'eat', 'grass'] }],
    [
      { a: { b: 1 } },
      [
        { op: 'copy', from: '/a', path: '/c' },
        { op: 'replace', path: '/c/b', value: 2 },
      ],
      { a: { b: 1 }, c: { b: 2 } },
    ],
    [
      { baz: 'qux', foo: ['a', 2] },
      [
        { op: 'test', path: '/baz', value: 'qux' },
        { op: 'test', path: '/foo/1', value: 2 },
      ],
      { baz: 'qux', foo: ['a', 2] },
    ],
    [
      { '/': 9, '~1': 10 },
      [
        { op: 'test', path: '/~01', value: 10 },
        { op: 'remove', path: '/~1' },
      ],
      { '~1': 10 },
    ],
    [{ a: 1 }, [{ op: 'replace', path: '', value: { b: 2 } }], { b: 2 }],
    [{ a: null }, [{ op: 'test', path: '/a', value: null }], { a: null }],
    [{ a: 1 }, [{ op: 'move', from: '/a', path: '/a' }], { a: 1 }],
  ];
  for (const [document, patch, result] of cases) {
    const before = JSON.stringify([document, patch]);
    assert.deepEqual(applyJsonPatch(document, patch), result, before);
    assert.equal(JSON.stringify([document, patch]), before);
  }
});

test('2.3 JSON patch: what does not fit is 422 with its reason, a malformed patch 400, too many operations 413', () => {
  fails(() => applyJsonPatch({}, [{ op: 'remove', path: '/a' }]), 422, /operation 0 \(remove .*nothing is at/);
  fails(() => applyJsonPatch({}, [{ op: 'add', path: '/a/b', value: 1 }]), 422);
  fails(() => applyJsonPatch({}, [{ op: 'replace', path: '/a', value: 1 }]), 422);
  fails(() => applyJsonPatch({ a: [1] }, [{ op: 'add', path: '/a/2', value: 1 }]), 422, /out of range/);
  fails(() => applyJsonPatch({ a: [1] }, [{ op: 'add', path: '/a/01', value: 1 }]), 422);
  fails(() => applyJsonPatch({ a: 1 }, [{ op: 'test', path: '/a', value: '1' }]), 422, /the test failed/);
  fails(() => applyJsonPatch({ a: {} }, [{ op: 'move', from: '/a', path: '/a/b' }]), 422, /into itself/);
  assert.throws(() => applyJsonPatch({}, [{ op: 'remove', path: '/a' }]), {
    message: 'the server rejected our request due to an error in our request',
  });
  for (const patch of [
    {},
    [1],
    [{ op: 'add', path: '/a' }],
    [{ op: 'x', path: '/a' }],
    [{ op: 9_007_199_254_740_993n, path: '/a' }],
    [{ path: '/a' }],
    [{ op: 'remove', path: 'a' }],
    [{ op: 'remove', path: '/~2' }],
    [{ op: 'copy', path: '/a' }],
  ]) {
    fails(() => applyJsonPatch({ a: 1 }, patch), 400);
  }
  const many = Array.from({ length: maxJsonPatchOperations + 1 }, () => ({ op: 'test', path: '', value: {} }));
  fails(() => applyJsonPatch({}, many), 413, /The allowed maximum operations in a JSON patch is 10000, got 10001/);
  assert.deepEqual(applyJsonPatch({}, many.slice(1)), {});
  const doubling = Array.from({ length: 100 }, () => ({ op: 'copy', from: '', path: '/a' }));
  fails(() => applyJsonPatch({ b: 'x'.repeat(1000) }, doubling), 413, /copies/);
  const deepening = Array.from({ length: 1000 }, () => ({ op: 'copy', from: '', path: '/a' }));
  fails(() => applyJsonPatch({}, deepening), 422, /nest more than/);
});

test('JSON patch: adding and removing again changes nothing', () => {
  fc.assert(
    fc.property(fc.array(fc.jsonValue(), { minLength: 1 }), fc.jsonValue(), fc.nat(), (list, value, pick) => {
      const path = `/list/${pick % (list.length + 1)}`;
      const document = { list: cloneJson(list) };
      assert.deepEqual(
        applyJsonPatch(document, [
          { op: 'add', path, value },
          { op: 'test', path, value },
          { op: 'remove', path },
        ]),
        document,
      );
    }),
  );
});
