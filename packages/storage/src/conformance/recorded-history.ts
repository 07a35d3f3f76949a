import { codeOf } from '@arc/kernel';
import type { RangeResult, Store, WriteItem } from '../store.ts';
import { randomIntegers, text } from './support.ts';

/** A moment on the clock that all processes of a machine share, nanoseconds after an origin they agree on. */
type Moment = number;

/** A conditional write. */
export interface RecordedWrite {
  readonly kind: 'write';
  readonly key: string;
  readonly expect: WriteItem['expect'];
  /** Written by no other; null for a deletion. */
  readonly value: string | null;
  readonly began: Moment;
  readonly ended: Moment;
  /** What was answered. A failed one did not happen, an unknown one may have, even after `ended`. */
  readonly outcome: 'committed' | 'refused' | 'failed' | 'unknown';
  /** Of a committed one; else 0. */
  readonly revision: number;
  /** The revision of the value it met; 0 when there was none, or no answer; undefined when a refusal does not tell. */
  readonly met: number | undefined;
}

/** A read of one key. */
interface RecordedRead {
  readonly kind: 'read';
  readonly key: string;
  readonly began: Moment;
  readonly ended: Moment;
  /** The revision of the value, 0 when there was none. */
  readonly found: number;
}

/** A read of the newest revision, or of a range, which is a snapshot of one. */
interface RecordedSnapshot {
  readonly kind: 'snapshot';
  readonly began: Moment;
  readonly ended: Moment;
  readonly revision: number;
  /** Revisions of all keys, when it was a range. */
  readonly found: ReadonlyMap<string, number> | undefined;
}

export type Recorded = RecordedWrite | RecordedRead | RecordedSnapshot;

/** Is told of operations while they happen, so that what a process did is known when it is killed. */
export interface HistoryJournal {
  /** Writes with an unknown outcome, which are sent when it resolves. */
  intended(writes: readonly RecordedWrite[]): Promise<void>;
  /** An operation that has been answered; a write that was intended has the same key and the same beginning. */
  recorded(operation: Recorded): void;
}

export interface HistoryOptions {
  /** How many in all, about. */
  readonly operations: number;
  /** How many run at once on each store. */
  readonly clients: number;
  readonly keys: readonly string[];
  /** Decides what each client does; what it meets is up to the others. */
  readonly seed: number;
  /** Begins every value; of its own for each of several histories of one storage. */
  readonly name?: string;
  /** Where moments are counted from, in `process.hrtime.bigint()`; the same for histories that are to be joined. */
  readonly origin?: bigint;
  /** Whether operations may fail as `Unavailable` and `OutcomeUnknown`; default false. */
  readonly faults?: boolean;
  readonly journal?: HistoryJournal;
  /** Ends it early. */
  readonly signal?: AbortSignal;
}

/**
 * Runs random operations on all stores at once: writes that succeed about half of the time, alone and in batches, reads and
 * snapshots. They have to be the only ones who write these keys.
 *
 * @throws whatever an operation fails with, but for what `faults` allows
 */
export async function recordHistory(stores: readonly Store[], options: HistoryOptions): Promise<readonly Recorded[]> {
  const { operations, clients, keys, seed, name = 'h', origin = process.hrtime.bigint(), faults = false, journal, signal } = options;
  const recorded: Recorded[] = [];
  let begun = 0;
  let values = 0;
  /** What was last seen of a key, through whichever store. */
  const seen = new Map<string, number>();
  const now = (): Moment => Number(process.hrtime.bigint() - origin);
  const record = (operation: Recorded): void => {
    recorded.push(operation);
    journal?.recorded(operation);
  };

  const write = async (store: Store, random: (below: number) => number, chosen: ReadonlySet<string>): Promise<void> => {
    const items = [...chosen].map((key) => {
      const last = seen.get(key) ?? 0;
      const value = last !== 0 && random(4) === 0 ? null : `${name}.${values++}`;
      return { key, expect: last === 0 ? ('absent' as const) : last, value };
    });
    const began = now();
    const unanswered = { kind: 'write', began, ended: began, outcome: 'unknown', revision: 0, met: 0 } as const;
    await journal?.intended(items.map((item) => ({ ...unanswered, ...item })));
    const answer = await answered(store.commit(items.map((item) => ({ ...item, value: item.value === null ? null : text(item.value) }))));
    const ended = now();
    for (const [index, item] of items.entries()) {
      const operation = { kind: 'write', ...item, began, ended } as const;
      if (answer.failure !== undefined) {
        seen.delete(item.key);
        record({ ...operation, outcome: answer.failure, revision: 0, met: 0 });
        continue;
      }
      const outcome = answer.result[index];
      if (outcome === undefined) throw new Error('a write was not answered');
      const met = (outcome.committed ? outcome.previous : outcome.current)?.revision ?? 0;
      const revision = outcome.committed ? outcome.revision : 0;
      seen.set(item.key, !outcome.committed ? met : item.value === null ? 0 : revision);
      record({ ...operation, outcome: outcome.committed ? 'committed' : 'refused', revision, met });
    }
  };
  const read = async (store: Store, key: string): Promise<void> => {
    const began = now();
    const answer = await answered(store.get(key));
    if (answer.failure !== undefined) return;
    const found = answer.result?.revision ?? 0;
    record({ kind: 'read', key, began, ended: now(), found });
    seen.set(key, found);
  };
  const snapshot = async (store: Store, wholeRange: boolean): Promise<void> => {
    const began = now();
    const answer = await answered(snapshotOf(store, wholeRange));
    if (answer.failure !== undefined) return;
    const { revision, items } = answer.result;
    const found = items && new Map(items.map((item) => [item.key, item.revision]));
    record({ kind: 'snapshot', began, ended: now(), revision, found });
  };
  const client = async (store: Store, random: (below: number) => number): Promise<void> => {
    const key = (): string => keys[random(keys.length)] ?? '/';
    while (begun++ < operations && signal?.aborted !== true) {
      const choice = random(10);
      if (choice < 4) await write(store, random, new Set([key()]));
      else if (choice < 5) await write(store, random, new Set([key(), key(), key()]));
      else if (choice < 8) await read(store, key());
      else await snapshot(store, choice === 9);
    }
  };
  async function answered<T>(operation: Promise<T>): Promise<Answer<T>> {
    try {
      return { failure: undefined, result: await operation };
    } catch (error) {
      const failure = failures[codeOf(error) ?? ''];
      if (!faults || failure === undefined) throw error;
      return { failure };
    }
  }

  const all = stores.flatMap((store) => Array.from({ length: clients }, () => store));
  await Promise.all(all.map((store, index) => client(store, randomIntegers(seed + index))));
  return recorded;
}

async function snapshotOf(store: Store, wholeRange: boolean): Promise<Pick<RangeResult, 'revision'> & Partial<RangeResult>> {
  return wholeRange ? await store.range({ prefix: '/' }) : { revision: await store.currentRevision() };
}

type Answer<T> = { readonly failure: undefined; readonly result: T } | { readonly failure: 'failed' | 'unknown' };

const failures: Readonly<Record<string, 'failed' | 'unknown'>> = { Unavailable: 'failed', OutcomeUnknown: 'unknown' };
