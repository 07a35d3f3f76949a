import type { StoreKey } from '../store.ts';
import type { CachedObject, ListResult, ObjectFilter, ObjectRun } from './contract.ts';

/** Objects that stand together nowhere in the cache. */
export function gatheredRun(objects: readonly CachedObject[]): ObjectRun {
  return { segment: objects, from: 0, to: objects.length, kept: false };
}

/** Which objects of a range a list shows. */
export interface Shown {
  /** Undefined: every object. */
  readonly filter: ObjectFilter | undefined;
  /** 0: as many as there are. */
  readonly limit: number;
}

export interface SelectedRuns {
  readonly runs: readonly ObjectRun[];
  /** The key of the last object when there are more than the limit allowed. */
  readonly next: StoreKey | undefined;
}

/** The objects that a list shows. A run stays whole where everything in it is shown; no more runs are taken than needed. */
export function selectRuns(runs: Iterable<ObjectRun>, { filter, limit }: Shown): SelectedRuns {
  const selected: ObjectRun[] = [];
  let gathered: CachedObject[] = [];
  let room = limit > 0 ? limit : Number.POSITIVE_INFINITY;
  let cut = false;
  const closeGathered = (): void => {
    if (gathered.length > 0) selected.push(gatheredRun(gathered));
    gathered = [];
  };
  const take = (run: ObjectRun): void => {
    room -= sizeOf(run);
    if (!run.kept) {
      for (let at = run.from; at < run.to; at++) gathered.push(objectAt(run, at));
    } else if (run.from < run.to) {
      closeGathered();
      selected.push(run);
    }
  };
  for (const run of runs) {
    const shown = filter === undefined ? run : shownOf(run, filter);
    cut = sizeOf(shown) > room;
    take(cut ? { ...shown, to: shown.from + room } : shown);
    if (cut) break;
  }
  closeGathered();
  const last = selected.at(-1);
  return { runs: selected, next: cut && last !== undefined ? objectAt(last, last.to - 1).key : undefined };
}

function shownOf(run: ObjectRun, filter: ObjectFilter): ObjectRun {
  const shown = objectsOf(run).filter(filter);
  return shown.length === sizeOf(run) ? run : gatheredRun(shown);
}

function objectsOf({ segment, from, to }: ObjectRun): readonly CachedObject[] {
  return from === 0 && to === segment.length ? segment : segment.slice(from, to);
}

function objectAt({ segment }: ObjectRun, at: number): CachedObject {
  const object = segment[at];
  if (object === undefined) throw new RangeError(`a run ends before its object ${at}`);
  return object;
}

function sizeOf({ from, to }: ObjectRun): number {
  return to - from;
}

/** A ListResult that cuts its runs into single objects only for those who ask. */
export class RunList implements ListResult {
  readonly revision: number;
  readonly runs: readonly ObjectRun[];
  readonly next: StoreKey | undefined;
  readonly remaining: number | undefined;
  #objects: readonly CachedObject[] | undefined;

  constructor({ revision, runs, next, remaining }: Pick<ListResult, 'revision' | 'runs' | 'next' | 'remaining'>) {
    this.revision = revision;
    this.runs = runs;
    this.next = next;
    this.remaining = remaining;
  }

  get size(): number {
    return this.runs.reduce((sum, run) => sum + sizeOf(run), 0);
  }

  get objects(): readonly CachedObject[] {
    this.#objects ??= this.runs.flatMap(objectsOf);
    return this.#objects;
  }
}
