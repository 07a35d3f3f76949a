import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { median, medianRatio, percentile, show } from './summary.ts';

const values = fc.array(fc.double({ noNaN: true, noDefaultInfinity: true }), { minLength: 1, maxLength: 200 });

test('a percentile is one of the values, with at least that share of them at or below it', () => {
  fc.assert(
    fc.property(values, fc.double({ min: 0, max: 1, noNaN: true }), (all, share) => {
      const found = percentile(all, share);
      assert.ok(all.includes(found));
      assert.ok(all.filter((value) => value <= found).length >= share * all.length);
      assert.ok(all.filter((value) => value < found).length <= share * all.length);
    }),
  );
});

test('the median does not depend on the order, and lies in the middle', () => {
  assert.equal(median([3, 1, 2]), 2);
  assert.equal(median([4, 1, 3, 2]), 2.5);
  assert.ok(Number.isNaN(median([])));
  fc.assert(fc.property(values, (all) => assert.equal(median(all), median(all.toReversed()))));
});

test('ratios are taken round by round where the rounds were measured in turn', () => {
  assert.equal(medianRatio([10, 20, 90], [10, 10, 10]), 2);
  assert.equal(medianRatio([1, 8, 3], [1, 4, 6]), 1);
  assert.equal(medianRatio([10, 20, 30], [5]), 4);
});

test('numbers are shown with three significant digits and their unit', () => {
  assert.equal(show(0.41234, 'ms'), '0.412 ms');
  assert.equal(show(12.345, 'ms'), '12.3 ms');
  assert.equal(show(1234.5, 'ms'), '1,230 ms');
  assert.equal(show(45_678, 'ms'), '45.7 s');
  assert.equal(show(15_349, '1/s'), '15,300/s');
  assert.equal(show(999, 'bytes'), '999 B');
  assert.equal(show(1500, 'bytes'), '1.50 KB');
  assert.equal(show(2.5e9, 'bytes'), '2.50 GB');
  assert.equal(show(2, 'x'), '2.00x');
});
