import { createSign, randomUUID, X509Certificate } from 'node:crypto';
import { createServer } from 'node:https';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';

export interface TokenService extends AsyncDisposable {
  readonly realm: string;
  /** How often a token was asked for, by user; `anonymous` without credentials. */
  readonly asked: readonly string[];
}

/** A token service for docker-registry: tokens (RS256) of one user for whatever they ask, over TLS with the certificate that signs. */
export async function startTokenService(
  identity: { readonly cert: string; readonly key: string },
  options: { readonly service: string; readonly issuer: string; readonly user: string; readonly password: string },
): Promise<TokenService> {
  const asked: string[] = [];
  const x5c = new X509Certificate(identity.cert).raw.toString('base64');
  const algorithm = new X509Certificate(identity.cert).publicKey.asymmetricKeyType === 'rsa' ? 'RS256' : 'ES256';
  const server = createServer({ cert: identity.cert, key: identity.key }, (request, response) => {
    const url = new URL(request.url ?? '/', 'https://localhost');
    const given = Buffer.from((request.headers.authorization ?? '').replace(/^Basic /, ''), 'base64').toString('utf8');
    asked.push(given.split(':')[0] || 'anonymous');
    if (given !== `${options.user}:${options.password}`) {
      response.writeHead(401).end();
      return;
    }
    const access = url.searchParams.getAll('scope').map((scope) => {
      const [type, name, actions = ''] = scope.split(':');
      return { type, name, actions: actions.split(',') };
    });
    const now = Math.floor(Date.now() / 1000);
    const claims = {
      iss: options.issuer,
      sub: options.user,
      aud: options.service,
      exp: now + 300,
      nbf: now - 10,
      iat: now,
      jti: randomUUID(),
      access,
    };
    const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
    const signed = `${encode({ typ: 'JWT', alg: algorithm, x5c: [x5c] })}.${encode(claims)}`;
    const signature = createSign('sha256').update(signed).sign({ key: identity.key, dsaEncoding: 'ieee-p1363' }).toString('base64url');
    response
      .writeHead(200, { 'content-type': 'application/json' })
      .end(JSON.stringify({ token: `${signed}.${signature}`, expires_in: 300 }));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    realm: `https://127.0.0.1:${(server.address() as AddressInfo).port}/token`,
    asked,
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
