import assert from 'node:assert/strict';
import { test } from 'node:test';
import { put, settle, text } from './conformance/support.ts';
import { createWriter } from './group-commit.ts';
import { createMemoryStore } from './memory/memory-store.ts';
import { StorageError } from './storage-error.ts';
import type { Store, WriteItem, WriteOutcome } from './store.ts';

const create = (key: string, value = 'x'): WriteItem => ({ key, expect: 'absent', value: text(value) });

/** A store whose commits wait until they are let through, or fail. */
function gated(store: Store): { readonly store: Store; readonly batches: string[][]; readonly release: (error?: Error) => Promise<void> } {
  const batches: string[][] = [];
  const waiting: ((error?: Error) => void)[] = [];
  const commit = async (batch: readonly WriteItem[]): Promise<readonly WriteOutcome[]> => {
    batches.push(batch.map(({ key }) => key));
    await new Promise<void>((resolve, reject) => waiting.push((error) => (error === undefined ? resolve() : reject(error))));
    return store.commit(batch);
  };
  return {
    store: new Proxy(store, { get: (target, name) => (name === 'commit' ? commit : Reflect.get(target, name, target)) }),
    batches,
    async release(error) {
      await settle();
      waiting.shift()?.(error);
      await settle();
    },
  };
}

test('writes of one turn are one batch, and those of a commit in flight the next', async () => {
  await using store = createMemoryStore();
  const gate = gated(store);
  const writer = createWriter(gate.store);
  const first = [writer.write(create('/a')), writer.write(create('/b'))];
  await settle();
  const second = [writer.write(create('/c')), writer.write(create('/d')), writer.write(create('/e'))];
  await gate.release();
  await gate.release();
  assert.deepEqual(gate.batches, [
    ['/a', '/b'],
    ['/c', '/d', '/e'],
  ]);
  const revisions = (await Promise.all([...first, ...second])).map((outcome) => (outcome.committed ? outcome.revision : 0));
  assert.deepEqual(revisions, [1, 2, 3, 4, 5]);
});

test('a write that is given up in time is never sent, and the next of its key takes its place', async () => {
  await using store = createMemoryStore();
  const gate = gated(store);
  const writer = createWriter(gate.store);
  const stop = new AbortController();
  const first = writer.write(create('/a'));
  await settle();
  const abandoned = [writer.write(create('/b', '1'), stop.signal), writer.write(create('/a', '2'), stop.signal)];
  const kept = [writer.write(create('/b', '2')), writer.write(create('/c'))];
  stop.abort(new Error('too late'));
  for (const write of abandoned) await assert.rejects(write, /too late/);
  await assert.rejects(writer.write(create('/d'), stop.signal), /too late/);
  await gate.release();
  await gate.release();
  assert.deepEqual(gate.batches, [['/a'], ['/b', '/c']]);
  assert.equal((await first).committed, true);
  assert.ok((await Promise.all(kept)).every(({ committed }) => committed));
});

test('a write that is given up in flight is unknown, and those of its key still wait for it', async () => {
  await using store = createMemoryStore();
  const gate = gated(store);
  const writer = createWriter(gate.store);
  const stop = new AbortController();
  const given = writer.write(create('/a'), stop.signal);
  await settle();
  const next = writer.write({ key: '/a', expect: 1, value: text('2') });
  stop.abort(new Error('too late'));
  await assert.rejects(given, { code: 'OutcomeUnknown', message: /too late/ });
  await settle();
  assert.deepEqual(gate.batches, [['/a']]);
  await gate.release();
  await gate.release();
  assert.equal((await next).committed, true);
});

test('a key is in a batch once, its writes keep their order, and others overtake them', async () => {
  await using store = createMemoryStore();
  const gate = gated(store);
  const writer = createWriter(gate.store);
  const outcomes = Promise.all([writer.write(create('/a', '1')), writer.write(create('/a', '2')), writer.write(create('/b'))]);
  const last = writer.write({ key: '/a', expect: 1, value: text('3') });
  for (let i = 0; i < 3; i++) await gate.release();
  assert.deepEqual(gate.batches, [['/a', '/b'], ['/a'], ['/a']]);
  assert.deepEqual(
    (await outcomes).map(({ committed }) => committed),
    [true, false, true],
  );
  assert.equal((await last).committed, true);
});

test('a batch is bounded in items and bytes', async () => {
  await using store = createMemoryStore();
  const gate = gated(store);
  const writer = createWriter(gate.store, { maxBatch: 3, maxBatchBytes: 100 });
  const writes = ['1', '2', '3', '4'].map((name) => writer.write(create(`/${name}`)));
  const large = ['5', '6'].map((name) => writer.write(create(`/${name}`, 'x'.repeat(150))));
  for (let i = 0; i < 4; i++) await gate.release();
  assert.deepEqual(gate.batches, [['/1', '/2', '/3'], ['/4'], ['/5'], ['/6']]);
  await Promise.all([...writes, ...large]);
});

test('a failed commit rejects every write of its batch and no other', async () => {
  await using store = createMemoryStore();
  const gate = gated(store);
  const writer = createWriter(gate.store);
  const failing = [writer.write(create('/a')), writer.write(create('/b'))].map((write) => assert.rejects(write, { code: 'Full' }));
  await settle();
  const next = [writer.write(create('/a')), writer.write(create('/c'))];
  await gate.release(new StorageError('Full', 'no room'));
  await Promise.all(failing);
  await gate.release();
  assert.deepEqual(
    (await Promise.all(next)).map(({ committed }) => committed),
    [true, true],
  );
});

test('many concurrent writers get each its own outcome', async () => {
  await using store = createMemoryStore();
  const writer = createWriter(store, { maxBatch: 7 });
  const newest = await put(store, '/seed', 'x');
  const outcomes = await Promise.all(Array.from({ length: 500 }, (_, i) => writer.write(create(`/k${i % 100}`, String(i)))));
  assert.equal(outcomes.filter(({ committed }) => committed).length, 100);
  for (const [i, outcome] of outcomes.entries()) {
    if (outcome.committed) assert.ok(i < 100 && outcome.revision > newest);
    else assert.equal(Buffer.from(outcome.current?.value ?? []).toString(), String(i % 100));
  }
});

test('to a store of independent writes each is sent at once, those of one key one after the other', async () => {
  await using store = createMemoryStore();
  const gate = gated(Object.assign(store, { independentWrites: true }));
  const writer = createWriter(gate.store);
  const writes = [
    writer.write(create('/a', '1')),
    writer.write(create('/b')),
    writer.write(create('/a', '2')),
    writer.write(create('/a', '3')),
  ];
  await settle();
  assert.deepEqual(gate.batches, [['/a'], ['/b']]);
  const failed = assert.rejects(writes[0] ?? Promise.resolve(), /disk/);
  await gate.release(new Error('disk'));
  await failed;
  assert.deepEqual(gate.batches, [['/a'], ['/b'], ['/a']], 'a failure holds up nobody');
  await gate.release();
  await gate.release();
  await gate.release();
  const outcomes = await Promise.all(writes.slice(1));
  assert.deepEqual(
    outcomes.map(({ committed }) => committed),
    [true, true, false],
  );
});
