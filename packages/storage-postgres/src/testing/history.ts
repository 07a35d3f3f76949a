import type { ChangeEvent, Store, WriteItem } from '@arc/storage';

/** A conditional write that was answered. */
interface RecordedWrite {
  readonly kind: 'write';
  readonly key: string;
  readonly expect: WriteItem['expect'];
  readonly isDelete: boolean;
  readonly began: number;
  readonly ended: number;
  /** The revision when it was committed. */
  readonly revision: number | undefined;
  /** The revision of the value it met, 0 when there was none. */
  readonly met: number;
}

/** A read of one key, by itself or as part of a range. */
interface RecordedRead {
  readonly kind: 'read';
  readonly key: string;
  readonly began: number;
  readonly ended: number;
  /** The revision of the value, 0 when there was none. */
  readonly found: number;
}

/** A read of the newest revision, or of a range, which is a snapshot of one. */
interface RecordedSnapshot {
  readonly kind: 'snapshot';
  readonly began: number;
  readonly ended: number;
  readonly revision: number;
  /** Revisions of all keys, when it was a range. */
  readonly found: ReadonlyMap<string, number> | undefined;
}

export type Recorded = RecordedWrite | RecordedRead | RecordedSnapshot;

export interface HistoryOptions {
  readonly operations: number;
  /** How many run at once on each store. */
  readonly clients: number;
  readonly keys: readonly string[];
  /** Integers from 0 to `below` - 1. */
  readonly random: (below: number) => number;
}

/** Runs random operations on all stores at once. `began` and `ended` order them: both are positions in one sequence of moments. */
export async function recordHistory(stores: readonly Store[], options: HistoryOptions): Promise<readonly Recorded[]> {
  const { operations, clients, keys, random } = options;
  const recorded: Recorded[] = [];
  let moment = 0;
  let begun = 0;
  /** What this process last saw of a key, from whichever store: good for writes that succeed about half of the time. */
  const seen = new Map<string, number>();

  const write = async (store: Store, key: string): Promise<void> => {
    const last = seen.get(key) ?? 0;
    const expect = last === 0 ? 'absent' : last;
    const isDelete = last !== 0 && random(4) === 0;
    const began = moment++;
    const [outcome] = await store.commit([{ key, expect, value: isDelete ? null : Buffer.from(`${began}`) }]);
    if (outcome === undefined) throw new Error('a write was not answered');
    const met = (outcome.committed ? outcome.previous : outcome.current)?.revision ?? 0;
    const revision = outcome.committed ? outcome.revision : undefined;
    seen.set(key, revision === undefined ? met : isDelete ? 0 : revision);
    recorded.push({ kind: 'write', key, expect, isDelete, began, ended: moment++, revision, met });
  };
  const read = async (store: Store, key: string): Promise<void> => {
    const began = moment++;
    const found = (await store.get(key))?.revision ?? 0;
    seen.set(key, found);
    recorded.push({ kind: 'read', key, began, ended: moment++, found });
  };
  const snapshot = async (store: Store, wholeRange: boolean): Promise<void> => {
    const began = moment++;
    const range = wholeRange ? await store.range({ prefix: '/' }) : undefined;
    const revision = range?.revision ?? (await store.currentRevision());
    const found = range && new Map(range.items.map((item) => [item.key, item.revision]));
    recorded.push({ kind: 'snapshot', began, ended: moment++, revision, found });
  };
  const client = async (store: Store): Promise<void> => {
    while (begun++ < operations) {
      const key = keys[random(keys.length)] ?? '/';
      const choice = random(10);
      if (choice < 5) await write(store, key);
      else if (choice < 8) await read(store, key);
      else await snapshot(store, choice === 9);
    }
  };
  await Promise.all(stores.flatMap((store) => Array.from({ length: clients }, () => client(store))));
  return recorded;
}

/**
 * Checks that the answers are those of one sequence of operations that agrees with real time. Revisions give the order of the
 * writes, so it takes linear time: every answer is true of some revision, and one of those has to lie between the newest that was
 * acknowledged before the operation began and the newest whose write had begun when it ended. Returns what contradicts.
 */
export function contradictions(recorded: readonly Recorded[], log: readonly ChangeEvent[]): readonly string[] {
  const found: string[] = [];
  const committed = new Map<number, RecordedWrite>();
  for (const operation of recorded) {
    if (operation.kind !== 'write' || operation.revision === undefined) continue;
    if (committed.has(operation.revision)) found.push(`revision ${operation.revision} was given twice`);
    committed.set(operation.revision, operation);
  }
  /** Per key, the revisions of its changes; a deletion is negative. */
  const changes = new Map<string, number[]>();
  for (const [index, event] of log.entries()) {
    const write = committed.get(event.revision);
    if (event.revision !== index + 1) found.push(`change ${index + 1} of the log has revision ${event.revision}`);
    if (write?.key !== event.key) found.push(`revision ${event.revision} of the log is of ${event.key}, acknowledged for ${write?.key}`);
    if (write !== undefined && write.met !== (event.previous?.revision ?? 0)) found.push(`revision ${event.revision} met another value`);
    if (write !== undefined && write.expect !== (event.previous?.revision ?? 'absent'))
      found.push(`revision ${event.revision} lost an update`);
    const ofKey = changes.get(event.key) ?? [];
    ofKey.push(event.value === null ? -event.revision : event.revision);
    changes.set(event.key, ofKey);
  }
  if (committed.size !== log.length) found.push(`${committed.size} writes were acknowledged, the log has ${log.length}`);

  const bounds = boundsOf(recorded);
  for (const operation of recorded) {
    const [from, to] = bounds(operation);
    const told = JSON.stringify({ ...operation, found: operation.kind === 'read' ? operation.found : undefined, from, to });
    if (operation.kind === 'write') {
      if (operation.revision !== undefined && (operation.revision <= from || operation.revision > to)) found.push(`out of order: ${told}`);
      if (operation.revision === undefined && !holds(changes.get(operation.key), operation.met, from, to))
        found.push(`refused for no reason: ${told}`);
      if (operation.revision === undefined && operation.met === (operation.expect === 'absent' ? 0 : operation.expect)) {
        found.push(`refused though it matched: ${told}`);
      }
    } else if (operation.kind === 'read') {
      if (!holds(changes.get(operation.key), operation.found, from, to)) found.push(`stale or invented: ${told}`);
    } else {
      const { revision } = operation;
      if (revision < from || revision > to) found.push(`snapshot out of order: ${told}`);
      for (const [key, ofKey] of operation.found === undefined ? [] : changes) {
        if (!holds(ofKey, operation.found?.get(key) ?? 0, revision, revision)) found.push(`${key} is not of the snapshot: ${told}`);
      }
    }
  }
  return found;
}

/** For each operation, the newest revision acknowledged before it began, and the newest whose write began before it ended. */
function boundsOf(recorded: readonly Recorded[]): (operation: Recorded) => readonly [from: number, to: number] {
  const moments = recorded.length * 2;
  const acknowledged = Array.from({ length: moments }, () => 0);
  const begun = Array.from({ length: moments }, () => 0);
  for (const operation of recorded) {
    if (operation.kind !== 'write' || operation.revision === undefined) continue;
    acknowledged[operation.ended] = operation.revision;
    begun[operation.began] = operation.revision;
  }
  for (let at = 1; at < moments; at++) {
    acknowledged[at] = Math.max(acknowledged[at] ?? 0, acknowledged[at - 1] ?? 0);
    begun[at] = Math.max(begun[at] ?? 0, begun[at - 1] ?? 0);
  }
  return ({ began, ended }) => [acknowledged[began] ?? 0, begun[ended] ?? 0];
}

/** Whether a key had the value of revision `wanted` (0: none) at some revision from `from` to `to`. */
function holds(changes: readonly number[] = [], wanted: number, from: number, to: number): boolean {
  const since = wanted === 0 ? undefined : changes.indexOf(wanted);
  if (since === -1) return false;
  if (since !== undefined) return wanted <= to && Math.abs(changes[since + 1] ?? Infinity) > from;
  const absences = changes.flatMap((change, index) => (change < 0 ? [[-change, Math.abs(changes[index + 1] ?? Infinity)] as const] : []));
  return [[0, Math.abs(changes[0] ?? Infinity)] as const, ...absences].some(([begin, end]) => begin <= to && end > from);
}
