import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CacheEvent } from './cache-event.ts';
import { StoredObject } from './cached-object.ts';
import { EventHistory } from './event-history.ts';

const bytes = new Uint8Array(8 * 1024 * 1024);

/** An event at `revision` that keeps 8 MiB of previous content alive. */
function largeEvent(revision: number): CacheEvent {
  const identity = { key: '/a', namespace: '', name: 'a' };
  const indexed = { uid: '', labels: {}, fields: {} };
  const spliced = { bytes, metadataStart: 0, metadataEnd: 0 };
  const object = new StoredObject({ ...identity, revision }, spliced, indexed);
  return new CacheEvent('MODIFIED', object, new StoredObject({ ...identity, revision: revision - 1 }, spliced, indexed));
}

test('history holds at most 64 MiB of superseded content, always the newest', () => {
  const history = new EventHistory({ events: 1000, ms: 60_000 }, 0);
  for (let revision = 1; revision <= 20; revision++) {
    history.push(largeEvent(revision), 0);
    assert.equal(history.floor, Math.max(0, revision - 8));
    assert.equal(history.since(history.floor).length, Math.min(8, revision));
  }
  assert.throws(() => history.since(11), { code: 'Compacted' });
  assert.deepEqual(
    history.since(18).map(({ object }) => object.revision),
    [19, 20],
  );
});
