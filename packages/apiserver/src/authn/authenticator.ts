import { offeredProtocols } from '../http/websocket/handshake.ts';
import type { Exchange } from '../http/exchange.ts';
import type { UserInfo } from './user.ts';

/**
 * Finds out who makes a request (wire contract 6.1). Whatever is presented must be valid: only a request that presents
 * nothing is anonymous.
 */
export interface Authenticator {
  /** @throws ApiStatusError 401. */
  authenticate(exchange: Exchange, signal: AbortSignal): Promise<UserInfo>;
}

/** What follows `Bearer` (RFC 6750); empty for any other authorization, undefined when there is none. */
export function presentedToken(exchange: Exchange): string | undefined {
  const presented = exchange.header('authorization') ?? '';
  if (presented === '' && exchange.header('upgrade')?.toLowerCase() === 'websocket') {
    return offeredProtocols(exchange.header('sec-websocket-protocol')).token;
  }
  return presented === '' ? undefined : (/^bearer +(\S+)\s*$/i.exec(presented)?.[1] ?? '');
}
