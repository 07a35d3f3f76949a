import { messageOf, type Clock, type Logger } from '@arc/kernel';
import {
  assertNotCompacted,
  assertNotFuture,
  ChangeNotifier,
  followChanges,
  RecentChanges,
  StorageError,
  type ChangeBatch,
  type ChangeEvent,
} from '@arc/storage';
import type { Connections } from './connections.ts';
import type { HistoryReads } from './history-reads.ts';
import type { Statements } from './statements.ts';

export interface ChangeFeedOptions {
  readonly connections: Connections;
  readonly statements: Statements;
  readonly history: HistoryReads;
  /** The newest revision when the store was opened, and how far history had been forgotten. */
  readonly newest: number;
  readonly compacted: number;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly isListening: () => boolean;
}

/** How often the database is asked for changes while nothing tells of them, milliseconds. */
const pollMs = 100;
/** The same while LISTEN works: finds a connection that died silently. */
const safetyPollMs = 5_000;

/**
 * What this store knows of the log. Changes come from one reader, which pulls whatever follows the newest revision known, or
 * from a commit of this store that follows it directly. So they are known in order, each once, whoever made them.
 */
export class ChangeFeed {
  readonly #options: ChangeFeedOptions;
  readonly #recent = new RecentChanges();
  readonly #changed = new ChangeNotifier();
  readonly #wanted = new ChangeNotifier();
  #known: number;
  #announced: number;
  /** Whether somebody told of changes without saying up to where. */
  #isGuess = false;
  #compacted: number;
  #wakes = 0;
  #closed = false;

  constructor(options: ChangeFeedOptions) {
    this.#options = options;
    this.#known = options.newest;
    this.#announced = options.newest;
    this.#compacted = options.compacted;
  }

  /** Every change up to here is known. */
  get revision(): number {
    return this.#known;
  }

  /** Tells that there are changes up to `revision`, or that there may be some. */
  wake(revision?: number): void {
    if (revision !== undefined && revision <= this.#known) return;
    this.#wakes += 1;
    if (revision === undefined) this.#isGuess = true;
    this.#announced = Math.max(this.#announced, revision ?? this.#known + 1);
    this.#wanted.notify();
  }

  /** Tells what a commit of this store has done. */
  committed(events: readonly ChangeEvent[]): void {
    const first = events[0]?.revision;
    const last = events.at(-1)?.revision;
    if (first === undefined || last === undefined) return;
    // Others have written in between, or this commit is known from the log already.
    if (first !== this.#known + 1) this.wake(last);
    else this.#append(events);
  }

  /** History up to here has been forgotten, as far as this store knows. */
  get compactedRevision(): number {
    return this.#compacted;
  }

  compacted(revision: number): void {
    this.#compacted = Math.max(this.#compacted, revision);
  }

  /** Pulls changes until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, isListening, logger } = this.#options;
    let failed = false;
    while (!signal.aborted) {
      if (failed || this.#announced <= this.#known)
        await this.#wait(failed || !isListening() ? pollMs : safetyPollMs, failed, clock, signal);
      if (signal.aborted) return;
      try {
        await this.#pull(signal);
        failed = false;
      } catch (error) {
        if (signal.aborted) return;
        this.#options.history.doubt();
        if (!failed) logger.warn('the change log cannot be read; trying again', { reason: messageOf(error) });
        failed = true;
      }
    }
  }

  async *changes(
    after: number,
    current: (signal: AbortSignal) => Promise<number>,
    signal: AbortSignal,
  ): AsyncGenerator<ChangeBatch, void, void> {
    if (signal.aborted) return;
    this.#assertOpen();
    if (after > this.#known) {
      // Another server's write, or one of this store that others preceded: not known yet, but maybe there.
      const newest = await current(signal);
      assertNotFuture(after, newest);
      this.wake(newest);
      while (this.#known < after && !signal.aborted && !this.#closed) await this.#changed.next(signal);
    }
    const source = {
      currentRevision: () => {
        this.#assertOpen();
        return this.#known;
      },
      read: (from: number) => this.#read(from, signal),
      changed: this.#changed,
    };
    yield* followChanges(source, after, signal);
  }

  close(): void {
    this.#closed = true;
    this.#changed.notify();
  }

  async #read(after: number, signal: AbortSignal): Promise<ChangeBatch> {
    assertNotCompacted(after, this.#compacted);
    return this.#recent.read(after) ?? (await this.#options.history.log(after, { told: this.#known, signal }));
  }

  async #pull(signal: AbortSignal): Promise<void> {
    const from = this.#known;
    const wakes = this.#wakes;
    const told = this.#isGuess ? undefined : this.#announced;
    this.#isGuess = false;
    try {
      const { events, newest } = await this.#options.history.log(from, { told, signal });
      // A commit of this store may have been told meanwhile.
      this.#append(events.filter(({ revision }) => revision > this.#known));
      // What was told before the page was asked for is answered by it: there is no more than `newest`.
      this.#announced = this.#wakes === wakes ? newest : Math.max(this.#announced, newest);
    } catch (error) {
      this.#isGuess = true;
      if (!(error instanceof StorageError) || error.code !== 'Compacted') throw error;
      await this.#skip(signal);
    }
  }

  /** History was forgotten before it was read: those who follow are told when they ask for it. */
  async #skip(signal: AbortSignal): Promise<void> {
    const { connections, statements } = this.#options;
    const [[newest, compacted] = []] = await connections.query({ text: statements.facts }, signal);
    this.#recent.clear();
    this.#known = Math.max(this.#known, Number(newest));
    this.compacted(Number(compacted));
    this.#changed.notify();
  }

  #append(events: readonly ChangeEvent[]): void {
    const last = events.at(-1)?.revision;
    if (last === undefined) return;
    this.#recent.push(events);
    this.#known = last;
    this.#changed.notify();
  }

  async #wait(ms: number, failed: boolean, clock: Clock, signal: AbortSignal): Promise<void> {
    const stop = new AbortController();
    const until = AbortSignal.any([stop.signal, signal]);
    try {
      const timer = clock.sleep(ms, until).catch(() => {});
      await (failed ? timer : Promise.race([timer, this.#wanted.next(until)]));
    } finally {
      stop.abort();
    }
  }

  #assertOpen(): void {
    if (this.#closed) throw new StorageError('Closed', 'the store has been closed');
  }
}
