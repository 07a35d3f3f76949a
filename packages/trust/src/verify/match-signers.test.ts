import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { countSatisfied } from './match-signers.ts';

test('one signer counts once, and those who could be somebody else make room', () => {
  assert.equal(countSatisfied([new Set(['a']), new Set(['a'])]), 1);
  assert.equal(countSatisfied([new Set(['a', 'b']), new Set(['a'])]), 2);
  assert.equal(countSatisfied([new Set(['a', 'b']), new Set(['a', 'c']), new Set(['a'])]), 3);
  assert.equal(countSatisfied([new Set(), new Set(['a'])]), 1);
});

test('it is the largest number of pairs there is', () => {
  const signer = fc.constantFrom('a', 'b', 'c', 'd');
  fc.assert(
    fc.property(fc.array(fc.uniqueArray(signer), { maxLength: 5 }), (lists) => {
      const best = (from: number, used: ReadonlySet<string>): number =>
        from === lists.length
          ? 0
          : Math.max(
              best(from + 1, used),
              ...(lists[from] ?? []).filter((name) => !used.has(name)).map((name) => 1 + best(from + 1, new Set([...used, name]))),
            );
      assert.equal(countSatisfied(lists.map((list) => new Set(list))), best(0, new Set()));
    }),
  );
});
