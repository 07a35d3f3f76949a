import type { ChangeBatch, ChangeEvent, Store } from '../store.ts';
import { changesUntil } from './support.ts';

/**
 * What batches that a follower took from the beginning on do against the rules: revisions are unique and in order, all of one
 * is told at once, progress never runs ahead of what is still to be told, and the value before a change is the one that was told.
 */
export function brokenWatchRules(batches: readonly ChangeBatch[]): readonly string[] {
  const broken: string[] = [];
  const live = new Map<string, ChangeEvent>();
  let last = 0;
  for (const { revision, events } of batches) {
    for (const event of events) {
      if (event.revision <= last) broken.push(`${event.key} at ${event.revision} was told after everything up to ${last}`);
      if (event.revision > revision) broken.push(`${event.key} at ${event.revision} is in a batch up to ${revision}`);
      last = Math.max(last, event.revision);
      const before = live.get(event.key);
      if (!isSame(event.previous, before)) {
        broken.push(`${event.key} at ${event.revision} replaced ${event.previous?.revision}, told before was ${before?.revision}`);
      }
      if (event.value === null && before === undefined) broken.push(`${event.key} at ${event.revision} was deleted but did not exist`);
      if (event.value === null) live.delete(event.key);
      else live.set(event.key, event);
    }
    if (revision < last) broken.push(`a batch up to ${revision} came after everything up to ${last}`);
    last = Math.max(last, revision);
  }
  return broken;
}

/** What followers that begin at these revisions are told other than one who has followed all along. */
export async function brokenResumptions(
  store: Store,
  revisions: readonly number[],
  told: readonly ChangeEvent[],
): Promise<readonly string[]> {
  const newest = told.at(-1)?.revision ?? 0;
  const broken: string[] = [];
  for (const revision of revisions) {
    const resumed = await changesUntil(store, revision, newest);
    const rest = told.filter((event) => event.revision > revision);
    const differs = rest.findIndex((event, index) => !isSame(event, resumed[index]) || !isSame(event.previous, resumed[index]?.previous));
    if (differs >= 0 || resumed.length !== rest.length) {
      broken.push(
        `resumed from ${revision}: change ${differs} is ${resumed[differs]?.revision}, ${rest[differs]?.revision} was told before`,
      );
    }
  }
  return broken;
}

interface Told {
  readonly key: string;
  readonly revision: number;
  readonly value: Uint8Array | null;
}

function isSame(a: Told | undefined, b: Told | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  if (a.key !== b.key || a.revision !== b.revision) return false;
  return a.value === null || b.value === null ? a.value === b.value : Buffer.compare(a.value, b.value) === 0;
}
