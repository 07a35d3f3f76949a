import { logStatement, pageOf, readLog, type LogPage } from './change-log.ts';
import type { Connections, Row, Statement } from './connections.ts';
import type { Replica } from './replica.ts';
import type { Statements } from './statements.ts';

export interface LogReadOptions {
  /** A revision the primary has told of; asked for when it is missing or not beyond what is known. */
  readonly told?: number | undefined;
  readonly signal: AbortSignal;
}

/**
 * Reads of what is past and cannot change any more: by the replica when there is one that has reached it, else by the primary.
 *
 * A replica may show a commit before the primary does, and while the primary waits for a synchronous replica long before. So what it
 * holds is used only up to a revision that the primary has told of.
 */
export class HistoryReads {
  readonly #primary: Connections;
  readonly #statements: Statements;
  readonly #replica: Replica | undefined;

  constructor(primary: Connections, statements: Statements, replica: Replica | undefined) {
    this.#primary = primary;
    this.#statements = statements;
    this.#replica = replica;
  }

  /**
   * The changes after `after`, up to a page of them; `newest` is of the primary.
   *
   * @throws StorageError `Compacted`, and as `Connections.query`
   */
  async log(after: number, { told = 0, signal }: LogReadOptions): Promise<LogPage> {
    if (this.#replica === undefined) return await readLog(this.#primary, this.#statements, after, signal);
    const newest = told > after ? told : await this.#newest(signal);
    if (newest <= after) return { newest, revision: after, events: [] };
    const suffice = ([first]: readonly Row[]): boolean => first?.[2] !== null && Number(first?.[2]) <= newest;
    const rows = await this.#replica.read(logStatement(this.#statements, after), { wanted: newest, suffice, signal });
    if (rows === undefined) return await readLog(this.#primary, this.#statements, after, signal);
    const events = pageOf(after, rows).events.filter(({ revision }) => revision <= newest);
    return { newest, revision: events.at(-1)?.revision ?? after, events };
  }

  /**
   * Rows of a statement that begin with the facts, of a snapshot at `revision`, which the primary has told of.
   *
   * @throws StorageError as `Connections.query`
   */
  async snapshot(statement: Statement, revision: number, signal: AbortSignal | undefined): Promise<readonly Row[]> {
    return (await this.#replica?.read(statement, { wanted: revision, signal })) ?? (await this.#primary.query(statement, signal));
  }

  /** The primary is another one, maybe: what the replica has must be shown to be of it before it is used again. */
  doubt(): void {
    this.#replica?.doubt();
  }

  async #newest(signal: AbortSignal): Promise<number> {
    const [[newest = 0] = []] = await this.#primary.query({ text: this.#statements.newest }, signal);
    return Number(newest);
  }
}
