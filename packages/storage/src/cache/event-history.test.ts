import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CacheEvent } from './cache-event.ts';
import { StoredObject } from './cached-object.ts';
import { EventHistory } from './event-history.ts';
import { orders } from './testing.ts';

const bytes = new Uint8Array(8 * 1024 * 1024);

/** An event at `revision` that keeps 8 MiB of previous content alive. */
function largeEvent(revision: number): CacheEvent {
  const spliced = { bytes, metadataStart: 0, metadataEnd: 0 };
  const at = (own: number) => new StoredObject({ key: '/a', revision: own }, orders, spliced, { labels: {}, fields: {} });
  return new CacheEvent('MODIFIED', at(revision), at(revision - 1));
}

test('history holds at most 64 MiB of superseded content, always the newest', () => {
  const history = new EventHistory({ events: 1000, ms: 60_000 }, 0);
  for (let revision = 1; revision <= 20; revision++) {
    history.push(largeEvent(revision), 0);
    assert.equal(history.floor, Math.max(0, revision - 8));
    assert.equal(history.since(history.floor).length, Math.min(8, revision));
    assert.equal(history.heldBytes, Math.min(8, revision) * bytes.length);
  }
  assert.throws(() => history.since(11), { code: 'Compacted' });
  assert.deepEqual(
    history.since(18).map(({ object }) => object.revision),
    [19, 20],
  );
});

/** An event that keeps nothing. */
function smallEvent(revision: number): CacheEvent {
  const spliced = { bytes: new Uint8Array(0), metadataStart: 0, metadataEnd: 0 };
  return new CacheEvent('ADDED', new StoredObject({ key: '/a', revision }, orders, spliced, { labels: {}, fields: {} }), undefined);
}

test('events are kept by number, younger ones beyond that, and none beyond the ceiling', () => {
  const history = new EventHistory({ events: 10, ms: 1000 }, 0);
  for (let revision = 1; revision <= 50; revision++) history.push(smallEvent(revision), 100 * revision);
  // Those of the last second, and the one that is just as old as that.
  assert.equal(history.size, 11);
  history.push(smallEvent(51), 1_000_000);
  assert.equal(history.size, 10, 'however old they are');
  assert.equal(history.floor, 41);

  const ceiling = 102_400;
  const busy = new EventHistory({ events: 10, ms: 1000 }, 0);
  for (let revision = 1; revision <= ceiling + 5; revision++) busy.push(smallEvent(revision), 0);
  assert.equal(busy.size, ceiling);
  assert.equal(busy.floor, 5);
});
