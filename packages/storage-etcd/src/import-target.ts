import {
  encodePlan,
  pagesOf,
  StorageError,
  type ImportPlan,
  type ImportResult,
  type ImportState,
  type ImportTarget,
  type StoredValue,
} from '@arc/storage';
import { codeOf } from '@arc/kernel';
import type { EtcdClient } from './client/etcd-client.ts';
import { writeConditionally } from './conditional-write.ts';
import { assertDialect } from './dialect.ts';
import { storedValue } from './etcd-changes.ts';
import { connectToEtcd, type EtcdStoreOptions } from './etcd-store.ts';
import type { EtcdLayout } from './etcd-layout.ts';
import { compact, range } from './wire/kv.ts';
import { remove, replace } from './wire/replace.ts';
import { markerKey, unfinishedPlan } from './unfinished-import.ts';

/**
 * Opens an etcd to be filled. Nothing keeps a server that is running from writing to it meanwhile: what it writes is found
 * when everything is compared in the end.
 *
 * Every object is a transaction of its own, one after the other: that is what gives each a revision of its own, in order.
 * About 800 a second on the machine where several in flight gave 3,000, nearly half of them in another order.
 *
 * @throws StorageError as `openEtcdStore`; `BadDatabase` for kine, too
 */
export async function openEtcdImport(options: EtcdStoreOptions): Promise<ImportTarget> {
  const { client, layout, dialect } = await connectToEtcd(options);
  try {
    assertDialect(dialect, 'etcd', 'filled');
    return new EtcdImport(client, layout);
  } catch (error) {
    client.close();
    throw error;
  }
}

/** 20 s of 230 writes a second, and 2 s to make: clients of a server that was restarted come back sooner. */
const distance = 5_000;

const writesInFlight = 64;

class EtcdImport implements ImportTarget {
  readonly keepsRevisions = false;
  readonly #client: EtcdClient;
  readonly #layout: EtcdLayout;
  readonly #marker: Uint8Array;
  /** A revision from before the next write. */
  #known = 0;

  constructor(client: EtcdClient, layout: EtcdLayout) {
    this.#client = client;
    this.#layout = layout;
    this.#marker = markerKey(layout);
  }

  async state(): Promise<ImportState> {
    const unfinished = await unfinishedPlan(this.#client, this.#layout);
    const { count, revision } = await this.#client.call(range, { ...this.#layout.rangeToEtcd(''), countOnly: true });
    this.#known = revision;
    return { objects: count - (unfinished === undefined ? 0 : 1), unfinished };
  }

  async begin(plan: ImportPlan): Promise<void> {
    const { key, rangeEnd } = this.#layout.rangeToEtcd('');
    const removed = [
      { key, rangeEnd: this.#marker },
      { key: Buffer.concat([this.#marker, Uint8Array.of(0)]), rangeEnd },
    ];
    await this.#client.call(replace, { key: this.#marker, value: Buffer.from(encodePlan(plan)), removed });
  }

  async write(values: readonly StoredValue[]): Promise<void> {
    for (const { key, value: stored } of values) {
      const value = this.#layout.valueToEtcd(stored);
      const request = { key: this.#layout.toEtcd(key), expect: 0, value };
      const { succeeded, revision, other } = await writeConditionally(this.#client, request, { known: this.#known, dialect: 'etcd' });
      // It may be there from the last moment of a run that was killed.
      if (!succeeded && (other === undefined || Buffer.compare(other.value, value) !== 0)) throw writtenByOthers(key);
      this.#known = revision;
    }
  }

  objects(signal: AbortSignal): AsyncIterable<readonly StoredValue[]> {
    const marker = Buffer.from(this.#marker).toString();
    return pagesOf(async ({ after, limit }) => {
      const { items, more } = await this.#client.call(range, { ...this.#layout.rangeToEtcd('', after), limit }, signal);
      return { items: items.filter(({ key }) => key !== marker).map((item) => storedValue(this.#layout, item)), more };
    });
  }

  /**
   * etcd's revision rises with writes only. Whoever holds a revision of the source is told that it is compacted when that many
   * writes are made here, and that it is of the future when they are too many: then it stays far enough away for all who
   * come back to be told before the store gets there.
   */
  async finish(wanted: number): Promise<ImportResult> {
    await this.#raise(wanted);
    // Before it is a store again: whoever resumes from an earlier revision must not be given what happened here.
    await this.#compact(this.#known);
    const { revision } = await this.#client.call(remove, { key: this.#marker });
    await this.#compact(revision);
    return { revision, compactedRevision: revision };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#client.close();
  }

  async #raise(wanted: number): Promise<void> {
    const { revision, items } = await this.#client.call(range, { key: this.#marker });
    const missing = wanted - revision;
    let left = missing > 2 * distance ? distance : missing;
    const value = items[0]?.value ?? new Uint8Array();
    const write = async (): Promise<void> => {
      while (left-- > 0) await this.#client.call(replace, { key: this.#marker, value, removed: [] });
    };
    await Promise.all(Array.from({ length: writesInFlight }, write));
    this.#known = (await this.#client.call(range, { key: this.#marker })).revision;
  }

  async #compact(revision: number): Promise<void> {
    try {
      await this.#client.call(compact, { revision });
    } catch (error) {
      if (codeOf(error) !== 'Compacted') throw error;
    }
  }
}

function writtenByOthers(key: string): StorageError {
  return new StorageError('BadDatabase', `something else has written ${JSON.stringify(key)} into the etcd that is being filled`, {
    hint: 'Stop whatever writes there, then run the command again with --replace.',
  });
}
