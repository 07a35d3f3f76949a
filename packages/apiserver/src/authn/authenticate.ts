import { statusError } from '@arc/apimachinery';
import type { Exchange } from '../http/exchange.ts';
import type { IssuedCredentials } from './issued-credentials.ts';
import { anonymous, type UserInfo } from './user.ts';

/**
 * Who makes the request (wire contract 6.1): by client certificate, else by bearer token. Whatever is presented must be
 * valid: a bad certificate or an unknown token is refused, only a request that presents nothing is anonymous. X-Remote-*
 * headers are never believed here.
 * @throws ApiStatusError 401.
 */
export async function authenticate(exchange: Exchange, credentials: IssuedCredentials, signal: AbortSignal): Promise<UserInfo> {
  const { peer } = exchange;
  if (peer.kind === 'invalid') throw statusError.unauthorized();
  if (peer.kind === 'user') {
    if (credentials.isRevoked(peer.serialNumber)) throw statusError.unauthorized();
    return peer.user;
  }
  const presented = exchange.header('authorization') ?? '';
  if (presented === '') return anonymous;
  const user = await credentials.userOfToken(bearerToken(presented), signal);
  if (user === undefined) throw statusError.unauthorized();
  return user;
}

/** Empty when it is no `Bearer` authorization (RFC 6750). */
function bearerToken(authorization: string): string {
  return /^bearer +(\S+)\s*$/i.exec(authorization)?.[1] ?? '';
}
