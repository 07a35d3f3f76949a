import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { compareKeys } from './key-order.ts';
import { SegmentedMap } from './segmented-map.ts';

interface Value {
  readonly key: string;
  readonly content: number;
}

const operation = fc.record({ key: fc.nat({ max: 700 }).map((n) => `k${n}`), content: fc.nat(), remove: fc.boolean() });

test('a segmented map is a sorted map', () => {
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 3000, size: 'max' }), fc.nat(700), fc.nat(700), (operations, from, to) => {
      const map = new SegmentedMap<Value>();
      const model = new Map<string, Value>();
      for (const { key, content, remove } of operations) {
        const value = { key, content };
        assert.equal(remove ? map.delete(key) : map.set(value), model.get(key));
        if (remove) model.delete(key);
        else model.set(key, value);
      }
      const sorted = [...model.values()].sort((a, b) => compareKeys(a.key, b.key));
      assert.equal(map.size, model.size);
      assert.deepEqual(walked(map, '', undefined), sorted);
      const [start, end] = [`k${from}`, `k${to}`];
      const between = sorted.filter(({ key }) => compareKeys(key, start) >= 0 && compareKeys(key, end) < 0);
      assert.deepEqual(walked(map, start, end), between);
      assert.equal(map.count(start, end), between.length);
      assert.equal(map.get(start), model.get(start));
      for (const { segment, from: first, to: end } of map.runs('', undefined)) assert.deepEqual([first, end], [0, segment.length]);
    }),
    { numRuns: 40 },
  );
});

test('a walk stops when told to', () => {
  const map = new SegmentedMap<Value>();
  for (let i = 0; i < 1000; i++) map.set({ key: String(i).padStart(4, '0'), content: i });
  const seen: number[] = [];
  map.walk('0100', undefined, ({ content }) => seen.push(content) < 200);
  assert.deepEqual(
    seen,
    Array.from({ length: 200 }, (_, i) => 100 + i),
  );
});

test('a segment never changes, and only the one a value is in is replaced', () => {
  fc.assert(
    fc.property(fc.array(operation, { minLength: 200, maxLength: 1000, size: 'max' }), (operations) => {
      const map = new SegmentedMap<Value>();
      for (const { key, content } of operations) map.set({ key, content });
      for (const { key, content, remove } of operations.slice(0, 50)) {
        const before = segmentsOf(map);
        const copies = before.map((segment) => [...segment]);
        const changed = remove ? map.delete(key) : map.set({ key, content });
        const after = new Set(segmentsOf(map));
        assert.deepEqual(before, copies);
        const replaced = before.filter((segment) => !after.has(segment));
        // A segment that has become small takes in the one after it.
        assert.ok(replaced.length <= (remove ? 2 : 1));
        if (changed !== undefined) assert.ok(replaced.some((segment) => segment.includes(changed)));
        assert.ok([...after].every((segment) => segment.length > 0 && segment.length < 64));
      }
    }),
    { numRuns: 30 },
  );
});

function segmentsOf(map: SegmentedMap<Value>): (readonly Value[])[] {
  return Array.from(map.runs('', undefined), ({ segment }) => segment);
}

function walked(map: SegmentedMap<Value>, start: string, end: string | undefined): Value[] {
  const values: Value[] = [];
  map.walk(start, end, (value) => values.push(value) > 0);
  return values;
}
