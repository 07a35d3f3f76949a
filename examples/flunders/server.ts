import { once } from 'node:events';
import { startStandaloneServer } from '@arc/standalone';
import { etcdOptionsOf, openEtcdStore } from '@arc/storage-etcd';
import { openSqliteStore } from '@arc/storage-sqlite';
import { fischer, flunder } from './kinds.ts';

const [directory = 'flunders-data', etcd] = process.argv.slice(2);

await using store =
  etcd === undefined ? await openSqliteStore({ file: `${directory}/flunders.db` }) : await openEtcdStore(await etcdOptionsOf(etcd));
await using server = await startStandaloneServer({ kinds: [flunder, fischer], store, directory, name: 'flunders' });
process.stdout.write(`Ready at ${server.url}\nexport KUBECONFIG=${server.kubeconfig}\n`);

await Promise.race(['SIGINT', 'SIGTERM'].map((signal) => once(process, signal)));
