import { randomInt } from 'node:crypto';
import { ApiStatusError, type Status, statusError } from '@arc/apimachinery';
import { type Selection, StorageError, type Watcher } from '@arc/storage';
import type { LiveFeed } from '../http/reply.ts';
import type { ServedResource } from '../registry/served-resource.ts';
import { watchEncoder, type WatchEncoder } from '../representation/watch-encoder.ts';
import { negotiateWatch } from '../representation/watch-encoder.ts';
import { freshEnough } from '../request/freshness.ts';
import { parseWatchOptions, type WatchOptions } from '../request/list-options.ts';
import { selectionOf } from '../request/selection.ts';
import type { RequestContext, ServerContext } from '../server-context.ts';
import { toStatus } from '../errors/to-status.ts';
import type { VerbHandler } from './handler.ts';
import { failedFeed, WatchFeed } from './watch-feed.ts';

const bookmarkIntervalMs = 60_000;
const minWatchSeconds = 1_800;
const maxWatchSeconds = 3_600;

/**
 * A stream of changes (wire contract 4.7). What is wrong before the first byte is an ordinary error; afterwards, also an
 * expired revision, it is an ERROR event in a 200 stream.
 */
export const watch: VerbHandler = async (server, resource, request) => {
  const { exchange } = request;
  const representation = negotiateWatch(exchange);
  const options = parseWatchOptions(exchange.query);
  const scope = { ...selectionOf(resource, options), namespace: resource.type.namespaced ? request.info.namespace : '' };
  const encoder = watchEncoder(exchange.query, resource, representation, server.clock);
  return {
    code: 200,
    headers: { 'content-type': 'application/json' },
    body: { kind: 'feed', open: () => openFeed(server, resource, request, { options, scope, encoder }) },
  };
};

interface Watching {
  readonly options: WatchOptions;
  readonly scope: Selection;
  readonly encoder: WatchEncoder;
}

async function openFeed(server: ServerContext, resource: ServedResource, request: RequestContext, watching: Watching): Promise<LiveFeed> {
  const { cache } = resource;
  const { options, scope, encoder } = watching;
  const failed = (error: unknown): Uint8Array | undefined => errorLine(error, { server, resource, signal: request.signal, watching });
  try {
    if (cache === undefined) throw statusError.methodNotSupported(resource.type, 'watch');
    const start = options.resourceVersion ?? 0;
    const withInitial = options.sendInitialEvents ?? start === 0;
    await freshEnough(server, freshnessOf(options), request.signal);

    let after = start;
    let initial: ReturnType<typeof cache.list> | undefined;
    if (withInitial) {
      initial = cache.list(scope);
      after = initial.revision;
    } else if (options.sendInitialEvents === false && start === 0) {
      after = cache.revision;
    }
    // Made in the same turn as the list: nothing falls between the two.
    const watcher = cache.watch({ ...scope, after });
    return new WatchFeed({
      ...{ watcher, encoder, initial: initial?.objects, revision: after },
      marksInitialEnd: options.sendInitialEvents === true && options.allowWatchBookmarks,
      bookmarks: options.allowWatchBookmarks,
      sent: server.metrics.watchEvents(resource),
      failed,
      held: endings(server, request, watcher, options),
    });
  } catch (error) {
    return failedFeed(failed(error));
  }
}

interface Failing {
  readonly server: ServerContext;
  readonly resource: ServedResource;
  readonly signal: AbortSignal;
  readonly watching: Watching;
}

/** What a client is told of a failure; nothing when it knows, or has only to watch again from where it is. */
function errorLine(error: unknown, { server, resource, signal, watching }: Failing): Uint8Array | undefined {
  if (server.shutdown.aborted || signal.aborted) return undefined;
  if (error instanceof StorageError && (error.code === 'SlowWatcher' || error.code === 'Closed')) return undefined;
  return watching.encoder.error(statusOf(error, resource, watching.options));
}

function freshnessOf({ resourceVersion, sendInitialEvents }: WatchOptions): Parameters<typeof freshEnough>[1] {
  if (resourceVersion !== undefined && resourceVersion > 0) return { kind: 'notOlderThan', revision: resourceVersion };
  return resourceVersion === 0 ? { kind: 'any' } : sendInitialEvents === false ? { kind: 'any' } : { kind: 'mostRecent' };
}

/** Ends the watcher at its timeout, at shutdown or when the client has gone; asks for bookmarks until then. */
function endings(server: ServerContext, request: RequestContext, watcher: Watcher, options: WatchOptions): Disposable {
  const { clock } = server;
  const timers = new DisposableStack();
  const end = (): void => watcher[Symbol.dispose]();
  const seconds = options.timeoutSeconds ?? randomInt(minWatchSeconds, maxWatchSeconds);
  timers.use(clock.after(seconds * 1000, end));
  for (const stop of [server.shutdown, request.signal]) {
    stop.addEventListener('abort', end);
    timers.defer(() => stop.removeEventListener('abort', end));
    if (stop.aborted) end();
  }
  if (options.allowWatchBookmarks) {
    let timer: Disposable | undefined;
    const again = (): void => {
      timer = clock.after(bookmarkIntervalMs, () => {
        watcher.requestProgress();
        again();
      });
    };
    again();
    timers.defer(() => timer?.[Symbol.dispose]());
    if (seconds > 2) timers.use(clock.after((seconds - 2) * 1000, () => watcher.requestProgress()));
  }
  return timers;
}

function statusOf(error: unknown, { type, cache }: ServedResource, options: WatchOptions): Status {
  if (error instanceof ApiStatusError) return error.reason === 'Timeout' ? tooOld(options, cache?.revision).status : error.status;
  if (error instanceof StorageError && (error.code === 'Compacted' || error.code === 'FutureRevision')) {
    return tooOld(options, cache?.revision).status;
  }
  return toStatus(error, { verb: 'watch', group: type.group, plural: type.plural }).status;
}

/** 410, whether history no longer reaches back that far or, after a restore, not yet that far ahead. */
function tooOld({ resourceVersion = 0 }: WatchOptions, current = 0): ApiStatusError {
  return statusError.expired(`too old resource version: ${resourceVersion} (${current})`);
}
