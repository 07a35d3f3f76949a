import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  arcctlCommand,
  findProgram,
  missingPostgres,
  runCommand,
  startEtcd,
  startFaultyProxy,
  startPostgres,
  type FaultyProxy,
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

interface FaultyPostgres extends FaultyDatabase {
  /** Whether transactions that begin from now on may write. */
  setReadOnly(readOnly: boolean): Promise<void>;
}

export const postgres: Backend<FaultyPostgres> = {
  name: 'PostgreSQL',
  missing: missingPostgres(),
  async start() {
    await using starting = new AsyncDisposableStack();
    const server = starting.use(await startPostgres());
    await server.createDatabase('arc');
    const proxy = starting.use(await startFaultyProxy(server));
    await migrate(server.url('arc'));
    const url = new URL(server.url('arc'));
    url.port = String(proxy.port);
    const owned = starting.move();
    return {
      url: url.href,
      proxy,
      kill: () => server.stop('kill'),
      start: () => server.start(),
      async setReadOnly(readOnly) {
        await server.execute(`ALTER SYSTEM SET default_transaction_read_only = ${readOnly}`);
        await server.execute('SELECT pg_reload_conf()');
      },
      [Symbol.asyncDispose]: () => owned.disposeAsync(),
    };
  },
};

const etcdProgram = findProgram('etcd');

export const etcd: Backend<FaultyDatabase> = {
  name: 'etcd',
  missing: etcdProgram === undefined ? 'no etcd on this machine' : undefined,
  async start() {
    await using starting = new AsyncDisposableStack();
    const folder = await mkdtemp(join(tmpdir(), 'arc-faults-etcd-'));
    starting.defer(() => rm(folder, { recursive: true, force: true }));
    const server = starting.use(await startEtcd(etcdProgram ?? '', folder));
    const proxy = starting.use(await startFaultyProxy({ host: '127.0.0.1', port: Number(new URL(server.url).port) }));
    const owned = starting.move();
    return {
      url: `etcd://${proxy.host}`,
      proxy,
      kill: () => server.kill(),
      start: () => server.start(),
      [Symbol.asyncDispose]: () => owned.disposeAsync(),
    };
  },
};

export const backends: readonly Backend[] = [sqlite, postgres, etcd];

async function migrate(url: string): Promise<void> {
  const [program, ...leading] = arcctlCommand;
  const { code, stderr } = await runCommand(program, [...leading, 'storage', 'migrate', '--storage', url]);
  if (code !== 0) throw new Error(`the database was not migrated: ${stderr}`);
}
