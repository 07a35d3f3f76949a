import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  arcctlCommand,
  findProgram,
  missingPostgres,
  runCommand,
  startEtcd,
  startEtcdCluster,
  startFaultyProxy,
  startPostgres,
  type EtcdOptions,
  type EtcdServer,
  type FaultyProxy,
  type PostgresOptions,
  type PostgresServer,
} from '@arc/testkit';

/** A storage that a test has for itself. */
interface FaultyStorage extends AsyncDisposable {
  /** For `--storage`; undefined: the file of the data directory. */
  readonly url: string | undefined;
}

export interface FaultyDatabase extends FaultyStorage {
  readonly url: string;
  /** Between the server and the database. */
  readonly proxy: FaultyProxy;
  /** kill -9 of the database. */
  kill(): Promise<void>;
  /** Asks the database to end, as an administrator does. */
  stop(): Promise<void>;
  start(): Promise<void>;
}

export interface Backend<Storage extends FaultyStorage = FaultyStorage> {
  readonly name: string;
  /** Why it cannot be started here. */
  readonly missing: string | undefined;
  start(): Promise<Storage>;
}

const sqlite: Backend = {
  name: 'SQLite',
  missing: undefined,
  start: async () => ({ url: undefined, [Symbol.asyncDispose]: async () => {} }),
};

export interface FaultyPostgres extends FaultyDatabase {
  readonly server: PostgresServer;
  /** Whether transactions that begin from now on may write. */
  setReadOnly(readOnly: boolean): Promise<void>;
  /** New connections go to another server from now on, and those that there are are cut, as when an address moves. */
  moveTo(server: PostgresServer): void;
}

async function startFaultyPostgres(options: PostgresOptions = {}): Promise<FaultyPostgres> {
  await using starting = new AsyncDisposableStack();
  const server = starting.use(await startPostgres(options));
  await server.createDatabase('arc');
  const target = { host: server.host, port: server.port };
  const proxy = starting.use(await startFaultyProxy(target));
  await migrate(server.url('arc'));
  const url = new URL(server.url('arc'));
  url.port = String(proxy.port);
  const owned = starting.move();
  return {
    url: url.href,
    proxy,
    server,
    kill: () => server.stop('kill'),
    stop: () => server.stop('fast'),
    start: () => server.start(),
    async setReadOnly(readOnly) {
      await server.execute(`ALTER SYSTEM SET default_transaction_read_only = ${readOnly}`);
      await server.execute('SELECT pg_reload_conf()');
    },
    moveTo(other) {
      target.port = other.port;
      proxy.cut();
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

export const postgres = { name: 'PostgreSQL', missing: missingPostgres(), start: startFaultyPostgres } satisfies Backend;

const etcdProgram = findProgram('etcd');

interface FaultyEtcd extends FaultyDatabase {
  readonly server: EtcdServer;
}

interface FaultyEtcdOptions extends Pick<EtcdOptions, 'args'> {
  /** Where its data lie. Default: a temporary directory. */
  readonly folder?: string;
}

async function startFaultyEtcd({ folder, ...options }: FaultyEtcdOptions = {}): Promise<FaultyEtcd> {
  await using starting = new AsyncDisposableStack();
  const data = folder ?? (await temporaryFolder(starting));
  const server = starting.use(await startEtcd(etcdProgram ?? '', data, options));
  const proxy = starting.use(await startFaultyProxy({ host: '127.0.0.1', port: Number(new URL(server.url).port) }));
  const owned = starting.move();
  return {
    url: `etcd://${proxy.host}`,
    proxy,
    server,
    kill: () => server.kill(),
    stop: () => server.stop(),
    start: () => server.start(),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

export interface FaultyEtcdCluster extends FaultyStorage {
  readonly url: string;
  readonly members: readonly EtcdServer[];
}

export const etcd = {
  name: 'etcd',
  missing: etcdProgram === undefined ? 'no etcd on this machine' : undefined,
  start: startFaultyEtcd,
  /** Of three members. */
  async startCluster(): Promise<FaultyEtcdCluster> {
    await using starting = new AsyncDisposableStack();
    const { members } = starting.use(await startEtcdCluster(etcdProgram ?? '', await temporaryFolder(starting)));
    const owned = starting.move();
    return { url: `etcd://${members.map(({ host }) => host).join(',')}`, members, [Symbol.asyncDispose]: () => owned.disposeAsync() };
  },
} satisfies Backend & { startCluster(): Promise<FaultyEtcdCluster> };

export const backends: readonly Backend[] = [sqlite, postgres, etcd];
export const databases: readonly Backend<FaultyDatabase>[] = [postgres, etcd];

async function temporaryFolder(owner: AsyncDisposableStack): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'arc-faults-etcd-'));
  owner.defer(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

async function migrate(url: string): Promise<void> {
  const [program, ...leading] = arcctlCommand;
  const { code, stderr } = await runCommand(program, [...leading, 'storage', 'migrate', '--storage', url]);
  if (code !== 0) throw new Error(`the database was not migrated: ${stderr}`);
}
