import type { Clock } from '@arc/kernel';
import { FairQueue } from './fair-queue.ts';
import type { FairQueueOptions } from './fair-queue.ts';
import type { Job, WaitReason } from './job.ts';

/** What somebody who waits is told. */
export interface Place {
  readonly position: number;
  /** A sentence for people. */
  readonly message: string;
}

interface ToldPlace extends Place {
  readonly why: string;
}

export interface AdmissionOptions extends FairQueueOptions {
  readonly clock: Clock;
  /** Called with the key of a run that may start now, or whose place has changed. */
  readonly wake: (key: string) => void;
}

/** How often those near their turn are told a new place. Each is a write or two, so the others keep the place they were told. */
const refreshMs = 30_000;
/** How near: at most so many writes per refresh. */
const refreshed = 100;
/** What has to be left of a place for the new one to be worth telling. */
const noticeable = 0.75;

/**
 * Lets runs start when it is their turn, and tells those that wait where they stand. What is under way is read from the
 * Workflows themselves and waiting is counted from the creation of a run, so a restart forgets nothing but past usage.
 */
export class Admission implements Disposable {
  readonly #queue: FairQueue;
  readonly #clock: Clock;
  readonly #wake: (key: string) => void;
  /** What those who wait were told, by key. */
  readonly #told = new Map<string, ToldPlace>();
  #timer: Disposable | undefined;

  constructor({ clock, wake, ...options }: AdmissionOptions) {
    this.#queue = new FairQueue(options);
    this.#clock = clock;
    this.#wake = wake;
  }

  /** Undefined when the run may start now; otherwise it is queued and woken when its turn comes. */
  tryEnter(job: Job): Place | undefined {
    if (this.#queue.isActive(job.key)) return undefined;
    this.#queue.enqueue(job, this.#clock.now());
    this.#grant(job.key);
    if (this.#queue.isActive(job.key)) return undefined;
    const place = this.#told.get(job.key) ?? this.#placeOf(job.key);
    this.#told.set(job.key, place);
    this.#timer ??= this.#clock.after(refreshMs, () => this.#refresh());
    return place;
  }

  /** Called when a Workflow of this run is known to exist and not to have ended. */
  entered(job: Pick<Job, 'key' | 'namespace' | 'endpoints'>): void {
    this.#told.delete(job.key);
    this.#queue.activate(job, this.#clock.now());
  }

  /** Called when the run has ended or will not start after all. */
  leave(key: string): void {
    this.#told.delete(key);
    this.#queue.release(key, this.#clock.now());
    this.#grant();
  }

  /** Called when limits have changed. */
  reconsider(): void {
    this.#grant();
  }

  [Symbol.dispose](): void {
    this.#timer?.[Symbol.dispose]();
    this.#timer = undefined;
  }

  #grant(asking?: string): void {
    const now = this.#clock.now();
    for (let next = this.#queue.admit(now); next !== undefined; next = this.#queue.admit(now)) {
      this.#told.delete(next.key);
      if (next.key !== asking) this.#wake(next.key);
    }
  }

  #refresh(): void {
    this.#timer = undefined;
    for (const line of this.#queue.lines()) {
      for (const key of line) {
        const place = this.#placeOf(key);
        // Whoever stands behind in the same line has no better one.
        if (place.position > refreshed) break;
        if (!isNews(place, this.#told.get(key))) continue;
        this.#told.set(key, place);
        this.#wake(key);
      }
    }
    if (this.#queue.waiting > 0) this.#timer = this.#clock.after(refreshMs, () => this.#refresh());
  }

  #placeOf(key: string): ToldPlace {
    const position = this.#queue.position(key) ?? 1;
    const reason = this.#queue.reason(key);
    const why = reason === undefined ? '' : `: ${reasonText(reason)}`;
    return { position, why, message: `waits for its turn, about number ${position} in line${why}` };
  }
}

function isNews(place: ToldPlace, told: ToldPlace | undefined): boolean {
  if (told === undefined || told.why !== place.why) return true;
  return place.position <= told.position * noticeable || told.position <= place.position * noticeable;
}

function reasonText(reason: WaitReason): string {
  switch (reason.kind) {
    case 'total':
      return `${reason.active} of at most ${reason.limit} workflows run`;
    case 'namespace':
      return `${reason.active} of at most ${reason.limit} workflows of its namespace run`;
    case 'endpoint':
      return `${reason.active} of at most ${reason.limit} runs use the Endpoint ${JSON.stringify(reason.endpoint.slice(reason.endpoint.indexOf('/') + 1))}`;
    case 'turn':
      return 'others come first';
  }
}
