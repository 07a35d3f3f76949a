import {
  assertNotCompacted,
  StorageError,
  type ChangeBatch,
  type RangeOptions,
  type RangeResult,
  type Store,
  type StoredValue,
  type StoreKey,
  type WriteItem,
  type WriteOutcome,
} from '@arc/storage';
import { anySignal, codeOf } from '@arc/kernel';
import { openEndpoints, type EtcdTls } from './client/endpoints.ts';
import { EtcdClient, type EtcdCredentials } from './client/etcd-client.ts';
import { Permits } from './client/permits.ts';
import { writeConditionally } from './conditional-write.ts';
import { dialectOf, isOfServer, type Dialect } from './dialect.ts';
import { etcdChanges, storedValue } from './etcd-changes.ts';
import { etcdLayout, type EtcdLayout, type EtcdLayoutOptions } from './etcd-layout.ts';
import { assertOnlyOurs } from './foreign-objects.ts';
import { KnownRevision } from './known-revision.ts';
import { assertFilled } from './unfinished-import.ts';
import { assertMayWrite } from './write-permission.ts';
import { compact, range, type KeyValue, type RangeRequest, type RangeResponse } from './wire/kv.ts';
import { status } from './wire/server.ts';

export interface EtcdStoreOptions {
  /** `HOST:PORT`, `http://HOST:PORT` or `https://HOST:PORT` of each member; one is used until it fails. */
  readonly endpoints: readonly string[];
  /** Implied, with the system's authorities, by endpoints with https. */
  readonly tls?: EtcdTls;
  readonly credentials?: EtcdCredentials;
  /** Where the keys lie in etcd, and under which group; default: where they say. */
  readonly layout?: EtcdLayoutOptions;
  /** API groups of objects that may be there, `core` for the one without a name; default: any. */
  readonly groups?: readonly string[];
  /** How long a call is tried, on one member after the other, before it fails; milliseconds, default 5,000. */
  readonly timeoutMs?: number;
  /** Most write transactions in flight; default 128. */
  readonly maxWritesInFlight?: number;
  /** True: also for a user that has no right to write. */
  readonly readOnly?: boolean;
  /** Gives up opening. The open store is ended by disposing of it. */
  readonly signal?: AbortSignal;
}

/**
 * Opens a store in an etcd of version 3.4 or newer. Revisions are etcd's own, so an empty store begins at 1 or where others
 * left it, and there are gaps where others write. Each item of a batch is a transaction of its own: items of one batch are
 * applied in any order, and a batch that fails may have been written in part.
 *
 * @throws StorageError `Unavailable` when it cannot be reached, is not trusted, does not trust us or is misconfigured;
 *   `BadDatabase` when it is too old or holds objects of others
 */
export async function openEtcdStore(options: EtcdStoreOptions): Promise<Store> {
  const { maxWritesInFlight = 128, readOnly = false, signal } = options;
  const { client, layout, dialect } = await connectToEtcd(options);
  try {
    await assertFilled(client, layout, signal);
    if (!readOnly) await assertMayWrite(client, layout, signal);
    const store = new EtcdStore({ client, layout, dialect, maxWritesInFlight });
    await store.currentRevision(signal === undefined ? {} : { signal });
    return store;
  } catch (error) {
    client.close();
    throw error;
  }
}

export interface EtcdConnection {
  readonly client: EtcdClient;
  readonly layout: EtcdLayout;
  readonly dialect: Dialect;
}

/** @throws StorageError as `openEtcdStore` */
export async function connectToEtcd(options: EtcdStoreOptions): Promise<EtcdConnection> {
  const { endpoints, tls, credentials, layout, groups, timeoutMs = 5_000, signal } = options;
  const client = new EtcdClient(await openEndpoints(endpoints, tls), { credentials, timeoutMs });
  try {
    const state = await client.call(status, undefined, signal);
    assertVersion(state.version);
    const contents = { client, layout: etcdLayout(layout), groups };
    await assertOnlyOurs(contents, signal);
    return { client, layout: contents.layout, dialect: dialectOf(state) };
  } catch (error) {
    client.close();
    throw error;
  }
}

function assertVersion(version: string): void {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major > 3 || (major === 3 && minor >= 4)) return;
  throw new StorageError('BadDatabase', `etcd ${version} is too old`, { hint: 'Upgrade etcd to 3.4 or newer.' });
}

const rangePage = 500;

class EtcdStore implements Store {
  readonly independentWrites = true;
  readonly #client: EtcdClient;
  readonly #layout: EtcdLayout;
  readonly #dialect: Dialect;
  readonly #permits: Permits;
  readonly #known = new KnownRevision();
  readonly #stop = new AbortController();

  constructor({ client, layout, dialect, maxWritesInFlight }: EtcdConnection & { readonly maxWritesInFlight: number }) {
    this.#client = client;
    this.#layout = layout;
    this.#dialect = dialect;
    this.#permits = new Permits(maxWritesInFlight);
  }

  async commit(batch: readonly WriteItem[]): Promise<readonly WriteOutcome[]> {
    this.#assertOpen();
    const results = await Promise.allSettled(batch.map((item) => this.#permits.run(() => this.#write(item))));
    const failures = results.filter((result) => result.status === 'rejected').map(({ reason }): unknown => reason);
    if (failures.length > 0) throw failureOfBatch(failures, batch.length);
    return results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  }

  async get(key: StoreKey, options: { readonly signal?: AbortSignal } = {}): Promise<StoredValue | undefined> {
    return this.#stored((await this.#range({ key: this.#layout.toEtcd(key) }, options.signal)).items[0]);
  }

  async range(options: RangeOptions): Promise<RangeResult> {
    const { prefix, after, limit = Infinity, signal } = options;
    if (options.revision !== undefined) assertNotCompacted(options.revision, this.#known.compacted);
    // To etcd, revision 0 is the newest; nothing was ever written at 1, where it begins.
    let revision = options.revision === undefined ? 0 : Math.max(options.revision, 1);
    let { key, rangeEnd } = this.#layout.rangeToEtcd(prefix, after);
    const items: StoredValue[] = [];
    for (;;) {
      const wanted = Math.min(rangePage, limit - items.length);
      const page = await this.#range({ key, rangeEnd, limit: wanted, revision }, signal);
      if (revision === 0) revision = page.revision;
      for (const item of page.items) if (!isOfServer(this.#dialect, item.key)) items.push(storedValue(this.#layout, item));
      const last = page.items.at(-1);
      if (!page.more || last === undefined || items.length >= limit) {
        return { revision: options.revision ?? revision, items, more: page.more };
      }
      ({ key, rangeEnd } = this.#layout.rangeToEtcd(prefix, this.#layout.toStore(last.key)));
    }
  }

  async currentRevision(options: { readonly signal?: AbortSignal } = {}): Promise<number> {
    const { key } = this.#layout.rangeToEtcd('');
    return (await this.#range({ key, keysOnly: true, limit: 1 }, options.signal)).revision;
  }

  async *changes(after: number, signal: AbortSignal): AsyncGenerator<ChangeBatch, void, void> {
    if (signal.aborted) return;
    this.#assertOpen();
    const source = { client: this.#client, layout: this.#layout, known: this.#known, dialect: this.#dialect };
    yield* etcdChanges(source, after, anySignal(signal, this.#stop.signal));
    if (!signal.aborted) this.#assertOpen();
  }

  async compact(revision: number): Promise<void> {
    this.#assertOpen();
    if (revision <= this.#known.compacted) return;
    try {
      await this.#open(this.#client.call(compact, { revision }, this.#stop.signal));
    } catch (error) {
      // Kine 0.17.5 does not know its newest revisions until a write comes alone. It forgets them the next time.
      const unaware = this.#dialect === 'kine' && codeOf(error) === 'FutureRevision' && revision <= this.#known.newest;
      if (codeOf(error) !== 'Compacted' && !unaware) throw error;
    }
    this.#known.observeCompaction(revision);
  }

  async compactedRevision(): Promise<number> {
    this.#assertOpen();
    const { compacted } = this.#known;
    const { key } = this.#layout.rangeToEtcd('');
    try {
      await this.#range({ key, keysOnly: true, limit: 1, revision: Math.max(compacted, 1) });
      return compacted;
    } catch (error) {
      if (codeOf(error) !== 'Compacted') throw error;
      return await this.#askCompacted();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#stop.signal.aborted) return;
    this.#stop.abort();
    await this.#permits.drained();
    this.#client.close();
  }

  async #write({ key, expect, value }: WriteItem): Promise<WriteOutcome> {
    const known = this.#known.newest;
    const impossible = expect === 'absent' ? value === null : expect < 1;
    const etcdKey = this.#layout.toEtcd(key);
    if (impossible) return { committed: false, current: this.#stored((await this.#range({ key: etcdKey })).items[0]) };
    const request = { key: etcdKey, expect: expect === 'absent' ? 0 : expect, value: value && this.#layout.valueToEtcd(value) };
    const { revision, succeeded, other } = await writeConditionally(this.#client, request, { known, dialect: this.#dialect });
    this.#known.observe(revision);
    return succeeded ? { committed: true, revision, previous: this.#stored(other) } : { committed: false, current: this.#stored(other) };
  }

  async #range(request: RangeRequest, signal?: AbortSignal): Promise<RangeResponse> {
    this.#assertOpen();
    const response = await this.#open(this.#client.call(range, request, anySignal(signal, this.#stop.signal)));
    this.#known.observe(response.revision);
    return response;
  }

  /** Only a watch that begins too early is told where history begins. */
  async #askCompacted(): Promise<number> {
    const { key } = this.#layout.rangeToEtcd('');
    using stream = await this.#client.watch({ key, rangeEnd: new Uint8Array(), startRevision: 1 });
    const { signal } = this.#stop;
    const wake = (): void => stream.wake();
    signal.addEventListener('abort', wake, { once: true });
    try {
      while (!signal.aborted) {
        const compacted = (await stream.take()).find(({ compactRevision }) => compactRevision > 0)?.compactRevision;
        if (compacted === undefined) continue;
        this.#known.observeCompaction(compacted);
        return compacted;
      }
    } finally {
      signal.removeEventListener('abort', wake);
    }
    throw closedError();
  }

  #stored(item: KeyValue | undefined): StoredValue | undefined {
    return item === undefined ? undefined : storedValue(this.#layout, item);
  }

  /** The result of a call that closing the store gives up. */
  async #open<T>(calling: Promise<T>): Promise<T> {
    try {
      return await calling;
    } catch (error) {
      this.#assertOpen();
      throw error;
    }
  }

  #assertOpen(): void {
    if (this.#stop.signal.aborted) throw closedError();
  }
}

function closedError(): StorageError {
  return new StorageError('Closed', 'the store has been closed');
}

/** One error for all writes of a batch: the common one when none was written, for then it is true for each of them. */
function failureOfBatch(failures: readonly unknown[], count: number): unknown {
  const [first] = failures;
  if (failures.length === count && failures.every((failure) => codeOf(failure) === codeOf(first))) return first;
  return new StorageError('OutcomeUnknown', `${failures.length} of ${count} writes of a batch failed`, {
    hint: 'Read the objects to see which writes happened.',
    cause: first,
  });
}
