import { Client } from 'pg';
import { startBackend } from '../server/backends.ts';
import type { RawWrites } from './raw-writes.ts';

/** Rows inserted by one statement of as many as there are writers, each a durable transaction, over one connection. */
export async function openPostgresInserts(value: Buffer): Promise<RawWrites> {
  const backend = await startBackend('postgres');
  const client = new Client({ connectionString: backend.url });
  await client.connect();
  await client.query('CREATE TABLE raw (key text COLLATE "C" PRIMARY KEY, value bytea)');
  let rows = 0;
  return {
    name: 'raw inserts, a statement of as many rows as writers',
    insert: async (durationMs, together) => {
      const [started, before] = [performance.now(), rows];
      while (performance.now() - started < durationMs) {
        const keys = Array.from({ length: together }, () => `key-${String(rows++).padStart(9, '0')}`);
        const values = keys.map(() => value);
        await client.query({ name: 'raw', text: 'INSERT INTO raw SELECT * FROM unnest($1::text[], $2::bytea[])', values: [keys, values] });
      }
      return ((rows - before) / (performance.now() - started)) * 1000;
    },
    [Symbol.asyncDispose]: async () => {
      await client.end();
      await backend[Symbol.asyncDispose]();
    },
  };
}
