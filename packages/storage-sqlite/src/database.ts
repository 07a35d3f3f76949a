import { lockDatabase } from './exclusive-lock.ts';
import { DatabaseFailure, failureOf, isIoError } from './failure.ts';
import { openDatabase, scalar } from './open-database.ts';
import { createPrivately } from './private-file.ts';
import { pack, unpack, type Calls, type DatabaseOptions, type Opened, type Rows } from './protocol.ts';
import { statements } from './schema.ts';
import type { DatabaseSync, StatementSync } from './sqlite.ts';

type Statements = Readonly<Record<keyof typeof statements, StatementSync>>;
type Call<Name extends keyof Calls> = (args: Calls[Name]['args']) => Calls[Name]['reply'];
type Row = Readonly<Record<string, unknown>>;

/** The database file, used by one thread; everything is synchronous. */
export class Database {
  readonly #options: DatabaseOptions;
  readonly #lock: Disposable;
  #db: DatabaseSync;
  #sql: Statements;
  #newest = 0;

  /** @throws whatever `failureOf` classifies */
  constructor(options: DatabaseOptions) {
    this.#options = options;
    createPrivately(options.file);
    this.#lock = lockDatabase(options.file);
    try {
      this.#db = openDatabase(options);
      this.#sql = prepare(this.#db);
      this.#newest = scalar(this.#sql.selectNewest);
    } catch (error) {
      this.#lock[Symbol.dispose]();
      throw error;
    }
  }

  get state(): Opened {
    return { revision: this.#newest, compacted: scalar(this.#sql.selectMeta, 'compacted') };
  }

  /** False after a failure it could not recover from. */
  get isUsable(): boolean {
    return this.#db.isOpen;
  }

  readonly commit: Call<'commit'> = ({ keys, expected, values }) => {
    const contents = unpack(values);
    const base = this.#newest;
    const revisions: number[] = [];
    const priors: (Row | undefined)[] = [];
    this.#transaction(() => {
      for (const [index, key] of keys.entries()) {
        const prior = this.#sql.selectLive.get(key);
        const value = contents[index];
        const wanted = expected[index];
        const matches = wanted === 'absent' ? prior === undefined && value !== undefined : prior?.['revision'] === wanted;
        revisions.push(matches ? this.#write(key, value, prior) : 0);
        priors.push(prior);
      }
    }, base);
    return {
      revisions,
      priorRevisions: priors.map((prior) => (prior === undefined ? 0 : Number(prior['revision']))),
      priorValues: pack(priors.map((prior) => blob(prior?.['value']))),
    };
  };

  readonly get: Call<'get'> = ({ key }) => rowsOf(this.#sql.selectLive.all(key));

  readonly range: Call<'range'> = ({ start, end, limit, revision = this.#newest }) => {
    const most = limit === undefined ? -1 : limit + 1;
    const found =
      revision === this.#newest
        ? this.#sql.selectRange.all(start, end ?? null, most)
        : this.#sql.selectRangeAt.all(start, end ?? null, most, revision);
    const more = limit !== undefined && found.length > limit;
    return { ...rowsOf(more ? found.slice(0, limit) : found), revision, more };
  };

  readonly log: Call<'log'> = ({ after, limit }) => {
    const found = this.#sql.selectLog.all(after, limit);
    return {
      ...rowsOf(found),
      priorRevisions: found.map((row) => Number(row['prior_revision'])),
      priorValues: pack(found.map((row) => blob(row['prior_value']))),
    };
  };

  readonly compact: Call<'compact'> = ({ revision, limit }) => {
    let deleted = 0;
    this.#transaction(() => {
      if (scalar(this.#sql.selectMeta, 'compacted') < revision) this.#sql.updateMeta.run(revision, 'compacted');
      deleted = Number(this.#sql.deleteLog.run(revision, limit).changes);
    }, this.#newest);
    return { done: deleted < limit };
  };

  readonly close: Call<'close'> = () => {
    this.#db.close();
    this.#lock[Symbol.dispose]();
    return {};
  };

  #write(key: string, value: Uint8Array | undefined, prior: Row | undefined): number {
    const revision = ++this.#newest;
    if (value === undefined) this.#sql.deleteLive.run(key);
    else this.#sql.upsertLive.run(key, revision, value);
    this.#sql.insertLog.run(revision, key, value ?? null, Number(prior?.['revision'] ?? 0), blob(prior?.['value']) ?? null);
    return revision;
  }

  /** Runs `work` in one transaction; when it fails, nothing of it remains and the newest revision is `base` again. */
  #transaction(work: () => void, base: number): void {
    let committing = false;
    try {
      this.#db.exec('BEGIN IMMEDIATE');
      work();
      committing = true;
      this.#db.exec('COMMIT');
    } catch (error) {
      this.#newest = base;
      if (committing && isIoError(error)) throw this.#inDoubt(error);
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK');
      throw error;
    }
  }

  /**
   * The disk failed while a commit was being written. Whether it counts is what recovery makes of the file, so that is
   * asked before anything else happens; when the file cannot even be opened, the database is of no more use.
   */
  #inDoubt(cause: unknown): DatabaseFailure {
    const { message, hint = '' } = failureOf(cause, this.#options.file);
    const failure = { code: 'OutcomeUnknown', message, hint } as const;
    this.#db.close();
    try {
      this.#db = openDatabase(this.#options);
      this.#sql = prepare(this.#db);
      this.#newest = scalar(this.#sql.selectNewest);
    } catch {
      return new DatabaseFailure(failure, cause);
    }
    return new DatabaseFailure({ ...failure, revision: this.#newest }, cause);
  }
}

function prepare(db: DatabaseSync): Statements {
  const prepared: Partial<Record<string, StatementSync>> = {};
  for (const [name, sql] of Object.entries(statements)) prepared[name] = db.prepare(sql);
  return prepared as Statements;
}

function rowsOf(found: readonly Row[]): Rows {
  return {
    keys: found.map((row) => String(row['key'])),
    revisions: found.map((row) => Number(row['revision'])),
    values: pack(found.map((row) => blob(row['value']))),
  };
}

function blob(value: unknown): Uint8Array | undefined {
  return value instanceof Uint8Array ? value : undefined;
}
