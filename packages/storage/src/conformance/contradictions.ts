import type { ChangeEvent } from '../store.ts';
import type { Recorded, RecordedWrite } from './recorded-history.ts';

/**
 * Checks that the answers are those of one sequence of operations that agrees with real time. Revisions give the order of the
 * writes, so sorting is all it takes: every answer is true of some revision, and one of those has to lie between the newest
 * that was acknowledged before the operation began and the newest whose write had begun when it ended. Operations that
 * overlap in time are in any order.
 *
 * @param log every change of the keys from the beginning, as a follower was told
 * @returns what contradicts, nothing when all is well
 */
export function contradictions(
  recorded: readonly Recorded[],
  log: readonly ChangeEvent[],
  { gapFree = true }: { readonly gapFree?: boolean } = {},
): readonly string[] {
  const found: string[] = [];
  const writes = writesByRevision(recorded, log, found);
  const bounds = boundsOf(recorded, writes);
  const histories = keyHistories(log);
  const revisions = log.map(({ revision }) => revision);

  for (const [index, { revision }] of log.entries()) {
    const expected = gapFree ? index + 1 : undefined;
    if (revision !== (expected ?? revision) || revision <= (revisions[index - 1] ?? 0)) {
      found.push(`change ${index + 1} of the log has revision ${revision}`);
    }
  }
  for (const [revision, write] of writes) {
    const [from] = bounds(write);
    if (revision <= from) found.push(`written before what was acknowledged before it: ${told(write)}, after ${from}`);
  }
  for (const operation of recorded) {
    const [from, to] = bounds(operation);
    const wrong = (what: string): unknown => found.push(`${what}: ${told(operation)}, from ${from} to ${to}`);
    if (operation.kind === 'write') {
      const { key, expect, outcome, met } = operation;
      if (outcome !== 'refused') continue;
      const matching = expect === 'absent' ? 0 : expect;
      if (met === matching) wrong('refused though it matched');
      const history = histories.get(key);
      const hasReason = met === undefined ? holdsAnother(history, matching, [from, to]) : holds(history, met, [from, to]);
      if (!hasReason) wrong('refused for no reason');
    } else if (operation.kind === 'read') {
      if (!holds(histories.get(operation.key), operation.found, [from, to])) wrong('stale or invented');
    } else {
      // Where others raise revisions too, a snapshot is of the newest of ours at or below its own.
      const revision = gapFree ? operation.revision : (revisions[lastUpTo(revisions, operation.revision)] ?? 0);
      if (operation.revision < from || revision > to) wrong('snapshot out of order');
      if (operation.found === undefined) continue;
      for (const [key, history] of histories) {
        if (!holds(history, operation.found.get(key) ?? 0, [revision, revision])) wrong(`${key} is not of the snapshot`);
      }
    }
  }
  return found;
}

/** The write behind each change of the log; writes with an unknown outcome explain what no acknowledged one does. */
function writesByRevision(recorded: readonly Recorded[], log: readonly ChangeEvent[], found: string[]): Map<number, RecordedWrite> {
  const acknowledged = new Map<number, RecordedWrite>();
  const unknown = new Map<string, RecordedWrite[]>();
  const idOf = (...id: readonly [key: string, expect: number | 'absent', value: string | null]): string => JSON.stringify(id);
  for (const operation of recorded) {
    if (operation.kind !== 'write') continue;
    const { key, expect, value, outcome, revision } = operation;
    if (outcome === 'unknown') unknown.set(idOf(key, expect, value), [...(unknown.get(idOf(key, expect, value)) ?? []), operation]);
    if (outcome !== 'committed') continue;
    if (acknowledged.has(revision)) found.push(`revision ${revision} was given twice`);
    acknowledged.set(revision, operation);
  }
  const writes = new Map<number, RecordedWrite>();
  for (const { key, revision, value, previous } of log) {
    const content = value === null ? null : Buffer.from(value).toString();
    const before = previous?.revision ?? 'absent';
    const write = acknowledged.get(revision) ?? unknown.get(idOf(key, before, content))?.shift();
    acknowledged.delete(revision);
    if (write === undefined) {
      found.push(`nobody wrote revision ${revision} of ${key}, ${content}`);
      continue;
    }
    writes.set(revision, write);
    if (write.key !== key || write.value !== content) found.push(`revision ${revision} is ${content} of ${key}: ${told(write)}`);
    if (write.expect !== before) found.push(`revision ${revision} of ${key} lost an update, it replaced ${before}: ${told(write)}`);
    if (write.outcome === 'committed' && write.met !== (previous?.revision ?? 0)) {
      found.push(`revision ${revision} of ${key} replaced ${before}: ${told(write)}`);
    }
  }
  for (const write of acknowledged.values()) found.push(`acknowledged but not in the log: ${told(write)}`);
  return writes;
}

type Bounds = readonly [from: number, to: number];

/** For each operation, the newest revision acknowledged before it began, and the newest whose write began before it ended. */
function boundsOf(recorded: readonly Recorded[], writes: ReadonlyMap<number, RecordedWrite>): (operation: Recorded) => Bounds {
  const committed = recorded.filter((operation) => operation.kind === 'write' && operation.outcome === 'committed') as RecordedWrite[];
  const acknowledged = newestByMoment(committed.map(({ ended, revision }) => [ended, revision]));
  const begun = newestByMoment([...writes].map(([revision, { began }]) => [began, revision]));
  return ({ began, ended }) => [acknowledged(began - 1), begun(ended)];
}

/** Returns the function of a moment that tells the highest revision up to it. */
function newestByMoment(marks: (readonly [moment: number, revision: number])[]): (moment: number) => number {
  marks.sort(([a], [b]) => a - b);
  const moments = marks.map(([moment]) => moment);
  let newest = 0;
  const revisions = marks.map(([, revision]) => (newest = Math.max(newest, revision)));
  return (moment) => revisions[lastUpTo(moments, moment)] ?? 0;
}

/** The changes of one key in order. */
interface KeyHistory {
  readonly revisions: number[];
  readonly deletions: boolean[];
}

function keyHistories(log: readonly ChangeEvent[]): ReadonlyMap<string, KeyHistory> {
  const histories = new Map<string, KeyHistory>();
  for (const { key, revision, value } of log) {
    const history = histories.get(key) ?? { revisions: [], deletions: [] };
    history.revisions.push(revision);
    history.deletions.push(value === null);
    histories.set(key, history);
  }
  return histories;
}

/** Whether a key had the value of revision `wanted` (0: none) at some revision within the bounds. */
function holds(history: KeyHistory | undefined, wanted: number, [from, to]: Bounds): boolean {
  if (history === undefined) return wanted === 0;
  const { revisions, deletions } = history;
  if (wanted !== 0) {
    const at = lastUpTo(revisions, wanted);
    return revisions[at] === wanted && deletions[at] === false && wanted <= to && (revisions[at + 1] ?? Infinity) > from;
  }
  for (let at = lastUpTo(revisions, to); ; at--) {
    if (at < 0 || deletions[at] === true) return true;
    if ((revisions[at] ?? 0) <= from) return false;
  }
}

/** Whether a key had any other value than that of revision `unwanted` (0: none) at some revision within the bounds. */
function holdsAnother(history: KeyHistory | undefined, unwanted: number, [from, to]: Bounds): boolean {
  if (history === undefined) return unwanted !== 0;
  const { revisions, deletions } = history;
  const first = lastUpTo(revisions, from);
  const value = first < 0 || deletions[first] === true ? 0 : revisions[first];
  // Values that follow each other differ.
  return value !== unwanted || lastUpTo(revisions, to) > first;
}

/** The index of the last number that is at most `limit`, -1 when there is none. */
function lastUpTo(sorted: readonly number[], limit: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle] ?? Infinity) <= limit) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

function told(operation: Recorded): string {
  return JSON.stringify(operation, (_, value: unknown) => (value instanceof Map ? undefined : value));
}
