import assert from 'node:assert/strict';
import { test } from 'node:test';
import { settle } from '../conformance/support.ts';
import { SegmentedMap } from '../segmented-map.ts';
import { decodeStored, type StoredObject } from './cached-object.ts';
import type { Requirement } from './contract.ts';
import { ObjectIndexes } from './object-indexes.ts';
import { orderJson, orderKey, orders } from './testing.ts';

function order(path: string, color: string): StoredObject {
  return decodeStored({ key: orderKey(path), revision: 1, value: orderJson(path, { labels: { color } }) }, orders);
}

/** Objects and their indexes, changed together. */
class Indexed {
  readonly objects = new SegmentedMap<StoredObject>();
  readonly indexes = new ObjectIndexes(this.objects);

  put(path: string, color: string): void {
    const object = order(path, color);
    this.indexes.replace(this.objects.set(object), object);
  }

  remove(path: string): void {
    this.indexes.replace(this.objects.delete(orderKey(path)), undefined);
  }

  /** The names of the candidates; undefined: all objects are. */
  candidates(...requirements: readonly Requirement[]): readonly string[] | undefined {
    const found = this.indexes.candidates(requirements, orders.prefix, undefined);
    if (found === undefined) return undefined;
    return [...found.runs(orders.prefix, undefined)].flatMap(({ segment, from, to }) => segment.slice(from, to).map(({ name }) => name));
  }
}

const color = (...values: readonly string[]): Requirement => ({ by: 'label', name: 'color', values });

test('only what has the demanded value is a candidate, in key order, whatever happened to it before', () => {
  const indexed = new Indexed();
  for (const [path, own] of Object.entries({ 'n/c': 'red', 'n/a': 'red', 'n/b': 'blue', 'n/d': 'green' })) indexed.put(path, own);
  assert.deepEqual(indexed.candidates(color('red')), ['a', 'c']);
  assert.deepEqual(indexed.candidates(color('blue')), ['b']);
  assert.deepEqual(indexed.candidates(color('green', 'blue', 'green')), ['b', 'd']);
  assert.deepEqual(indexed.candidates(color('none')), []);
  indexed.put('n/a', 'blue');
  indexed.put('n/b', 'green');
  indexed.remove('n/d');
  assert.deepEqual(indexed.candidates(color('red')), ['c']);
  assert.deepEqual(indexed.candidates(color('blue')), ['a']);
  assert.deepEqual(indexed.candidates(color('green')), ['b']);
});

test('the requirement with the fewest candidates decides, and none when the range has as few objects', () => {
  const indexed = new Indexed();
  for (const name of ['a', 'b', 'c']) indexed.put(`n/${name}`, 'red');
  const name: Requirement = { by: 'field', name: 'metadata.name', values: ['b'] };
  assert.deepEqual(indexed.candidates(color('red'), name), ['b']);
  assert.equal(indexed.candidates(color('red')), undefined);
  assert.equal(indexed.indexes.candidates([color('red')], orderKey('n/c'), undefined), undefined);
});

test('an index over many objects is made in many turns, and misses none that changed meanwhile', async () => {
  const indexed = new Indexed();
  const path = (i: number): string => `n/${String(i).padStart(5, '0')}`;
  for (let i = 0; i < 10_000; i++) indexed.put(path(i), i % 100 === 0 ? 'red' : 'blue');
  assert.equal(indexed.candidates(color('red')), undefined, 'not complete yet');
  for (const i of [1, 9_999]) indexed.put(path(i), 'red');
  for (const i of [0, 9_900]) indexed.put(path(i), 'blue');
  for (const i of [100, 9_800]) indexed.remove(path(i));
  while (indexed.candidates(color('red')) === undefined) await settle();
  const expected: string[] = [];
  indexed.objects.walk('', undefined, ({ labels, name }) => labels['color'] !== 'red' || expected.push(name) > 0);
  assert.equal(expected.length, 98);
  assert.deepEqual(indexed.candidates(color('red')), expected);
});

test('selecting by ever new labels does not make ever more indexes', () => {
  const indexed = new Indexed();
  indexed.put('n/a', 'red');
  indexed.put('n/b', 'blue');
  for (let i = 0; i < 100; i++) indexed.indexes.candidates([{ by: 'label', name: `label-${i}`, values: ['x'] }], '', undefined);
  assert.ok(indexed.indexes.size <= 16);
  assert.deepEqual(indexed.candidates(color('red')), ['a']);
});
