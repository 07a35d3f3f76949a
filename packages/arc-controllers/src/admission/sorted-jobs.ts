import type { QueuedJob } from './job.ts';

/** Jobs that compete for the same, in the order of their turn. */
export class SortedJobs {
  readonly #jobs: QueuedJob[] = [];

  get first(): QueuedJob | undefined {
    return this.#jobs[0];
  }

  get size(): number {
    return this.#jobs.length;
  }

  *keys(): Generator<string> {
    for (const { key } of this.#jobs) yield key;
  }

  add(job: QueuedJob): void {
    this.#jobs.splice(this.before(job), 0, job);
  }

  remove(job: QueuedJob): void {
    const index = this.before(job);
    if (this.#jobs[index] === job) this.#jobs.splice(index, 1);
  }

  /** How many have their turn before this one. */
  before(job: QueuedJob): number {
    let low = 0;
    let high = this.#jobs.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const other = this.#jobs[middle];
      if (other !== undefined && isBefore(other, job)) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

export function isBefore(a: QueuedJob, b: QueuedJob): boolean {
  if (a.turn !== b.turn) return a.turn < b.turn;
  return a.key < b.key;
}
