import { statusError } from '@arc/apimachinery';
import type { Exchange } from '../http/exchange.ts';
import { anonymous, type UserInfo } from './user.ts';

/**
 * Who makes the request (wire contract 6.1). Whatever is presented must be valid: a bad certificate or an unknown token
 * is refused, only a request that presents nothing is anonymous. X-Remote-* headers are never believed here.
 * @throws ApiStatusError 401.
 */
export function authenticate(exchange: Exchange): UserInfo {
  const { peer } = exchange;
  if (peer.kind === 'user') return peer.user;
  const presentsToken = (exchange.header('authorization') ?? '') !== '';
  if (peer.kind === 'invalid' || presentsToken) throw statusError.unauthorized();
  return anonymous;
}
