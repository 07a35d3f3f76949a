import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { mergePatchBetween } from './write-status.ts';

/** RFC 7396, section 2. */
function apply(target: unknown, patch: unknown): unknown {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return patch;
  const result: Record<string, unknown> = typeof target === 'object' && target !== null && !Array.isArray(target) ? { ...target } : {};
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete result[name];
    else result[name] = apply(Object.hasOwn(result, name) ? result[name] : undefined, value);
  }
  return result;
}

const leaf = fc.oneof(fc.string(), fc.integer(), fc.boolean(), fc.array(fc.integer(), { maxLength: 2 }));
const name = fc.constantFrom('a', 'b', 'c', 'constructor', 'toString');
const status = fc.dictionary(name, fc.oneof(leaf, fc.dictionary(name, fc.oneof(leaf, fc.dictionary(name, leaf)))));

test('the patch between two statuses turns one into the other, and there is none between equal ones (RFC 7396)', () => {
  fc.assert(
    fc.property(status, status, (from, to) => {
      const patch = mergePatchBetween(from, to);
      assert.deepEqual(JSON.parse(JSON.stringify(apply(from, patch ?? {}))), JSON.parse(JSON.stringify(to)));
      assert.equal(mergePatchBetween(from, structuredClone(from)), undefined);
    }),
  );
});

test('undefined counts as absent', () => {
  assert.equal(mergePatchBetween({ a: 1 }, { a: 1, b: undefined }), undefined);
  assert.deepEqual(mergePatchBetween({ a: 1, b: { c: 2 } }, { b: { c: undefined, d: 3 } }), { a: null, b: { c: null, d: 3 } });
});
