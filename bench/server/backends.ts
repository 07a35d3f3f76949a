import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { migratePostgres } from '@arc/storage-postgres';
import { findProgram, missingPostgres, startEtcd, startPostgres } from '@arc/testkit';

export const backendNames = ['memory', 'sqlite', 'postgres', 'etcd'] as const;
export type BackendName = (typeof backendNames)[number];

/** A storage that belongs to one bench, empty at first. */
export interface Backend extends AsyncDisposable {
  readonly name: BackendName;
  /** As `--storage` takes it. */
  readonly url: string;
  /** Of the database, where it is a process of its own. */
  readonly databasePid: number | undefined;
  /** A directory on the same volume. */
  readonly folder: string;
}

/** Why a backend cannot be started here; undefined when it can. */
export function missingBackend(name: BackendName): string | undefined {
  if (name === 'postgres') return missingPostgres();
  if (name === 'etcd' && findProgram('etcd') === undefined) return 'no etcd on the PATH';
  return undefined;
}

/** Databases as durable as in production; PostgreSQL with the memory its documentation begins with. */
export async function startBackend(name: BackendName): Promise<Backend> {
  await using opened = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'arc-bench-'));
  opened.defer(() => rm(folder, { recursive: true, force: true }));
  const place = await startDatabase(name, folder, opened);
  const parts = opened.move();
  return { name, folder, ...place, [Symbol.asyncDispose]: () => parts.disposeAsync() };
}

async function startDatabase(
  name: BackendName,
  folder: string,
  parts: AsyncDisposableStack,
): Promise<{ readonly url: string; readonly databasePid: number | undefined }> {
  switch (name) {
    case 'memory':
      return { url: 'memory:', databasePid: undefined };
    case 'sqlite':
      return { url: `sqlite:${join(folder, 'arc.db')}`, databasePid: undefined };
    case 'postgres': {
      const server = parts.use(await startPostgres({ settings: { shared_buffers: '256MB', max_wal_size: '4GB' } }));
      await server.createDatabase('arc');
      const url = server.url('arc');
      await migratePostgres({ url });
      return { url, databasePid: server.pid };
    }
    case 'etcd': {
      const program = findProgram('etcd');
      if (program === undefined) throw new Error(missingBackend('etcd'));
      const server = parts.use(await startEtcd(program, join(folder, 'etcd'), { args: ['--quota-backend-bytes', String(8 * 1024 ** 3)] }));
      return { url: server.url.replace('http:', 'etcd:'), databasePid: server.pid };
    }
  }
}
