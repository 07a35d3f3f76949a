import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import type { TestContext } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { ChangeEvent, Store, StoredValue, StoreKey, WriteItem, WriteOutcome } from '../store.ts';

export const text = (value: string): Uint8Array => new TextEncoder().encode(value);

/** Writes one item and returns its outcome. */
export async function write(store: Store, item: WriteItem): Promise<WriteOutcome> {
  const [outcome, ...others] = await store.commit([item]);
  assert.ok(outcome !== undefined && others.length === 0, 'one outcome per item');
  return outcome;
}

/** Writes one item, which must be committed, and returns its revision. */
export async function put(store: Store, key: StoreKey, value: string | null, expect: 'absent' | number = 'absent'): Promise<number> {
  const outcome = await write(store, { key, expect, value: value === null ? null : text(value) });
  assert.ok(outcome.committed, `write of ${key} was refused`);
  return outcome.revision;
}

/** Follows changes after `after` until `revision` has been reached, checking what every batch promises. */
export async function changesUntil(store: Store, after: number, revision: number): Promise<ChangeEvent[]> {
  const stop = new AbortController();
  const events: ChangeEvent[] = [];
  let last = after;
  if (last >= revision) return events;
  for await (const batch of store.changes(after, stop.signal)) {
    assert.ok(batch.revision >= last, 'the revision of a batch never goes back');
    for (const event of batch.events) {
      assert.ok(event.revision > last && event.revision <= batch.revision, `event ${event.revision} is out of order`);
      last = event.revision;
    }
    last = batch.revision;
    events.push(...batch.events);
    if (last >= revision) break;
  }
  stop.abort();
  return events;
}

export interface PlainValue {
  readonly key: StoreKey;
  readonly revision: number;
  readonly value: string;
}

export function plain(stored: StoredValue): PlainValue;
export function plain(stored: StoredValue | undefined): PlainValue | undefined;
export function plain(stored: StoredValue | undefined): PlainValue | undefined {
  if (stored === undefined) return undefined;
  return { key: stored.key, revision: stored.revision, value: Buffer.from(stored.value).toString('latin1') };
}

export function plainEvent({ key, revision, value, previous }: ChangeEvent): unknown {
  return { key, revision, value: value === null ? null : Buffer.from(value).toString('latin1'), previous: plain(previous) };
}

/** A new seed, or the one to repeat from ARC_TEST_SEED; told as a diagnostic of the test. */
export function testSeed(t: TestContext): number {
  const given = process.env['ARC_TEST_SEED'];
  const seed = given === undefined ? randomInt(2 ** 31) : Number(given);
  t.diagnostic(`seed ${seed}`);
  return seed;
}

/** A repeatable source of integers from 0 to `below` - 1. */
export function randomIntegers(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

/** Lets everything that is due run. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await nextTurn();
}
