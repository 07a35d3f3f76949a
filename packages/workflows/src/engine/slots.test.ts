import type { ReconcileRequest } from '@arc/controller';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Slots } from './slots.ts';

function request(name: string): ReconcileRequest {
  return { namespace: 'n', name };
}

test('slots go to who asked first, one for each that becomes free', () => {
  const called: string[] = [];
  const slots = new Slots(2, ({ name }) => called.push(name));
  assert.deepEqual(
    ['a', 'b', 'c', 'd', 'e'].map((name) => slots.acquire(name, request(name))),
    [true, true, false, false, false],
  );
  slots.release('a');
  slots.release('nobody');
  assert.deepEqual(called, ['c']);
  assert.equal(slots.acquire('c', request('c')), true);
  slots.lookedAt(request('c'));
  assert.deepEqual(called, ['c'], 'the slot is taken');
  slots.release('b');
  assert.deepEqual(called, ['c', 'd']);
});

test('a slot whose next in line is gone goes to the one after', () => {
  const called: string[] = [];
  const slots = new Slots(1, ({ name }) => called.push(name));
  for (const name of ['a', 'gone', 'b']) slots.acquire(name, request(name));
  slots.release('a');
  assert.deepEqual(called, ['gone']);
  slots.lookedAt(request('gone'));
  assert.deepEqual(called, ['gone', 'b']);
  assert.equal(slots.acquire('b', request('b')), true);
});
