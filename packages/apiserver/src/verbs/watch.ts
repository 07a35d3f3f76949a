import { randomInt } from 'node:crypto';
import { ApiStatusError, type Status, statusError } from '@arc/apimachinery';
import { anySignal } from '@arc/kernel';
import { type Selection, StorageError, type Watcher } from '@arc/storage';
import type { ServedResource } from '../registry/served-resource.ts';
import { watchEncoder, type WatchEncoder } from '../representation/watch-encoder.ts';
import { negotiateWatch } from '../representation/watch-encoder.ts';
import { freshEnough } from '../request/freshness.ts';
import { parseWatchOptions, type WatchOptions } from '../request/list-options.ts';
import { selectionOf } from '../request/selection.ts';
import type { RequestContext, ServerContext } from '../server-context.ts';
import { toStatus } from '../errors/to-status.ts';
import type { VerbHandler } from './handler.ts';

const bookmarkIntervalMs = 60_000;
/** Deliveries a slow client may have waiting before its watch is closed. */
const maxQueued = 1_000;
const minWatchSeconds = 1_800;
const maxWatchSeconds = 3_600;
/** Initial events written together. */
const initialBatch = 200;

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
  const events = watchEvents(server, resource, request, { options, scope, encoder });
  return {
    code: 200,
    headers: { 'content-type': 'application/json' },
    body: { kind: 'live', chunks: events },
  };
};

interface Watching {
  readonly options: WatchOptions;
  readonly scope: Selection;
  readonly encoder: WatchEncoder;
}

async function* watchEvents(
  server: ServerContext,
  resource: ServedResource,
  request: RequestContext,
  watching: Watching,
): AsyncGenerator<Uint8Array, void, void> {
  try {
    yield* stream(server, resource, request, watching);
  } catch (error) {
    const ended = server.shutdown.aborted || request.signal.aborted;
    const slow = error instanceof StorageError && error.code === 'SlowWatcher';
    if (ended || slow || (error instanceof StorageError && error.code === 'Closed')) return;
    yield watching.encoder.error(statusOf(error, resource, watching.options));
  }
}

async function* stream(
  server: ServerContext,
  resource: ServedResource,
  request: RequestContext,
  { options, scope, encoder }: Watching,
): AsyncGenerator<Uint8Array, void, void> {
  const { cache } = resource;
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
  using watcher = cache.watch({ ...scope, after, maxQueued });
  using _end = endings(server, request, watcher, options);

  if (initial !== undefined) {
    for (let from = 0; from < initial.objects.length; from += initialBatch) {
      const objects = initial.objects.slice(from, from + initialBatch);
      const bytes = encoder.initial(objects);
      server.metrics.watchEvents(resource, objects.length, bytes.length);
      yield bytes;
    }
    if (options.sendInitialEvents === true && options.allowWatchBookmarks) yield encoder.bookmark(after, { initialEventsEnd: true });
  }
  for await (const { revision, events } of watcher) {
    if (events.length > 0) {
      const bytes = encoder.events(events);
      server.metrics.watchEvents(resource, events.length, bytes.length);
      yield bytes;
    } else if (options.allowWatchBookmarks) yield encoder.bookmark(revision, { initialEventsEnd: false });
  }
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
  const stop = anySignal(server.shutdown, request.signal);
  stop.addEventListener('abort', end);
  timers.defer(() => stop.removeEventListener('abort', end));
  if (stop.aborted) end();
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
