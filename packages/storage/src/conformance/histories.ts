import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compareKeys } from '../key-order.ts';
import type { ChangeEvent, Store, StoredValue, WriteItem } from '../store.ts';
import type { StoreAdapter } from './adapter.ts';
import { changesUntil, plain, plainEvent, put, randomIntegers, testSeed, text, write, type PlainValue } from './support.ts';

export function historyTests(adapter: StoreAdapter): void {
  test('a random history leaves what a simple model leaves', async (t) => {
    const seed = testSeed(t);
    await using store = await adapter.open();
    await checkHistory(store, randomIntegers(seed), `seed ${seed}`);
  });

  const { reopen } = adapter;
  if (reopen === undefined) return;

  test('a restart keeps values, revisions, history and the compacted revision', async () => {
    let store = await adapter.open();
    try {
      const a1 = await put(store, '/a', '1');
      const a2 = await put(store, '/a', '2', a1);
      const b1 = await put(store, '/b', '1');
      store = await reopen(store);
      assert.equal(await store.currentRevision(), b1);
      assert.deepEqual(plain(await store.get('/a')), { key: '/a', revision: a2, value: '2' });
      assert.deepEqual((await store.range({ prefix: '/', revision: a1 })).items.map(plain), [{ key: '/a', revision: a1, value: '1' }]);
      assert.equal((await changesUntil(store, 0, b1)).length, 3);
      await store.compact(b1);
      store = await reopen(store);
      assert.equal(await store.compactedRevision(), b1);
      assert.equal(await store.currentRevision(), b1);
      await assert.rejects(store.range({ prefix: '/', revision: a2 }), { code: 'Compacted' });
      const deleted = await put(store, '/b', null, b1);
      assert.ok(deleted > b1);
      await store.compact(deleted);
      store = await reopen(store);
      assert.equal(await store.currentRevision(), deleted, 'the newest revision outlives the history');
      assert.ok((await put(store, '/b', '2')) > deleted);
    } finally {
      await store[Symbol.asyncDispose]();
    }
  });

  test('a random history survives a restart', async (t) => {
    const seed = testSeed(t);
    let store = await adapter.open();
    try {
      const before = await checkHistory(store, randomIntegers(seed), `seed ${seed}`);
      store = await reopen(store);
      const { items } = await store.range({ prefix: '' });
      assert.deepEqual(items.map(plain), before, `seed ${seed}`);
    } finally {
      await store[Symbol.asyncDispose]();
    }
  });
}

/** Commits random batches, checks every outcome, snapshot and change against a model; returns the final state. */
async function checkHistory(store: Store, random: (below: number) => number, message: string): Promise<PlainValue[]> {
  const model = new Model();
  for (let batchNumber = 0; batchNumber < 60; batchNumber++) {
    const batch = randomBatch(model, random, batchNumber);
    const outcomes = await store.commit(batch);
    const committed: (readonly [item: WriteItem, revision: number])[] = [];
    for (const [i, item] of batch.entries()) {
      const outcome = outcomes[i];
      const prior = model.live.get(item.key);
      assert.equal(outcome?.committed, isMatch(item, prior), message);
      if (outcome === undefined) continue;
      assert.deepEqual(plain(outcome.committed ? outcome.previous : outcome.current), plain(prior), message);
      if (outcome.committed) committed.push([item, outcome.revision]);
    }
    // The keys of a batch are distinct, so in which order it was applied shows only in the revisions.
    if (store.independentWrites === true) committed.sort(([, a], [, b]) => a - b);
    for (const [item, revision] of committed) model.apply(item, revision);
    model.remember(await store.currentRevision());
  }
  for (const [revision, state] of model.states) {
    const { items } = await store.range({ prefix: '', revision });
    assert.deepEqual(items.map(plain), state, `${message}, at ${revision}`);
  }
  const newest = await store.currentRevision();
  assert.deepEqual((await changesUntil(store, 0, newest)).map(plainEvent), model.log.map(plainEvent), message);
  const last = model.log.at(-1);
  if (last?.value !== undefined && last.value !== null) {
    const outcome = await write(store, { key: last.key, expect: last.revision - 1, value: null });
    assert.equal(outcome.committed, false, message);
  }
  return model.state();
}

function randomBatch(model: Model, random: (below: number) => number, batchNumber: number): WriteItem[] {
  const keys = new Set(Array.from({ length: 1 + random(8) }, () => `/${'ab-/.'.charAt(random(5))}${random(6)}`));
  return [...keys].map((key, i) => {
    const current = model.live.get(key)?.revision ?? 'absent';
    const expect = random(4) === 0 ? ([1, 'absent', batchNumber] as const)[random(3)] : current;
    return { key, expect: expect ?? 'absent', value: random(3) === 0 ? null : text(`${batchNumber}.${i}`) };
  });
}

function isMatch(item: WriteItem, prior: StoredValue | undefined): boolean {
  return item.expect === 'absent' ? prior === undefined && item.value !== null : prior?.revision === item.expect;
}

class Model {
  readonly live = new Map<string, StoredValue>();
  readonly log: ChangeEvent[] = [];
  readonly states = new Map<number, PlainValue[]>();

  apply({ key, value }: WriteItem, revision: number): void {
    assert.ok(revision > (this.log.at(-1)?.revision ?? 0));
    this.log.push({ key, revision, value, previous: this.live.get(key) });
    if (value === null) this.live.delete(key);
    else this.live.set(key, { key, revision, value });
  }

  state(): PlainValue[] {
    return [...this.live.values()].sort((a, b) => compareKeys(a.key, b.key)).map((stored) => plain(stored));
  }

  remember(revision: number): void {
    this.states.set(revision, this.state());
  }
}
