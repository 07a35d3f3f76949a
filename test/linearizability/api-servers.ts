import type { ClientConfig } from '@arc/kube-client';
import { startPostgres } from '@arc/testkit';
import { migratePostgres } from '@arc/storage-postgres';
import { startChild } from '../../bench/processes/calls.ts';
import type { ServerCalls } from '../../bench/server/server-process.ts';

/** API servers in processes of their own that share one PostgreSQL database. */
export interface ApiServers extends AsyncDisposable {
  /** How an administrator reaches each. */
  readonly configs: readonly ClientConfig[];
}

/** Starts three; the last looks for changes instead of being told, as behind a pooler. */
export async function startApiServers(): Promise<ApiServers> {
  await using parts = new AsyncDisposableStack();
  const database = parts.use(await startPostgres({ durable: false }));
  await database.createDatabase('arc');
  const url = database.url('arc');
  await migratePostgres({ url });
  const configs: ClientConfig[] = [];
  for (const storage of [url, url, `${url}&pgbouncer=true`]) {
    const child = parts.use(startChild<ServerCalls>(new URL('../../bench/server/server-process.ts', import.meta.url)));
    const { host, port, tls } = (await child.call('start', { storage })).administrator;
    configs.push({
      server: `https://${host}:${port}`,
      ...(tls?.ca !== undefined && { caPem: tls.ca }),
      ...(tls?.cert !== undefined && tls.key !== undefined && { clientCertificate: { certPem: tls.cert, keyPem: tls.key } }),
    });
  }
  const started = parts.move();
  return { configs, [Symbol.asyncDispose]: () => started.disposeAsync() };
}
