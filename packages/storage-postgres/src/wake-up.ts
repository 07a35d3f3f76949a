import { backoffDelay, messageOf, type Clock, type Logger } from '@arc/kernel';
import { Client, type ClientConfig } from 'pg';
import { channelOf } from './schema-name.ts';
import { Sockets } from './sockets.ts';

export interface WakeUpOptions {
  readonly schema: string;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Called with the newest revision, or without when it is not known and has to be looked up. */
  readonly wake: (revision?: number) => void;
  /** Called when the connection was lost. */
  readonly lost: () => void;
}

const reconnectDelays = { initialMs: 100, maxMs: 5_000, jitter: 0.5 };

/**
 * Listens for changes on a connection of its own until the signal aborts, connecting again when it is lost. A notification
 * only wakes: one that is missed costs time, never a change.
 */
export class WakeUp {
  readonly #config: ClientConfig;
  readonly #options: WakeUpOptions;
  #listening = false;

  constructor(config: ClientConfig, options: WakeUpOptions) {
    this.#config = config;
    this.#options = options;
  }

  /** False while changes are only found by looking. */
  get isListening(): boolean {
    return this.#listening;
  }

  async run(signal: AbortSignal): Promise<void> {
    const { clock, logger } = this.#options;
    for (let failures = 0; !signal.aborted; failures++) {
      try {
        await this.#listen(signal, () => (failures = 0));
      } catch (error) {
        if (signal.aborted) return;
        if (error instanceof Pooled) {
          logger.warn('a pooler stands before the database, so changes are polled for; add pgbouncer=true to its URL');
          return;
        }
        if (failures === 0) {
          logger.warn('the connection that listens for changes was lost; polling until it is back', { reason: messageOf(error) });
        }
      }
      try {
        await clock.sleep(backoffDelay(failures, reconnectDelays), signal);
      } catch {
        return;
      }
    }
  }

  async #listen(signal: AbortSignal, onListening: () => void): Promise<void> {
    const { schema, wake, lost } = this.#options;
    // No timeout of the driver here: there is nothing to wait for but notifications.
    const done = new AbortController();
    const sockets = new Sockets();
    const client = new Client({ ...this.#config, stream: sockets.create });
    const ended = new Promise<never>((_, reject) => {
      client.on('error', reject);
      client.on('end', () => reject(new Error('the connection ended')));
      signal.addEventListener('abort', () => reject(signal.reason), { once: true, signal: done.signal });
    });
    ended.catch(() => {});
    client.on('notification', ({ payload = '' }) => wake(/^\d+$/.test(payload) ? Number(payload) : undefined));
    try {
      await Promise.race([client.connect().then(() => listen(client, channelOf(schema))), ended]);
      this.#listening = true;
      onListening();
      // Whatever was committed before LISTEN took effect was not heard.
      wake();
      await ended;
    } finally {
      this.#listening = false;
      lost();
      wake();
      done.abort();
      sockets.destroy();
    }
  }
}

/** Notifications come on the connection of the server that said LISTEN, which a pooler hands to somebody else. */
class Pooled extends Error {}

/** A pooler makes up the process ids that it tells its clients. */
async function listen(client: Client, channel: string): Promise<void> {
  const { processID } = client as { readonly processID?: unknown };
  const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
  if (rows[0]?.pid !== processID) throw new Pooled();
  await client.query(`LISTEN ${channel}`);
}
