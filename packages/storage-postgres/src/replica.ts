import { anySignal, backoffDelay, codeOf, messageOf, type Clock, type Logger } from '@arc/kernel';
import { StorageError } from '@arc/storage';
import { describeDatabase } from './connection-settings.ts';
import type { Connections, Row, Statement } from './connections.ts';
import { isRecoveryConflict } from './failure.ts';
import { compareWithPrimary, NotReplica } from './replica-identity.ts';
import type { Statements } from './statements.ts';

export interface ReplicaOptions {
  readonly primary: Connections;
  readonly statements: Statements;
  /** How long a read waits for the replica before the primary answers it, milliseconds. */
  readonly patienceMs: number;
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface ReplicaRead {
  /** A revision that the primary has told of. */
  readonly wanted: number;
  /** Whether rows of a replica that has not reached it are of use already. */
  readonly suffice?: ((rows: readonly Row[]) => boolean) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** How soon a replica is looked at again after it was left, and how long that may take, milliseconds. */
const returnMs = 2_000;
const lookMs = 5_000;
/** Replication within one site takes a few milliseconds. */
const lagDelays = { initialMs: 2, maxMs: 50, jitter: 0.5 };

/**
 * A streaming replica that answers reads of what the primary has told of. It is left alone while it is away, too far behind or not
 * a copy of this primary, and used again afterwards; whoever reads asks the primary meanwhile.
 */
export class Replica {
  readonly #connections: Connections;
  readonly #options: ReplicaOptions;
  readonly #closing = new AbortController();
  #isUsed = false;
  #isDoubted = false;
  /** Since when it is not used, and for what that is known. */
  #left: { readonly at: number; readonly code: string | undefined } | undefined;
  #returning: Promise<void> | undefined;
  /** The newest revision anybody wanted. */
  #wanted = 0;
  /** The oldest revision that it is still waited for, and since when. */
  #owed: { readonly revision: number; readonly since: number } | undefined;

  constructor(connections: Connections, options: ReplicaOptions) {
    this.#connections = connections;
    this.#options = options;
  }

  /**
   * Looks at it for the first time. One that is away or behind, maybe so far that it lacks the tables yet, is used later.
   *
   * @throws NotReplica
   */
  async open(): Promise<void> {
    try {
      await this.#enter();
    } catch (error) {
      if (error instanceof NotReplica) throw error;
      this.#leave(error);
    }
  }

  /** Its copy is compared with the primary's again before the next use: connections to the primary were lost, as at a failover. */
  doubt(): void {
    this.#isDoubted = true;
  }

  /**
   * Runs a statement whose first column is the newest revision, once the replica has reached what is wanted.
   *
   * @returns undefined when the primary has to be asked
   * @throws the signal's reason
   */
  async read(statement: Statement, { wanted, suffice, signal }: ReplicaRead): Promise<readonly Row[] | undefined> {
    this.#wanted = Math.max(this.#wanted, wanted);
    if (!this.#isUsed || this.#isDoubted) {
      this.#returnLater();
      return undefined;
    }
    try {
      const { patienceMs } = this.#options;
      const rows = await this.#within(patienceMs, signal, async (patience) => await this.#reach(statement, { wanted, suffice, patience }));
      return this.#isDoubted ? undefined : rows;
    } catch (error) {
      signal?.throwIfAborted();
      if (!this.#closing.signal.aborted) this.#leave(error);
      return undefined;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    await this.#returning;
    this.#connections.cut();
    await this.#connections.end();
  }

  async #reach(
    statement: Statement,
    { wanted, suffice, patience }: Omit<ReplicaRead, 'signal'> & { readonly patience: AbortSignal },
  ): Promise<readonly Row[]> {
    for (let attempt = 0; ; attempt++) {
      const rows = await this.#query(statement, patience);
      const newest = Number(rows?.[0]?.[0] ?? 0);
      if (rows !== undefined && newest >= wanted) {
        this.#owed = undefined;
        return rows;
      }
      if (rows !== undefined) {
        this.#assertNotTooFarBehind(newest, wanted);
        if (suffice?.(rows) === true) return rows;
      }
      await this.#options.clock.sleep(backoffDelay(attempt, lagDelays), patience);
    }
  }

  /** Rows, or undefined when the replica has cancelled the statement to go on replaying. */
  async #query(statement: Statement, signal: AbortSignal): Promise<readonly Row[] | undefined> {
    try {
      return await this.#connections.query(statement, signal);
    } catch (error) {
      if (isRecoveryConflict(error)) return undefined;
      throw error;
    }
  }

  /** Reads that make do with a part must not hide that the replica gets further and further behind. */
  #assertNotTooFarBehind(newest: number, wanted: number): void {
    const { clock, patienceMs } = this.#options;
    if (this.#owed === undefined || newest >= this.#owed.revision) this.#owed = { revision: wanted, since: clock.now() };
    if (clock.now() - this.#owed.since > patienceMs) throw this.#behind();
  }

  #returnLater(): void {
    const { clock } = this.#options;
    if (this.#returning !== undefined || this.#closing.signal.aborted) return;
    if (this.#left !== undefined && clock.now() - this.#left.at < returnMs) return;
    this.#returning = this.#return().finally(() => (this.#returning = undefined));
  }

  async #return(): Promise<void> {
    try {
      await this.#enter();
      if (this.#left !== undefined) this.#options.logger.info('reading from the replica again', { replica: this.#name });
      this.#left = undefined;
    } catch (error) {
      if (!this.#closing.signal.aborted) this.#leave(error);
    }
  }

  async #enter(): Promise<void> {
    const { primary, statements, clock } = this.#options;
    this.#isUsed = false;
    this.#isDoubted = false;
    this.#owed = undefined;
    await this.#within(lookMs, undefined, async (patience) => {
      // A replica may hold for a moment what the primary does not show yet.
      for (let attempt = 0; ; attempt++) {
        const state = await compareWithPrimary(this.#connections, primary, { statements, signal: patience });
        if (state === 'behind') throw this.#behind();
        if (state === 'agrees') break;
        await clock.sleep(backoffDelay(attempt, lagDelays), patience);
      }
      await this.#reach({ text: statements.facts }, { wanted: this.#wanted, patience });
    });
    this.#isUsed = true;
  }

  #leave(error: unknown): void {
    const { clock, logger } = this.#options;
    const code = codeOf(error);
    if (this.#left === undefined || this.#left.code !== code) {
      logger.warn('reading from the primary until the replica can be used', { replica: this.#name, reason: messageOf(error) });
    }
    this.#isUsed = false;
    this.#left = { at: clock.now(), code };
  }

  /** Runs `work` with a signal that aborts when patience ends. */
  async #within<T>(ms: number, signal: AbortSignal | undefined, work: (patience: AbortSignal) => Promise<T>): Promise<T> {
    const impatience = new AbortController();
    using _timer = this.#options.clock.after(ms, () => impatience.abort(this.#behind()));
    return await work(anySignal(impatience.signal, this.#closing.signal, signal));
  }

  #behind(): StorageError {
    return new StorageError('Unavailable', `the replica ${this.#name} has not replayed in time what the primary has`, {
      hint: 'Look at pg_stat_replication on the primary, and for long queries on the replica.',
    });
  }

  get #name(): string {
    return describeDatabase(this.#connections.settings);
  }
}
