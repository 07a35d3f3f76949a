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
