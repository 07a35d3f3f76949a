import { statusError } from '@arc/apimachinery';
import type { Clock } from '@arc/kernel';
import { type Authenticator, presentedToken } from './authenticator.ts';
import { type CertificateVerifier, userOfCertificate } from './client-certificate.ts';
import type { IssuedCredentials } from './issued-credentials.ts';
import { anonymous } from './user.ts';

export interface StandaloneAuthenticatorOptions {
  /** Asked for every request: authorities may change while the server runs. Undefined: client certificates stand for nobody. */
  readonly clients: () => CertificateVerifier | undefined;
  readonly credentials: IssuedCredentials;
  readonly clock: Clock;
}

/**
 * Knows the clients a server gave credentials to itself: by client certificate, else by bearer token. X-Remote-* headers are
 * never believed here.
 */
export function standaloneAuthenticator({ clients, credentials, clock }: StandaloneAuthenticatorOptions): Authenticator {
  return {
    async authenticate(exchange, signal) {
      const certificate = clients()?.verify(exchange.peer, clock.now()) ?? { kind: 'none' };
      if (certificate.kind === 'invalid') throw statusError.unauthorized();
      if (certificate.kind === 'valid') {
        const user = userOfCertificate(certificate);
        if (user === undefined || credentials.isRevoked(certificate.serialNumber)) throw statusError.unauthorized();
        return user;
      }
      const token = presentedToken(exchange);
      if (token === undefined) return anonymous;
      const user = await credentials.userOfToken(token, signal);
      if (user === undefined) throw statusError.unauthorized();
      return user;
    },
  };
}
