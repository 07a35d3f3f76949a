import type { Exchange } from '../http/exchange.ts';

/** Whether the client already has what this entity tag names. */
export function matchesEtag(exchange: Exchange, etag: string): boolean {
  const known = (exchange.header('if-none-match') ?? '').split(',').map((entry) => entry.trim().replace(/^W\//, ''));
  return known.includes(etag) || known.includes('*');
}
