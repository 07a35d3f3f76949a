import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { parallel, send, startServer } from './load-client.ts';
import { inTurn, line } from './statistics.ts';

const payload = 'x'.repeat(1000);

/**
 * Durable creates from 50 connections through TLS, authentication, validation and SQLite, against the same number of rows
 * inserted into SQLite directly in batches of 50, each a durable transaction.
 */
export async function benchCreates({ creates, rounds }: { readonly creates: number; readonly rounds: number }): Promise<string[]> {
  const folder = await mkdtemp(join(tmpdir(), 'arc-bench-'));
  try {
    await using server = await startServer(join(folder, 'arc.db'));
    const agent = server.agent(50);
    await send(agent, `${server.url}/api/v1/namespaces`, {
      method: 'POST',
      body: JSON.stringify({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'default' } }),
    });
    let created = 0;
    const throughServer = async (): Promise<number> => {
      const started = performance.now();
      await parallel(creates, 50, () => {
        const body = JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: `c-${created++}` }, data: { payload } });
        return send(agent, `${server.url}/api/v1/namespaces/default/configmaps`, { method: 'POST', body });
      });
      return creates / ((performance.now() - started) / 1000);
    };
    const raw = openRaw(join(folder, 'raw.db'));
    await throughServer();
    const pairs = await inTurn(rounds, throughServer, async () => raw.insert(creates));
    agent.destroy();
    raw.close();
    return [
      `Durable creates of 1 KB objects, 50 connections, SQLite (WAL, synchronous=FULL)`,
      line('  creates through the API', pairs.a, '1/s', 0),
      line('  raw inserts, 50 a transaction', pairs.b, '1/s', 0),
      line('  ratio API / raw', pairs.ratio, 'x'),
    ];
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function openRaw(file: string): { insert(rows: number): number; close(): void } {
  const database = new DatabaseSync(file);
  database.exec('PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; CREATE TABLE raw (key TEXT PRIMARY KEY, value BLOB) WITHOUT ROWID');
  const statement = database.prepare('INSERT INTO raw VALUES (?, ?)');
  const value = Buffer.from(JSON.stringify({ metadata: {}, data: { payload } }));
  let next = 0;
  return {
    insert(rows) {
      const started = performance.now();
      for (let done = 0; done < rows; done += 50) {
        database.exec('BEGIN');
        for (let index = 0; index < 50; index += 1) statement.run(`key-${next++}`, value);
        database.exec('COMMIT');
      }
      return rows / ((performance.now() - started) / 1000);
    },
    close: () => database.close(),
  };
}
