import { backoffDelay, messageOf, type Clock, type Logger } from '@arc/kernel';
import { Client, type ClientConfig } from 'pg';
import { channelOf } from './schema-name.ts';

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
    const client = new Client(this.#config);
    const ended = new Promise<never>((_, reject) => {
      client.on('error', reject);
      client.on('end', () => reject(new Error('the connection ended')));
      signal.addEventListener('abort', () => reject(signal.reason), { once: true, signal: done.signal });
    });
    ended.catch(() => {});
    client.on('notification', ({ payload = '' }) => wake(/^\d+$/.test(payload) ? Number(payload) : undefined));
    try {
      await Promise.race([client.connect().then(() => client.query(`LISTEN ${channelOf(schema)}`)), ended]);
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
      client.end().catch(() => {});
    }
  }
}
