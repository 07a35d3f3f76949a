import { statusError } from '@arc/apimachinery';
import { StorageError } from '@arc/storage';
import type { ServerContext } from '../server-context.ts';
import { parseRevision, type VersionMatch } from './list-options.ts';

/** How long a read waits for a revision the cache has not reached yet (wire contract 2.5). */
const futureRevisionTimeoutMs = 3_000;

/** The freshness a GET asks for: unset = most recent, 0 = any, else at least that revision. */
export function parseGetVersion(query: URLSearchParams): VersionMatch {
  const text = query.get('resourceVersion') ?? '';
  if (text === '') return { kind: 'mostRecent' };
  const revision = parseRevision(text);
  return revision === 0 ? { kind: 'any' } : { kind: 'notOlderThan', revision };
}

/**
 * Waits until the cache may answer.
 * @throws ApiStatusError 504 "Too large resource version" when it does not get there in time.
 */
export async function freshEnough(server: Pick<ServerContext, 'cache'>, version: VersionMatch, signal: AbortSignal): Promise<void> {
  switch (version.kind) {
    case 'any':
      return;
    case 'mostRecent':
      await server.cache.waitUntilFresh(signal);
      return;
    case 'notOlderThan':
    case 'exact':
      try {
        await server.cache.waitFor(version.revision, { timeoutMs: futureRevisionTimeoutMs, signal });
      } catch (error) {
        if (!(error instanceof StorageError) || error.code !== 'FutureRevision') throw error;
        throw statusError.resourceVersionTooLarge(version.revision, server.cache.revision);
      }
  }
}
