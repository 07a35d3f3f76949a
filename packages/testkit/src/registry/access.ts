import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { OciError } from './oci-error.ts';

/** Who may do what. Users map to passwords; everyone listed may do everything except those in `readOnly`. */
export type RegistryAuth =
  | { readonly kind: 'none' }
  | { readonly kind: 'basic'; readonly users: Readonly<Record<string, string>>; readonly readOnly?: readonly string[] }
  | {
      readonly kind: 'token';
      readonly users: Readonly<Record<string, string>>;
      readonly readOnly?: readonly string[];
      /** Anonymous tokens may pull. */
      readonly anonymousPull?: boolean;
      /** Seconds a token is good for; 300 unless told. */
      readonly expiresIn?: number;
      /** Advertised instead of the registry's own `/token`. */
      readonly realm?: string;
      /** Identity (refresh) tokens and the user each stands for. */
      readonly identityTokens?: Readonly<Record<string, string>>;
    };

/** `repository:<name>:<actions>` as in the distribution token specification. */
export interface Scope {
  readonly repository: string;
  readonly actions: readonly string[];
}

interface TokenClaims {
  /** Makes each token another one. */
  readonly id: number;
  readonly user: string | undefined;
  readonly expires: number;
  readonly scopes: readonly Scope[];
}

const service = 'test-registry';

/** Decides about requests and issues tokens: opaque to the client, HMAC-signed claims to us. */
export class Access {
  readonly #auth: RegistryAuth;
  readonly #now: () => number;
  readonly #key = randomBytes(32);
  #tokensIssued = 0;

  constructor(auth: RegistryAuth, now: () => number) {
    this.#auth = auth;
    this.#now = now;
  }

  get tokensIssued(): number {
    return this.#tokensIssued;
  }

  /** @throws OciError 401 with a challenge, or 403 when who asks is known but may not */
  require(request: IncomingMessage, origin: string, wanted: readonly Scope[]): void {
    const auth = this.#auth;
    if (auth.kind === 'none') return;
    const header = request.headers.authorization ?? '';
    if (auth.kind === 'basic') {
      const user = checkBasic(header, auth.users);
      if (user === undefined) throw unauthorized('Basic realm="test registry"');
      if (auth.readOnly?.includes(user) === true && wanted.some(writes)) throw denied(user);
      return;
    }
    const claims = header.startsWith('Bearer ') ? this.#verify(header.slice(7)) : undefined;
    const scope = wanted.map(({ repository, actions }) => `repository:${repository}:${actions.join(',')}`).join(' ');
    const realm = auth.realm ?? `${origin}/token`;
    const challenge = `Bearer realm="${realm}",service="${service}"${scope === '' ? '' : `,scope="${scope}"`}`;
    if (claims === undefined) throw unauthorized(challenge);
    const granted = wanted.every(({ repository, actions }) =>
      actions.every((action) => claims.scopes.some((held) => held.repository === repository && held.actions.includes(action))),
    );
    if (!granted) throw unauthorized(`${challenge},error="insufficient_scope"`);
  }

  /** Serves the token endpoint: GET with Basic credentials or none, POST with a password or refresh-token grant. */
  issue(request: IncomingMessage, query: URLSearchParams, form: URLSearchParams): Buffer {
    const auth = this.#auth;
    if (auth.kind !== 'token') throw new OciError(404, 'UNSUPPORTED', 'this registry issues no tokens');
    const user = this.#identify(request, form, auth);
    const requested = [...query.getAll('scope'), ...form.getAll('scope')]
      .flatMap((scope) => scope.split(' '))
      .filter((scope) => scope !== '');
    const scopes = requested.map(parseScope).map((scope) => ({
      repository: scope.repository,
      actions: scope.actions.filter((action) =>
        user === undefined ? auth.anonymousPull === true && action === 'pull' : action === 'pull' || auth.readOnly?.includes(user) !== true,
      ),
    }));
    const expiresIn = auth.expiresIn ?? 300;
    this.#tokensIssued += 1;
    const token = this.#sign({ id: this.#tokensIssued, user, scopes, expires: this.#now() + expiresIn * 1000 });
    return Buffer.from(
      JSON.stringify({ token, access_token: token, expires_in: expiresIn, issued_at: new Date(this.#now()).toISOString() }),
    );
  }

  #identify(request: IncomingMessage, form: URLSearchParams, auth: RegistryAuth & { kind: 'token' }): string | undefined {
    if (form.get('grant_type') === 'refresh_token') {
      const user = auth.identityTokens?.[form.get('refresh_token') ?? ''];
      if (user === undefined) throw new OciError(401, 'UNAUTHORIZED', 'unknown identity token');
      return user;
    }
    const header = request.headers.authorization;
    if (header === undefined) return undefined;
    const user = checkBasic(header, auth.users);
    if (user === undefined) throw new OciError(401, 'UNAUTHORIZED', 'wrong user or password');
    return user;
  }

  #sign(claims: TokenClaims): string {
    const payload = Buffer.from(JSON.stringify(claims)).toString('base64url');
    return `${payload}.${this.#mac(payload).toString('base64url')}`;
  }

  #verify(token: string): TokenClaims | undefined {
    const [payload = '', mac = ''] = token.split('.');
    const expected = this.#mac(payload);
    const given = Buffer.from(mac, 'base64url');
    if (given.length !== expected.length || !timingSafeEqual(given, expected)) return undefined;
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8')) as TokenClaims;
    return claims.expires > this.#now() ? claims : undefined;
  }

  #mac(payload: string): Buffer {
    return createHmac('sha256', this.#key).update(payload).digest();
  }
}

function checkBasic(header: string, users: Readonly<Record<string, string>>): string | undefined {
  if (!header.startsWith('Basic ')) return undefined;
  const [user = '', ...rest] = Buffer.from(header.slice(6), 'base64').toString('utf8').split(':');
  return Object.hasOwn(users, user) && users[user] === rest.join(':') ? user : undefined;
}

function parseScope(scope: string): Scope {
  const first = scope.indexOf(':');
  const last = scope.lastIndexOf(':');
  return { repository: scope.slice(first + 1, last), actions: scope.slice(last + 1).split(',') };
}

function writes(scope: Scope): boolean {
  return scope.actions.some((action) => action !== 'pull');
}

function unauthorized(challenge: string): OciError {
  return new OciError(401, 'UNAUTHORIZED', 'authentication required', { 'www-authenticate': challenge });
}

function denied(user: string): OciError {
  return new OciError(403, 'DENIED', `user ${user} may only pull`);
}
