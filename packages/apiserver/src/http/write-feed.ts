import { ArcError, type Clock } from '@arc/kernel';
import { clientGone } from './client-gone.ts';
import type { Outgoing } from './exchange.ts';
import { liveConnection } from './live-connection.ts';
import type { LiveFeed } from './reply.ts';

/** A live stream whose client reads nothing for this long is closed; it can resume from its last revision. */
export const stallTimeoutMs = 30_000;

export interface WriteFeedOptions {
  readonly clock: Clock;
  /** Cuts the answer off. */
  readonly signal: AbortSignal;
}

/**
 * Writes what the feed has whenever it has something and the connection takes it. Resolves at the feed's end.
 * @throws when the client has gone or stalls.
 */
export function writeFeed(outgoing: Outgoing, feed: LiveFeed, { clock, signal }: WriteFeedOptions): Promise<void> {
  const { events, write: send } = liveConnection(outgoing);
  return new Promise((resolve, reject) => {
    let full = false;
    let stall: Disposable | undefined;
    const settle = (failure?: unknown): void => {
      full = true;
      stall?.[Symbol.dispose]();
      events.off('drain', onDrain);
      events.off('close', onClose);
      signal.removeEventListener('abort', onAbort);
      if (failure === undefined) resolve();
      else reject(failure);
    };
    const write = (): void => {
      if (full) return;
      try {
        for (let chunk = feed.next(); chunk !== undefined; chunk = feed.next()) {
          if (outgoing.destroyed) throw clientGone();
          if (send(chunk)) continue;
          full = true;
          stall = clock.after(stallTimeoutMs, () => settle(new ArcError('SlowConsumer', 'the client does not read its watch')));
          return;
        }
        if (feed.ended) settle();
      } catch (error) {
        settle(error);
      }
    };
    const onDrain = (): void => {
      stall?.[Symbol.dispose]();
      full = false;
      write();
    };
    const onClose = (): void => settle(clientGone());
    const onAbort = (): void => settle(signal.reason ?? clientGone());
    events.on('drain', onDrain);
    events.on('close', onClose);
    signal.addEventListener('abort', onAbort);
    feed.onReady(write);
    if (signal.aborted) onAbort();
    else write();
  });
}
