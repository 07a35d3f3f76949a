import type { ChangeEvent } from '@arc/storage';
import { eventually } from '@arc/testkit';
import type { ApiClient } from '../faults/support/api-client.ts';
import { revisionOf, type Collection, type StoredConfigMap } from './collection.ts';

/** What a watch tells of a collection from its beginning on, as changes. */
export interface FollowedCollection extends AsyncDisposable {
  readonly events: readonly ChangeEvent[];
  /** How often the watch was opened. */
  readonly watches: number;
  /** What a watch may never tell: an event out of order, or of a type that does not fit what was there. */
  readonly broken: readonly string[];
  reached(revision: number): Promise<void>;
}

export interface FollowOptions {
  readonly name: string;
  /** How many events the next watch tells before it is opened anew at the revision it has reached. */
  readonly eventsPerWatch: () => number;
}

interface WireEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR';
  readonly object: StoredConfigMap;
}

/** Follows until disposed of. */
export function followCollection(client: ApiClient, collection: Collection, { name, eventsPerWatch }: FollowOptions): FollowedCollection {
  const events: ChangeEvent[] = [];
  const broken: string[] = [];
  const live = new Map<string, ChangeEvent>();
  let revision = 0;
  let watches = 0;
  let failure: unknown;
  let stopped = false;
  let end = (): void => {};

  const take = ({ type, object }: WireEvent): void => {
    if (type === 'ERROR' || type === 'BOOKMARK') throw new Error(`${name} was told ${type}: ${JSON.stringify(object)}`);
    const key = object.metadata.name;
    const before = live.get(key);
    const event: ChangeEvent = {
      key,
      revision: revisionOf(object, collection),
      value: type === 'DELETED' ? null : Buffer.from(object.data?.value ?? ''),
      previous: before === undefined || before.value === null ? undefined : { key, revision: before.revision, value: before.value },
    };
    if (event.revision <= revision) broken.push(`${name} was told ${type} ${key} at ${event.revision} after ${revision}`);
    if ((type === 'ADDED') !== (event.previous === undefined)) {
      broken.push(`${name} was told ${type} ${key} at ${event.revision}, before it ${before?.revision}`);
    }
    live.set(key, event);
    events.push(event);
    revision = event.revision;
  };
  const watch = async (count: number): Promise<void> => {
    const response = await client.open(`${collection.path}?watch=true&resourceVersion=${collection.base + revision}`);
    if (response === undefined) throw new Error(`${name} cannot connect`);
    watches += 1;
    end = () => response.destroy();
    const wanted = events.length + count;
    let rest = '';
    try {
      if (stopped) return;
      for await (const chunk of response as AsyncIterable<Buffer>) {
        const lines = (rest + chunk.toString('latin1')).split('\n');
        rest = lines.pop() ?? '';
        if (response.statusCode !== 200) continue;
        for (const line of lines) {
          if (events.length < wanted) take(JSON.parse(line) as WireEvent);
        }
        if (events.length >= wanted) return;
      }
    } catch (error) {
      if (!stopped) throw error;
    } finally {
      response.destroy();
    }
    if (!stopped) throw new Error(`a watch of ${name} ended with ${response.statusCode} at ${revision}: ${rest}`);
  };
  const ended = (async () => {
    while (!stopped) await watch(eventsPerWatch());
  })().catch((error: unknown) => (failure = error));

  return {
    events,
    broken,
    get watches() {
      return watches;
    },
    async reached(wanted) {
      await eventually(() => failure !== undefined || revision >= wanted, { what: `${name} to tell revision ${wanted}`, intervalMs: 10 });
      if (failure !== undefined) throw failure;
    },
    async [Symbol.asyncDispose]() {
      stopped = true;
      end();
      await ended;
    },
  };
}
