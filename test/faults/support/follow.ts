import { setTimeout as delay } from 'node:timers/promises';
import { eventually } from '@arc/testkit';
import type { ApiClient } from './api-client.ts';
import type { FollowRecord, HistoryEvent } from './load-record.ts';

/** A client that watches as informers do: it resumes from its last revision, and lists again only when told that it has expired. */
export interface Follower extends AsyncDisposable {
  readonly segments: readonly FollowRecord[];
  /** Waits until everything up to `revision` has been told. */
  reached(revision: number): Promise<void>;
}

export interface FollowOptions {
  readonly from: number;
  /** Lists the collection and returns its revision; undefined when there was no answer. */
  readonly list: () => Promise<number | undefined>;
  readonly random: (limit: number) => number;
}

interface WireObject {
  readonly metadata: { readonly name: string; readonly uid: string; readonly resourceVersion: string };
  readonly data?: { readonly writer?: string };
}

type WireEvent =
  | { readonly type: HistoryEvent['type'] | 'BOOKMARK'; readonly object: WireObject }
  | { readonly type: 'ERROR'; readonly object: { readonly code: number | undefined } };

export function follow(client: ApiClient, collection: string, { from, list, random }: FollowOptions): Follower {
  const segments: { from: number; events: HistoryEvent[] }[] = [{ from, events: [] }];
  const stop = new AbortController();
  let cursor = from;

  const watchOnce = async (): Promise<'ended' | 'failed' | 'expired'> => {
    for await (const { type, object } of watchEvents(client, collection, { from: cursor, seconds: 1 + random(3), signal: stop.signal })) {
      if (type === 'ERROR') return object.code === 410 ? 'expired' : 'failed';
      cursor = Number(object.metadata.resourceVersion);
      if (type !== 'BOOKMARK') segments.at(-1)?.events.push(historyEvent(type, object));
    }
    return 'ended';
  };
  const beginAnew = async (): Promise<void> => {
    const revision = await list();
    if (revision === undefined) return;
    cursor = revision;
    segments.push({ from: revision, events: [] });
  };
  const ended = (async () => {
    while (!stop.signal.aborted) {
      const how = await watchOnce();
      if (how === 'expired') await beginAnew();
      if (how !== 'ended') await delay(50);
    }
  })();

  return {
    segments,
    async reached(revision) {
      await eventually(() => cursor >= revision, { what: `a watch to tell revision ${revision}; it told ${cursor}`, intervalMs: 10 });
    },
    async [Symbol.asyncDispose]() {
      stop.abort();
      await ended;
    },
  };
}

/** Every change after `from` up to `until`, from one watch that does not end before. */
export async function readHistory(
  client: ApiClient,
  collection: string,
  { from, until }: { readonly from: number; readonly until: number },
): Promise<readonly HistoryEvent[]> {
  const events: HistoryEvent[] = [];
  for await (const { type, object } of watchEvents(client, collection, { from, seconds: 60, signal: new AbortController().signal })) {
    if (type === 'ERROR') throw new Error(`history cannot be read: ${JSON.stringify(object)}`);
    if (type !== 'BOOKMARK') events.push(historyEvent(type, object));
    if (Number(object.metadata.resourceVersion) >= until) return events;
  }
  throw new Error(`the watch of history ended at revision ${events.at(-1)?.revision} of ${until}`);
}

/** @param object a ConfigMap of the load. */
export function historyEvent(type: HistoryEvent['type'], object: unknown): HistoryEvent {
  const { metadata, data } = object as WireObject;
  return { type, name: metadata.name, revision: Number(metadata.resourceVersion), uid: metadata.uid, writer: data?.writer ?? '' };
}

/** What one watch tells until it ends, however that happens. */
async function* watchEvents(
  client: ApiClient,
  collection: string,
  { from, seconds, signal }: { readonly from: number; readonly seconds: number; readonly signal: AbortSignal },
): AsyncGenerator<WireEvent, void, void> {
  const response = await client.open(`${collection}?watch=true&allowWatchBookmarks=true&resourceVersion=${from}&timeoutSeconds=${seconds}`);
  if (response === undefined) {
    await delay(50);
    return;
  }
  const end = (): void => void response.destroy();
  signal.addEventListener('abort', end, { once: true });
  let rest = '';
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      const lines = (rest + chunk.toString('latin1')).split('\n');
      rest = lines.pop() ?? '';
      if (response.statusCode === 200) yield* lines.map((line): WireEvent => JSON.parse(line));
    }
  } catch {
    // Cut off: what was told so far counts.
  } finally {
    signal.removeEventListener('abort', end);
    response.destroy();
  }
  if (response.statusCode !== 200) yield { type: 'ERROR', object: { code: response.statusCode } };
}
