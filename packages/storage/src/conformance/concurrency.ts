import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Store } from '../store.ts';
import type { StoreAdapter } from './adapter.ts';
import { contradictions } from './contradictions.ts';
import { followStore, type Following } from './follow-store.ts';
import type { SharedStores } from './history-process.ts';
import { recordInProcesses } from './history-processes.ts';
import { recordHistory, type Recorded } from './recorded-history.ts';
import { randomIntegers, testSeed } from './support.ts';
import { brokenResumptions, brokenWatchRules } from './watch-rules.ts';

// A long run: ARC_TEST_OPERATIONS=100000 node --test --test-name-pattern='sequence' path/to/x-store.test.ts
const operations = Number(process.env['ARC_TEST_OPERATIONS'] ?? 1_500);
const keys = Array.from({ length: 20 }, (_, i) => `/k${i}`);

export function concurrencyTests(adapter: StoreAdapter): void {
  test('what many clients are answered and told is one sequence that agrees with real time', async (t) => {
    const seed = testSeed(t);
    await using store = await adapter.open();
    await using following = followStore(store);
    const recorded = await recordHistory([store], { operations, clients: 12, keys, seed });
    assert.ok(recorded.length >= operations);
    await checkHistory(adapter, { store, recorded, followings: [following], seed });
  });

  const { sharing } = adapter;
  if (sharing === undefined) return;

  test('so is what clients of several processes are, though two of the processes are killed at work', async (t) => {
    const seed = testSeed(t);
    await using resources = new AsyncDisposableStack();
    const store = resources.use(await adapter.open());
    const addresses = sharing.addressesOf(store);
    const { openShared } = (await import(sharing.module.href)) as SharedStores;
    const followings = [resources.use(followStore(store))];
    for (const address of addresses) followings.push(resources.use(followStore(resources.use(await openShared(address)))));
    const recorded = await recordInProcesses(sharing.module, addresses, { operations, clients: 6, keys, seed, killed: 2 });
    assert.ok(recorded.length >= (operations * (addresses.length - 1)) / addresses.length);
    t.diagnostic(`${recorded.filter((operation) => operation.kind === 'write' && operation.outcome === 'unknown').length} writes cut off`);
    await checkHistory(adapter, { store, recorded, followings, seed });
  });
}

interface CheckedHistory {
  readonly store: Store;
  readonly recorded: readonly Recorded[];
  readonly followings: readonly Following[];
  readonly seed: number;
}

async function checkHistory(adapter: StoreAdapter, { store, recorded, followings, seed }: CheckedHistory): Promise<void> {
  const newest = await store.currentRevision();
  const random = randomIntegers(seed);
  const log = followings[0]?.events ?? [];
  for (const following of followings) {
    await following.reached(newest);
    assert.deepEqual(brokenWatchRules(following.batches).slice(0, 5), [], `seed ${seed}`);
    assert.deepEqual(contradictions(recorded, following.events, { gapFree: adapter.gapFree !== false }).slice(0, 5), [], `seed ${seed}`);
    const seen = following.batches.flatMap(({ revision, events }) => [revision, ...events.map((event) => event.revision)]);
    const some = Array.from({ length: 10 }, () => seen[random(seen.length)] ?? 0);
    assert.deepEqual(await brokenResumptions(store, [0, ...some, newest], log), [], `seed ${seed}`);
  }
  const outcomes = Object.groupBy(
    recorded.filter((operation) => operation.kind === 'write'),
    ({ outcome }) => outcome,
  );
  assert.ok((outcomes.committed?.length ?? 0) > operations / 10, `many writes are committed, seed ${seed}`);
  assert.ok((outcomes.refused?.length ?? 0) > 0, `and some refused, seed ${seed}`);
}
