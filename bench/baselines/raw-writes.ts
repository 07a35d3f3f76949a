import { seedFor } from '../server/server-under-test.ts';
import type { BackendName } from '../server/backends.ts';

/** Writes of as many bytes into the same kind of database, without anything of ours in between. */
export interface RawWrites extends AsyncDisposable {
  /** What is done, for the report. */
  readonly name: string;
  /** Objects written per second, `together` at once: in one transaction, or in as many requests. */
  insert(durationMs: number, together: number): Promise<number>;
}

/** Undefined for a backend with nothing beneath it. */
export async function rawWritesOf(backend: BackendName): Promise<RawWrites | undefined> {
  const value = Buffer.from((await seedFor(1))?.sample ?? '');
  switch (backend) {
    case 'memory':
      return undefined;
    case 'sqlite':
      return (await import('./sqlite-inserts.ts')).openSqliteInserts(value);
    case 'postgres':
      return (await import('./postgres-inserts.ts')).openPostgresInserts(value);
    case 'etcd':
      return (await import('./etcd-puts.ts')).openEtcdPuts(value);
  }
}
