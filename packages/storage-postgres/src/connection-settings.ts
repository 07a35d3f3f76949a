import { ArcError } from '@arc/kernel';
import { defaultSchema, schemaName } from './schema-name.ts';

/**
 * How the connection is protected, as libpq names it: `require` encrypts and believes any certificate, `verify-ca` wants one
 * of a trusted authority, `verify-full` one for the host's name.
 */
type SslMode = 'disable' | 'require' | 'verify-ca' | 'verify-full';

/** Where the database is and how to talk to it. */
export interface ConnectionSettings {
  /** A name, an address, or the directory of a Unix socket. */
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly database: string;
  /** From the URL. */
  readonly password: string | undefined;
  /** Read anew for every connection, so that a password can be changed under a running server. */
  readonly passwordFile: string | undefined;
  readonly schema: string;
  readonly ssl: {
    readonly mode: SslMode;
    /** PEM files. */
    readonly rootCertificate: string | undefined;
    readonly certificate: string | undefined;
    readonly key: string | undefined;
  };
  readonly applicationName: string;
  readonly statementTimeoutMs: number;
  readonly connectTimeoutMs: number;
  /** The most connections of the pool; one more listens for changes. */
  readonly poolSize: number;
  /** A pooler in transaction mode stands in between: nothing is kept in a session, and changes are polled for. */
  readonly pooler: boolean;
}

const sslModes: readonly SslMode[] = ['disable', 'require', 'verify-ca', 'verify-full'];

const parameters = [
  'sslmode',
  'sslrootcert',
  'sslcert',
  'sslkey',
  'host',
  'passwordfile',
  'schema',
  'application_name',
  'statement_timeout',
  'connect_timeout',
  'pool_size',
  'pgbouncer',
] as const;
type Parameter = (typeof parameters)[number];

/**
 * Reads `postgres://USER[:PASSWORD]@HOST[:PORT]/DATABASE[?...]`. Without `sslmode` it is `verify-full`, and `disable` on
 * loopback and Unix sockets (`?host=/run/postgresql`). `statement_timeout` is in milliseconds, `connect_timeout` in seconds.
 *
 * @throws ArcError `InvalidStorageUrl`, whose message never holds the password
 */
export function parsePostgresUrl(url: string): ConnectionSettings {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed === undefined || !['postgres:', 'postgresql:'].includes(parsed.protocol)) throw invalid('it is not a URL of PostgreSQL');
  const value = parameterReader(parsed.searchParams);
  // An unescaped / or @ of a password ends up there; what they split off is not repeated.
  if (/[@/]/.test(parsed.pathname.slice(1))) throw invalid('there is an @ or a / in the name of the database');
  const host = value('host') ?? decode(parsed.hostname).replace(/^\[(.*)\]$/, '$1');
  const database = decode(parsed.pathname.slice(1));
  const user = decode(parsed.username);
  if (host === '') throw invalid('it names no host');
  if (host.includes(',')) throw invalid('it names several hosts', 'Name one; --storage-read-url names a replica to read from.');
  if (user === '') throw invalid('it names no user');
  if (database === '') throw invalid('it names no database');
  const password = decode(parsed.password);
  const passwordFile = value('passwordfile');
  return {
    host,
    port: parsed.port === '' ? 5432 : Number(parsed.port),
    user,
    database,
    password: password === '' ? undefined : password,
    passwordFile,
    schema: schemaName(value('schema') ?? defaultSchema),
    ssl: sslSettings(value, host),
    applicationName: value('application_name') ?? 'arc',
    statementTimeoutMs: integer(value, 'statement_timeout', 100) ?? 15_000,
    connectTimeoutMs: 1000 * (integer(value, 'connect_timeout', 1) ?? 10),
    poolSize: integer(value, 'pool_size', 2) ?? 10,
    pooler: flag(value, 'pgbouncer'),
  };
}

/**
 * Reads the URL of a replica of the database of `primary`: as `parsePostgresUrl`, and in the same schema, which it need not repeat.
 *
 * @throws ArcError `InvalidStorageUrl`
 */
export function parseReadUrl(url: string, primary: ConnectionSettings): ConnectionSettings {
  const settings = parsePostgresUrl(url);
  const { database, schema } = primary;
  if (settings.database !== database) {
    throw invalid(
      `the replica has to be read in the same database, ${database}`,
      'A streaming replica has the databases of its primary, under their names.',
    );
  }
  if (new URL(url).searchParams.has('schema') && settings.schema !== schema) {
    throw invalid(`the replica has to be read in the same schema, ${schema}`, 'Leave schema=NAME out of the read URL.');
  }
  return { ...settings, schema };
}

/** Names the database in messages, without secrets. */
export function describeDatabase({ host, port, user, database }: ConnectionSettings): string {
  return `postgres://${user}@${host.startsWith('/') || host.includes(':') ? `[${host}]` : host}:${port}/${database}`;
}

type ParameterReader = (name: Parameter) => string | undefined;

function parameterReader(search: URLSearchParams): ParameterReader {
  for (const name of search.keys()) {
    if (!parameters.some((known) => known === name))
      throw invalid(`it has the unknown parameter ${name}`, `Known are ${parameters.join(', ')}.`);
    if (search.getAll(name).length > 1) throw invalid(`it has the parameter ${name} twice`);
  }
  return (name) => search.get(name) ?? undefined;
}

function sslSettings(value: ParameterReader, host: string): ConnectionSettings['ssl'] {
  const wanted = value('sslmode') ?? (isLocal(host) ? 'disable' : 'verify-full');
  const mode = sslModes.find((known) => known === wanted);
  if (mode === undefined) throw invalid(`sslmode cannot be ${wanted}`, `Use one of ${sslModes.join(', ')}.`);
  const [certificate, key] = [value('sslcert'), value('sslkey')];
  if ((certificate === undefined) !== (key === undefined)) throw invalid('sslcert and sslkey belong together');
  return { mode, rootCertificate: value('sslrootcert'), certificate, key };
}

function isLocal(host: string): boolean {
  return host.startsWith('/') || host === 'localhost' || host === '::1' || /^127(\.\d+){3}$/.test(host);
}

function integer(value: ParameterReader, name: Parameter, least: number): number | undefined {
  const text = value(name);
  if (text === undefined) return undefined;
  const number = Number(text);
  if (!/^\d{1,8}$/.test(text) || number < least) {
    throw invalid(
      `${name} has to be a whole number from ${least}`,
      'A connect_timeout is in seconds, a statement_timeout in milliseconds.',
    );
  }
  return number;
}

function flag(value: ParameterReader, name: Parameter): boolean {
  const text = value(name) ?? 'false';
  if (text !== 'true' && text !== 'false') throw invalid(`${name} has to be true or false`);
  return text === 'true';
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw invalid('it has a malformed %-escape');
  }
}

function invalid(
  why: string,
  hint = 'Write postgres://USER@HOST:PORT/DATABASE, with characters such as / and @ of a password written as %2F and %40.',
): ArcError {
  return new ArcError('InvalidStorageUrl', `the storage URL cannot be used: ${why}`, { hint });
}
