import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Clock, Logger } from '@arc/kernel';
import { messageOf } from '@arc/kernel';
import type { CachedObject, ResourceCache, Writer } from '@arc/storage';

export interface ExpiryOptions {
  readonly cache: ResourceCache;
  readonly writer: Writer;
  /** How long an object stays that nobody writes, milliseconds. */
  readonly ttlMs: number;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Looks in the time an object stays; it stays up to so much longer. */
const looks = 12;
/** Objects looked at in one turn of the event loop, and deletions that are under way at once, which share commits. */
const batchSize = 256;

/**
 * Removes objects that nobody has written for some time, as etcd's leases do with the events of a Kubernetes API server.
 * How old a write is, is told by its revision: which ones there were when is noted with every look, so that no object is read. What
 * is older than the server goes by the time of its creation. Several servers may do it; each object is deleted under its revision.
 */
export function expireObjects({ cache, writer, ttlMs, clock, logger }: ExpiryOptions): Disposable {
  /** Revisions of earlier looks, oldest first. */
  const noted: { readonly revision: number; readonly at: number }[] = [];
  let timer: Disposable | undefined;
  let stopped = false;

  const remove = async (objects: readonly CachedObject[]): Promise<void> => {
    const unwritten = noted.findLast(({ at }) => clock.monotonic() - at >= ttlMs)?.revision ?? 0;
    const unseen = noted[0]?.revision ?? 0;
    const isExpired = (object: CachedObject): boolean =>
      object.revision <= unwritten || (object.revision <= unseen && clock.now() - createdAt(object) >= ttlMs);
    for (let from = 0; from < objects.length && !stopped; from += batchSize) {
      const expired = objects.slice(from, from + batchSize).filter(isExpired);
      await Promise.all(expired.map(({ key, revision }) => writer.write({ key, expect: revision, value: null })));
      if (objects.length > batchSize) await nextTurn();
    }
  };

  const look = async (): Promise<void> => {
    try {
      const { revision, objects } = cache.list();
      noted.push({ revision, at: clock.monotonic() });
      if (noted.length > looks + 2) noted.shift();
      await remove(objects);
    } catch (error) {
      // Not loaded yet, or a store that is away: the next look is soon enough.
      logger.debug('old objects could not be removed', { error: messageOf(error) });
    }
    if (!stopped) timer = clock.after(ttlMs / looks, () => void look());
  };

  timer = clock.after(ttlMs / looks, () => void look());
  return {
    [Symbol.dispose]() {
      stopped = true;
      timer?.[Symbol.dispose]();
    },
  };
}

/** Milliseconds since 1970; NaN, which is older than nothing, where it is not known. */
function createdAt({ metadata }: CachedObject): number {
  const { creationTimestamp } = JSON.parse(Buffer.from(metadata).toString('utf8')) as { readonly creationTimestamp?: string };
  return Date.parse(creationTimestamp ?? '');
}
