import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createMemoryStore } from '../memory/memory-store.ts';
import type { ChangeEvent } from '../store.ts';
import { put, text } from './support.ts';
import { brokenResumptions, brokenWatchRules } from './watch-rules.ts';

const created: ChangeEvent = { key: '/a', revision: 1, value: text('1'), previous: undefined };
const updated: ChangeEvent = { key: '/a', revision: 2, value: text('2'), previous: { key: '/a', revision: 1, value: text('1') } };
const deleted: ChangeEvent = { key: '/a', revision: 3, value: null, previous: { key: '/a', revision: 2, value: text('2') } };

test('a feed that keeps the rules is let pass', () => {
  assert.deepEqual(
    brokenWatchRules([
      { revision: 1, events: [created] },
      { revision: 1, events: [] },
      { revision: 5, events: [updated, deleted] },
    ]),
    [],
  );
});

test('repetition, disorder, progress ahead of events and wrong previous values are found', () => {
  const told = (...batches: Parameters<typeof brokenWatchRules>[0]): string => brokenWatchRules(batches).join('\n');
  assert.match(told({ revision: 1, events: [created] }, { revision: 1, events: [created] }), /told after everything up to 1/);
  assert.match(told({ revision: 2, events: [updated, created] }), /told after/);
  assert.match(told({ revision: 2, events: [created] }, { revision: 2, events: [updated] }), /told after everything up to 2/);
  assert.match(told({ revision: 1, events: [created, updated] }), /in a batch up to 1/);
  assert.match(told({ revision: 1, events: [created] }, { revision: 3, events: [deleted] }), /replaced 2, told before was 1/);
  assert.match(told({ revision: 2, events: [{ ...updated, previous: { key: '/a', revision: 1, value: text('x') } }] }), /replaced 1/);
  assert.match(told({ revision: 3, events: [created] }, { revision: 2, events: [] }), /came after/);
});

test('a resumption that misses something is found', async () => {
  await using store = createMemoryStore();
  const first = await put(store, '/a', '1');
  const second = await put(store, '/a', '2', first);
  const event = (revision: number, value: string): ChangeEvent => ({ key: '/a', revision, value: text(value), previous: undefined });
  const told = [event(first, '1'), { ...event(second, '2'), previous: { key: '/a', revision: first, value: text('1') } }];
  assert.deepEqual(await brokenResumptions(store, [0, first, second], told), []);
  assert.match((await brokenResumptions(store, [first], [event(first, '1'), event(second, 'x')])).join(), /resumed from 1/);
});
