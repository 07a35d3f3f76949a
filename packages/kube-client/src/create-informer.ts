import type { KubeObject, ResourceType, UnstructuredObject } from '@arc/apimachinery/client';
import { ApiStatusError } from '@arc/apimachinery/client';
import type { Clock, Logger } from '@arc/kernel';
import { ArcError, backoffDelay, messageOf, silentLogger, systemClock } from '@arc/kernel';
import type { ClientListOptions, KubeClient } from './client.ts';
import { InformerStore, storeKey } from './informer-store.ts';
import type { IndexFunction, Informer, InformerHandler } from './informer.ts';

export interface InformerOptions<T extends KubeObject> {
  /** Absent: all namespaces. */
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  /** Keeps only apiVersion, kind and metadata, and asks the server for nothing else. */
  readonly metadataOnly?: boolean;
  readonly indexes?: Readonly<Record<string, IndexFunction<T>>>;
  /** Shrinks an object before it is kept. Must not change what identifies it. */
  readonly transform?: (object: T) => T;
  readonly logger?: Logger;
  readonly clock?: Clock;
  readonly random?: () => number;
}

const pageSize = 500;
/** A stream that ends sooner than this without an event counts as a failure, or a broken proxy would be hammered. */
const shortWatchMs = 1000;
/** A round that lasted this long starts the backoff anew. */
const stableWatchMs = 60_000;
const retry = { initialMs: 200, maxMs: 30_000, jitter: 0.5 };

/** Returns a local copy of one resource; it does nothing until `run` is called, and runs once. */
export function createInformer<T extends KubeObject = UnstructuredObject>(
  client: KubeClient,
  type: ResourceType,
  options: InformerOptions<T> = {},
): Informer<T> {
  const { clock = systemClock, random = Math.random, transform = (object: T): T => object, indexes = {} } = options;
  const logger = (options.logger ?? silentLogger).child({ resource: type.group === '' ? type.plural : `${type.plural}.${type.group}` });
  const { namespace, labelSelector, fieldSelector, metadataOnly } = options;
  const selection = {
    ...(namespace !== undefined && { namespace }),
    ...(labelSelector !== undefined && { labelSelector }),
    ...(fieldSelector !== undefined && { fieldSelector }),
    ...(metadataOnly !== undefined && { metadataOnly }),
  };
  const store = new InformerStore<T>(indexes);
  const handlers: InformerHandler<T>[] = [];
  const firstList = Promise.withResolvers<void>();
  let started = false;

  function deliver(what: string, object: T, call: (handler: InformerHandler<T>) => void): void {
    for (const handler of handlers) {
      try {
        call(handler);
      } catch (error) {
        const { namespace, name } = object.metadata;
        logger.error('informer handler failed', { event: what, namespace, name, error: messageOf(error) });
      }
    }
  }

  function upsert(received: T): void {
    const key = keyOf(received);
    const old = store.get(key);
    if (old !== undefined && old.metadata.resourceVersion === received.metadata.resourceVersion) return;
    const object = transform(received);
    if (old !== undefined && old.metadata.uid !== object.metadata.uid) {
      store.remove(key);
      deliver('deleted', old, (handler) => handler.deleted?.(old, old));
    }
    store.set(key, object);
    if (old === undefined || old.metadata.uid !== object.metadata.uid) deliver('added', object, (handler) => handler.added?.(object));
    else deliver('updated', object, (handler) => handler.updated?.(object, old));
  }

  function drop(key: string, last: T): void {
    const known = store.get(key);
    if (known === undefined) return;
    store.remove(key);
    deliver('deleted', last, (handler) => handler.deleted?.(last, known));
  }

  async function relist(signal: AbortSignal): Promise<string> {
    const { items, revision } = await listEverything(signal);
    const present = new Set(items.map(keyOf));
    for (const key of store.keys) {
      const gone = present.has(key) ? undefined : store.get(key);
      if (gone !== undefined) drop(key, gone);
    }
    for (const object of items) upsert(object);
    firstList.resolve();
    return revision;
  }

  async function listEverything(signal: AbortSignal): Promise<{ items: readonly T[]; revision: string }> {
    try {
      return await listPages(signal, pageSize);
    } catch (error) {
      if (!isExpired(error)) throw error;
      // The snapshot of the first page was compacted while paging; one unpaged list needs none.
      return await listPages(signal, undefined);
    }
  }

  async function listPages(signal: AbortSignal, limit: number | undefined): Promise<{ items: readonly T[]; revision: string }> {
    const items: T[] = [];
    let request: ClientListOptions = { ...selection, signal, ...(limit !== undefined && { limit }) };
    for (;;) {
      const page = await client.list<T>(type, request);
      for (const item of page.items) items.push(item);
      const { continue: token = '', resourceVersion = '' } = page.metadata;
      if (token === '') return { items, revision: resourceVersion };
      request = { ...request, continue: token };
    }
  }

  async function* follow(from: string, signal: AbortSignal): AsyncIterable<string> {
    // Random, so that the streams of many informers do not all end and reconnect in the same second.
    const timeoutSeconds = Math.round(300 + 300 * random());
    for await (const event of client.watch<T>(type, {
      ...selection,
      resourceVersion: from,
      allowBookmarks: true,
      timeoutSeconds,
      signal,
    })) {
      if (event.type === 'DELETED') drop(keyOf(event.object), transform(event.object));
      else if (event.type !== 'BOOKMARK') upsert(event.object);
      yield event.object.metadata.resourceVersion ?? from;
    }
  }

  async function run(signal: AbortSignal): Promise<void> {
    if (started) throw new ArcError('InformerStarted', `the informer of ${type.plural} has been started before`);
    started = true;
    let revision: string | undefined;
    let failures = 0;
    while (!signal.aborted) {
      const begun = clock.monotonic();
      let relisted = false;
      let progressed = false;
      let problem: string | undefined;
      try {
        if (revision === undefined) {
          revision = await relist(signal);
          relisted = true;
        }
        for await (const next of follow(revision, signal)) {
          if (failures > 0) logger.info('watch recovered', { failures });
          revision = next;
          progressed = true;
          failures = 0;
        }
        if (!progressed && clock.monotonic() - begun < shortWatchMs) problem = 'the server ended the watch at once';
      } catch (error) {
        const expired = isExpired(error);
        if (expired) revision = undefined;
        // An old revision is normal once; a fresh one that has expired already is a fault of the server.
        if (!expired || relisted) problem = messageOf(error);
      }
      if (signal.aborted) return;
      if (clock.monotonic() - begun > stableWatchMs) failures = 0;
      if (problem === undefined) continue;
      const delayMs = backoffDelay(failures, { ...retry, random });
      failures += 1;
      logger[failures === 1 ? 'warn' : 'debug']('list or watch failed, trying again', { problem, delayMs, failures });
      await clock.sleep(delayMs, signal).catch(() => undefined);
    }
  }

  return {
    run,
    synced: (signal) => (signal === undefined ? firstList.promise : orAborted(firstList.promise, signal)),
    addHandler(handler) {
      handlers.push(handler);
      for (const object of store.list(undefined)) {
        try {
          handler.added?.(object);
        } catch (error) {
          logger.error('informer handler failed', { event: 'added', name: object.metadata.name, error: messageOf(error) });
        }
      }
    },
    get: (namespace, name) => store.get(storeKey(type.namespaced ? namespace : undefined, name)),
    list: (namespace) => store.list(namespace),
    byIndex: (index, value) => store.byIndex(index, value),
  };
}

function keyOf(object: KubeObject): string {
  return storeKey(object.metadata.namespace, object.metadata.name ?? '');
}

function isExpired(error: unknown): boolean {
  return error instanceof ApiStatusError && error.httpCode === 410;
}

function orAborted(promise: Promise<void>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason);
    if (signal.aborted) return onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    promise.finally(() => signal.removeEventListener('abort', onAbort)).then(resolve, reject);
  });
}
