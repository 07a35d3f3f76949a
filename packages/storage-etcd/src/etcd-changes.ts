import { assertNotCompacted, StorageError, type ChangeBatch, type ChangeEvent, type StoredValue } from '@arc/storage';
import { ArcError, backoffDelay, systemClock } from '@arc/kernel';
import type { EtcdClient } from './client/etcd-client.ts';
import type { WatchStream } from './client/watch-stream.ts';
import { isOfServer, type Dialect } from './dialect.ts';
import type { EtcdLayout, EtcdRange } from './etcd-layout.ts';
import type { KnownRevision } from './known-revision.ts';
import { range, type KeyValue } from './wire/kv.ts';
import type { WatchEvent, WatchResponse } from './wire/watch.ts';

export interface ChangesSource {
  readonly client: EtcdClient;
  readonly layout: EtcdLayout;
  readonly known: KnownRevision;
  readonly dialect: Dialect;
}

/**
 * How long to wait for a revision that was heard of elsewhere before asking whether it concerns us at all. Doubled each time
 * it does and still has not come; a watch that stays silent beyond the second figure is opened anew.
 */
const patienceMs = { first: 50, last: 1_600 };
/** Watch responses are joined, or parted, to about this many events: kine sends all the history there is in one. */
const eventsPerBatch = 500;
const reconnectDelays = { initialMs: 20, maxMs: 1_000, jitter: 0.5 };

/**
 * The changes after `after`, over one watch on everything the store holds, opened again from the last revision whenever it
 * breaks. Ends when `signal` aborts.
 *
 * @throws StorageError `Compacted`, `FutureRevision`, and whatever no repetition mends
 */
export async function* etcdChanges(source: ChangesSource, after: number, signal: AbortSignal): AsyncGenerator<ChangeBatch, void, void> {
  let cursor = after;
  let failures = 0;
  while (!signal.aborted) {
    try {
      for await (const batch of watchOnce(source, cursor, signal)) {
        cursor = batch.revision;
        failures = 0;
        yield batch;
      }
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof ArcError && error.retryable)) throw error;
      await pause(backoffDelay(failures++, reconnectDelays), signal);
    }
  }
}

async function* watchOnce(source: ChangesSource, after: number, signal: AbortSignal): AsyncGenerator<ChangeBatch, void, void> {
  const { client, layout, known } = source;
  const everything = layout.rangeToEtcd('');
  using stream = await client.watch({ ...everything, startRevision: after + 1 });
  using _ = known.subscribe(() => stream.wake());
  const wake = (): void => stream.wake();
  signal.addEventListener('abort', wake, { once: true });
  try {
    yield* readWatch({ ...source, everything, stream, signal }, after);
  } finally {
    signal.removeEventListener('abort', wake);
  }
}

interface OpenWatch extends ChangesSource {
  readonly everything: EtcdRange;
  readonly stream: WatchStream;
  readonly signal: AbortSignal;
}

async function* readWatch(watch: OpenWatch, after: number): AsyncGenerator<ChangeBatch, void, void> {
  const { stream, known, signal } = watch;
  let cursor = after;
  let progress = new Patience();
  let verified = false;
  while (!signal.aborted) {
    const responses = await stream.take(known.newest > cursor ? progress.remainingMs() : undefined);
    if (signal.aborted) return;
    for (const response of responses) {
      if (response.canceled) throw canceled(response);
      known.observe(response.revision);
    }
    const told = responses.filter(({ events }) => events.length > 0);
    if (responses.some(({ created }) => created)) await assertHeld(watch, cursor);
    // Compaction between the first look and the moment the server began to read would take deletions away unseen.
    if (told.length > 0 && !verified) await assertHeld(watch, cursor);
    verified ||= told.length > 0;
    for (const batch of batchesOf(watch, told, cursor)) {
      assertNotCompacted(cursor, known.compacted);
      cursor = batch.revision;
      progress = new Patience();
      yield batch;
    }
    const notified = responses.findLast(({ created, events }) => !created && events.length === 0)?.revision ?? 0;
    if (notified <= cursor && (known.newest <= cursor || progress.remainingMs() > 0)) continue;
    const reached = notified > cursor ? notified : await lastUnchanged(watch, cursor);
    if (reached <= cursor) {
      progress = progress.doubled();
      continue;
    }
    progress = new Patience();
    cursor = reached;
    yield { revision: cursor, events: [] };
  }
}

class Patience {
  readonly #ms: number;
  #until = 0;

  constructor(ms = patienceMs.first) {
    this.#ms = ms;
  }

  /** Counted from when it is first asked for. */
  remainingMs(): number {
    if (this.#until === 0) this.#until = performance.now() + this.#ms;
    return Math.max(0, this.#until - performance.now());
  }

  /** @throws StorageError `Unavailable` when it has run out for good */
  doubled(): Patience {
    if (this.#ms >= patienceMs.last) {
      throw new StorageError('Unavailable', 'the watch of etcd has fallen silent', {
        hint: 'It is opened anew; if this repeats, check that the members of etcd agree.',
      });
    }
    return new Patience(this.#ms * 2);
  }
}

function canceled({ compactRevision, cancelReason }: WatchResponse): StorageError {
  if (compactRevision > 0) {
    return new StorageError('Compacted', `history before revision ${compactRevision} is no longer held by etcd`, {
      hint: 'List again and watch from the revision of that list.',
    });
  }
  return new StorageError('Unavailable', `etcd ended the watch: ${cancelReason === '' ? 'no reason given' : cancelReason}`);
}

/** @throws StorageError `Compacted`, `FutureRevision` when there is no watching from `revision` */
async function assertHeld({ client, everything, signal }: OpenWatch, revision: number): Promise<void> {
  await client.call(range, { key: everything.key, revision: Math.max(revision, 1), keysOnly: true, limit: 1 }, signal);
}

/**
 * The newest revision when nothing of the store has changed since `cursor`, else `cursor`. Other users of the same etcd
 * raise its revision without an event for us, and etcd 3.4 says so only every ten minutes. What is left of the keys
 * changed since then shows writes; the number of keys then and now shows deletions.
 */
async function lastUnchanged({ client, known, everything, stream, dialect, signal }: OpenWatch, cursor: number): Promise<number> {
  if (dialect === 'kine') {
    // It has no filter by revision, but answers this at once; the answer is read like any other response.
    stream.requestProgress();
    return cursor;
  }
  const revision = known.newest;
  const before = await client.call(range, { ...everything, revision: Math.max(cursor, 1), countOnly: true }, signal);
  const written = { ...everything, revision, minModRevision: cursor + 1, keysOnly: true, limit: 1 };
  const now = await client.call(range, written, signal);
  return now.items.length === 0 && now.count === before.count ? revision : cursor;
}

function* batchesOf(
  { layout, dialect }: OpenWatch,
  responses: readonly WatchResponse[],
  after: number,
): Generator<ChangeBatch, void, void> {
  let events: ChangeEvent[] = [];
  let revision = after;
  for (const response of responses) {
    for (const event of response.events) {
      const { modRevision } = event.item;
      if (modRevision <= after || isOfServer(dialect, event.item.key)) continue;
      // Others may have changed several keys in one transaction, which has one revision.
      if (events.length >= eventsPerBatch && modRevision > revision) {
        yield { revision, events };
        events = [];
      }
      events.push(changeEvent(layout, event));
      revision = modRevision;
    }
  }
  if (events.length > 0) yield { revision, events };
}

function changeEvent(layout: EtcdLayout, { type, item, previous }: WatchEvent): ChangeEvent {
  const created = type === 'put' && item.createRevision === item.modRevision;
  if (!created && previous === undefined) {
    throw new StorageError('Compacted', `the value before revision ${item.modRevision} is no longer held by etcd`, {
      hint: 'List again and watch from the revision of that list.',
    });
  }
  return {
    key: layout.toStore(item.key),
    revision: item.modRevision,
    value: type === 'delete' ? null : layout.valueToStore(item.value),
    previous: previous === undefined ? undefined : storedValue(layout, previous),
  };
}

export function storedValue(layout: EtcdLayout, { key, modRevision, value }: KeyValue): StoredValue {
  return { key: layout.toStore(key), revision: modRevision, value: layout.valueToStore(value) };
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await systemClock.sleep(ms, signal);
  } catch {
    // Aborted: the caller looks at the signal.
  }
}
