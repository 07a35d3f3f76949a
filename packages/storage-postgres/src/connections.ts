import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createSecureContext, type SecureContextOptions } from 'node:tls';
import { ArcError, messageOf, systemClock, type Clock } from '@arc/kernel';
import { StorageError } from '@arc/storage';
import { Client, DatabaseError, Pool, type ClientBase, type ClientConfig, type PoolClient } from 'pg';
import type { ConnectionSettings } from './connection-settings.ts';
import { failureOf } from './failure.ts';
import { Sockets } from './sockets.ts';

export type Row = readonly unknown[];

/** One statement with its values; never a named one, which a pooler in transaction mode could not serve. */
export interface Statement {
  readonly text: string;
  readonly values?: readonly unknown[];
}

/** The statement of this error has certainly had no effect: it was never sent, or the server has taken it back. */
export class NotExecuted extends Error {}

/** A client that leaves no socket behind when the login fails on this side: the server would wait a minute for its end. */
class ClosingClient extends Client {
  override connect(): Promise<Client>;
  override connect(callback: (error: Error | null) => void): void;
  override connect(callback?: (error: Error | null) => void): Promise<Client> | void {
    if (callback === undefined) return super.connect();
    super.connect((error: Error | null) => {
      if (error instanceof Error) void this.end();
      callback(error);
    });
  }
}

/** How long the end of connections waits for what is under way, milliseconds: long enough for a commit on a slow disk. */
const endGraceMs = 2_000;

/** Connections to one database, opened as needed. */
export class Connections {
  readonly settings: ConnectionSettings;
  readonly #pool: Pool;
  readonly #sockets = new Sockets();
  readonly #clock: Clock;
  #ended: Promise<void> | undefined;

  constructor(settings: ConnectionSettings, config: ClientConfig, { clock = systemClock }: { readonly clock?: Clock } = {}) {
    this.settings = settings;
    this.#clock = clock;
    this.#pool = new Pool({
      ...config,
      Client: ClosingClient,
      stream: this.#sockets.create,
      max: settings.poolSize,
      idleTimeoutMillis: 60_000,
      allowExitOnIdle: false,
    });
    // An idle connection that is lost is replaced when the next one is needed.
    this.#pool.on('error', () => {});
    // Without a listener the loss of a connection that is being used would end the process. It is there from the first moment: what a
    // server that ends says can come with its greeting, before whoever waits for the connection gets it.
    this.#pool.on('connect', (client) => client.on('error', () => {}));
  }

  /**
   * Runs one statement as its own transaction and returns its rows.
   *
   * @throws StorageError as `failureOf` classifies; the signal's reason when it aborts
   */
  async query(statement: Statement, signal?: AbortSignal): Promise<readonly Row[]> {
    signal?.throwIfAborted();
    try {
      return await unlessAborted(this.attempt(statement), signal);
    } catch (error) {
      if (signal?.aborted === true) throw error;
      throw this.failure(error);
    }
  }

  /** As `query`, but throws what the driver threw, as the cause of a `NotExecuted` where that is certain. */
  async attempt(statement: Statement): Promise<readonly Row[]> {
    const client = await this.#connect();
    let broken = true;
    try {
      const rows = await (this.settings.pooler ? inTransaction(client, statement, this.settings) : execute(client, statement));
      broken = false;
      return rows;
    } catch (error) {
      if (!(error instanceof DatabaseError)) throw error;
      // Whether only the statement has failed or the server is ending, which leaves a commit in doubt, is told by the next
      // answer: the words for ERROR and FATAL are in the server's language.
      await client.query('ROLLBACK').catch(() => {
        throw error;
      });
      broken = false;
      throw new NotExecuted(error.message, { cause: error });
    } finally {
      client.release(broken);
    }
  }

  /** Runs `work` in one transaction on one connection. */
  async transaction<T>(work: (query: (statement: Statement) => Promise<readonly Row[]>) => Promise<T>): Promise<T> {
    try {
      const client = await this.#connect();
      let broken = true;
      try {
        await client.query('BEGIN ISOLATION LEVEL READ COMMITTED');
        const result = await work((statement) => execute(client, statement));
        await client.query('COMMIT');
        broken = false;
        return result;
      } finally {
        client.release(broken);
      }
    } catch (error) {
      throw this.failure(error);
    }
  }

  failure(error: unknown): ArcError {
    return failureOf(error instanceof NotExecuted ? error.cause : error, this.settings);
  }

  /** Fails every statement that is under way. */
  cut(): void {
    this.#sockets.destroy();
  }

  /** Waits for statements under way, though not long: a server that is silent would otherwise be waited for until they time out. */
  async end(): Promise<void> {
    this.#ended ??= this.#end();
    await this.#ended;
  }

  async #end(): Promise<void> {
    using _grace = this.#clock.after(endGraceMs, () => this.cut());
    await this.#pool.end();
    await this.#sockets.closed();
  }

  async #connect(): Promise<PoolClient> {
    if (this.#ended !== undefined) throw new StorageError('Closed', 'the store has been closed');
    try {
      return await this.#pool.connect();
    } catch (error) {
      throw new NotExecuted(messageOf(error), { cause: error });
    }
  }
}

/**
 * What the driver needs to connect. TLS files are read now, the password file at every connection.
 *
 * @throws ArcError `UnreadableFile`
 */
export async function clientConfig(settings: ConnectionSettings, password?: string): Promise<ClientConfig> {
  const { host, port, user, database, applicationName, statementTimeoutMs, connectTimeoutMs, pooler } = settings;
  return {
    host,
    port,
    user,
    database,
    password: () => passwordOf(settings, password),
    ssl: await tlsOptions(settings),
    application_name: applicationName,
    connectionTimeoutMillis: connectTimeoutMs,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    // The server gives up first; this is for one that is silent.
    query_timeout: statementTimeoutMs + 5_000,
    // A pooler does not take it at the start of a session.
    ...(!pooler && { statement_timeout: statementTimeoutMs }),
  };
}

async function passwordOf({ password, passwordFile }: ConnectionSettings, given: string | undefined): Promise<string> {
  if (passwordFile === undefined) return password ?? given ?? '';
  return (await readSetting(passwordFile, 'the password')).trimEnd();
}

async function tlsOptions({ host, ssl }: ConnectionSettings): Promise<false | NonNullable<ClientConfig['ssl']>> {
  if (ssl.mode === 'disable') return false;
  return {
    rejectUnauthorized: ssl.mode !== 'require',
    ...(!/^[\d.]+$|:/.test(host) && { servername: host }),
    ...(await tlsFiles(ssl)),
    ...(ssl.mode !== 'verify-full' && { checkServerIdentity: () => undefined }),
  };
}

async function tlsFiles({ rootCertificate, certificate, key }: ConnectionSettings['ssl']): Promise<SecureContextOptions> {
  const files = {
    ...(rootCertificate !== undefined && { ca: await readSetting(rootCertificate, 'the certificate of the authority') }),
    ...(certificate !== undefined && { cert: await readSetting(certificate, 'the client certificate') }),
    ...(key !== undefined && { key: await readSetting(key, 'the key of the client certificate') }),
  };
  try {
    // Anything is taken as `ca`, and what is no certificate is left out.
    if (files.ca !== undefined) void new X509Certificate(files.ca);
    createSecureContext(files);
  } catch (error) {
    throw new ArcError('UnreadableFile', `the TLS files that the storage URL names cannot be used: ${messageOf(error)}`, {
      hint: 'They have to be PEM, and sslkey the key of the certificate in sslcert, without a passphrase.',
    });
  }
  return files;
}

async function readSetting(file: string, what: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw new ArcError('UnreadableFile', `${what} cannot be read: ${messageOf(error)}`, { hint: `Check the path ${file} and its mode.` });
  }
}

/** Values as JavaScript wants them: integers as numbers (revisions stay far below 2^53), bytes as Buffers. */
const parsers = {
  getTypeParser(type: number): (text: string) => unknown {
    if (type === 20 || type === 23) return Number;
    if (type === 17) return (text) => Buffer.from(text.slice(2), 'hex');
    if (type === 16) return (text) => text === 't';
    return (text) => text;
  },
};

async function execute(client: ClientBase, { text, values = [] }: Statement): Promise<readonly Row[]> {
  const { rows } = await client.query<unknown[]>({ text, values: [...values], rowMode: 'array', types: parsers });
  return rows;
}

/** Whatever a session would otherwise be told is told this transaction, since the next one may be on another server connection. */
async function inTransaction(client: ClientBase, statement: Statement, settings: ConnectionSettings): Promise<readonly Row[]> {
  await client.query(
    `BEGIN ISOLATION LEVEL READ COMMITTED;
    SET LOCAL statement_timeout = ${settings.statementTimeoutMs};
    SET LOCAL idle_in_transaction_session_timeout = ${settings.statementTimeoutMs}`,
  );
  const rows = await execute(client, statement);
  await client.query('COMMIT');
  return rows;
}

/** The result of `work`, or a rejection with the signal's reason as soon as it aborts; the work is left to end by itself. */
async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return await work;
  return await new Promise<T>((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}
