import { statusError, type UnstructuredObject } from '@arc/apimachinery';
import { type ServedResource, storeKey } from '../registry/served-resource.ts';
import type { RequestContext, ServerContext } from '../server-context.ts';
import { type CurrentObject, currentFromCache, currentFromStore } from './stored-object.ts';

/** What a request makes of the present state of an object. */
export interface Decision {
  /** The object to answer with; gets its resourceVersion when it is written. */
  readonly object: UnstructuredObject;
  /** What is to be stored instead, null to delete; undefined: nothing is written. */
  readonly value: Uint8Array | null | undefined;
}

export interface ReadModifyWrite<T extends Decision> {
  readonly namespace: string;
  readonly name: string;
  /** Decides from one state of the object; called again when that turns out not to be the newest one. */
  readonly decide: (current: CurrentObject) => Promise<T> | T;
}

/** Lost races after which a write is given up; other replicas would have to win this often in a row. */
const maxAttempts = 32;

/**
 * Decides from what the cache holds, which may be old, without asking the store first: a write based on an old state is refused
 * by the store, and any other decision is made again when the newest state is another one. Asking first would cost each
 * write another round trip, and of PostgreSQL's CPU time for an update a fifth (0.17 instead of 0.14 ms at 50 writers).
 *
 * @throws ApiStatusError 404; what `decide` throws of the newest state
 */
export async function readModifyWrite<T extends Decision>(
  server: ServerContext,
  resource: ServedResource,
  request: RequestContext,
  { namespace, name, decide }: ReadModifyWrite<T>,
): Promise<T> {
  const key = storeKey(resource, namespace, name);
  return server.locks.run(key, request.signal, async () => {
    let isFresh = false;
    let read = (): CurrentObject | undefined => currentFromCache(resource, namespace, name);
    const isOld = async (current: CurrentObject | undefined): Promise<boolean> => {
      if (isFresh) return false;
      await server.cache.waitUntilFresh(request.signal);
      isFresh = true;
      return read()?.revision !== current?.revision;
    };
    for (let attempt = 0; attempt < maxAttempts; attempt++) {
      let current: CurrentObject | undefined;
      let decision: T;
      try {
        current = read();
        if (current === undefined) throw statusError.notFound(resource.type, name);
        decision = await decide(current);
      } catch (error) {
        if (await isOld(current)) continue;
        throw error;
      }
      const { object, value } = decision;
      if (value === undefined) {
        if (await isOld(current)) continue;
        return decision;
      }
      const outcome = await server.writer.write({ key, expect: current.revision, value }, request.signal);
      if (outcome.committed) {
        object.metadata.resourceVersion = String(outcome.revision);
        return decision;
      }
      read = () => currentFromStore(resource, outcome.current);
      isFresh = true;
    }
    throw statusError.storageUnavailable(resource.type, request.info.verb);
  });
}
