import { join } from 'node:path';
import { arcKindsWithin } from '@arc/api/arc';
import { argoKinds } from '@arc/api/argo';
import { lineLogger } from '@arc/kernel';
import { startStandaloneServer } from '@arc/standalone';
import { openSqliteStore } from '@arc/storage-sqlite';

// An API server on SQLite, with garbage collection and namespaces, as a process of its own that can be killed.
// Arguments: its directory, and the port it had before, or 0.

const [directory = '', port = '0'] = process.argv.slice(2);
const logger = lineLogger((line) => process.stdout.write(line));
process.on('disconnect', () => process.exit());

const store = await openSqliteStore({ file: join(directory, 'arc.db') });
const server = await startStandaloneServer({
  kinds: [...argoKinds, ...arcKindsWithin({ minimumCronInterval: 0 })],
  store,
  directory,
  listen: { host: '127.0.0.1', port: Number(port) },
  logger,
});
process.send?.({ ready: server.url });
