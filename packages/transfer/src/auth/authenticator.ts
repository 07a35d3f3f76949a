import type { Clock } from '@arc/kernel';
import { isTransferError, TransferError } from '../transfer-error.ts';
import { type Challenge, formatScope, mergeScopes, parseChallenges, parseScopes, type Scope } from './challenge.ts';
import type { Credential, CredentialSource } from './credential.ts';

/** Fetches from the token service: one exchange that retries but neither authenticates nor follows redirects. */
type TokenRequest = (request: {
  readonly method: 'GET' | 'POST';
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Buffer;
}) => Promise<unknown>;

export interface AuthenticatorOptions {
  readonly registry: URL;
  readonly credentials: CredentialSource;
  readonly fetchToken: TokenRequest;
  /** Checks a realm and returns it as a URL. */
  readonly resolveRealm: (realm: string) => URL;
  readonly clock: Clock;
  /** Sends what needs no challenge (a password, a bearer token) with the first request. */
  readonly preemptive?: boolean;
}

interface CachedToken {
  readonly header: string;
  /** When it is to be replaced: at 80 % of its life. */
  readonly refreshAt: number;
}

type Method = { readonly kind: 'basic' } | { readonly kind: 'bearer'; readonly realm: URL; readonly service: string | undefined };

/**
 * Knows how to speak to one registry: learns its method from the first challenge, then sends what is needed from the
 * start. Tokens are cached by service, scopes and credential, fetched once for all who wait, and renewed before they end.
 */
export class Authenticator {
  readonly #options: AuthenticatorOptions;
  readonly #tokens = new Map<string, CachedToken>();
  readonly #pending = new Map<string, Promise<CachedToken>>();
  #method: Method | undefined;

  constructor(options: AuthenticatorOptions) {
    this.#options = options;
  }

  /** The Authorization header to try first; undefined before the registry has asked for anything, unless preemptive. */
  async authorization(scopes: readonly Scope[]): Promise<string | undefined> {
    const credential = this.#credential(scopes);
    if (this.#method !== undefined) return this.#header(this.#method, scopes, credential);
    return this.#options.preemptive === true ? this.#header({ kind: 'basic' }, scopes, credential) : undefined;
  }

  /**
   * The Authorization header to try after a 401 with `challenge`; `refused` is the header it answered, if any.
   *
   * @throws TransferError `Unauthorized` when there is nothing else to try
   */
  async answer(challenge: string | undefined, scopes: readonly Scope[], refused: string | undefined): Promise<string> {
    const credential = this.#credential(scopes);
    const challenges = parseChallenges(challenge ?? '');
    const bearer = challenges.find(({ scheme, parameters }) => scheme === 'bearer' && parameters['realm'] !== undefined);
    const wanted = mergeScopes(scopes, parseScopes(bearer?.parameters['scope'] ?? ''));
    this.#method = this.#choose(bearer, challenges, credential);
    if (this.#method?.kind === 'bearer') this.#forget(refused);
    const header = this.#method === undefined ? undefined : await this.#header(this.#method, wanted, credential);
    if (header === undefined || header === refused) throw this.refusal(scopes);
    return header;
  }

  #choose(bearer: Challenge | undefined, challenges: readonly Challenge[], credential: Credential | undefined): Method | undefined {
    if (bearer !== undefined) {
      return { kind: 'bearer', realm: this.#options.resolveRealm(bearer.parameters['realm'] ?? ''), service: bearer.parameters['service'] };
    }
    if (challenges.some(({ scheme }) => scheme === 'basic')) return { kind: 'basic' };
    return credential?.kind === 'bearer' ? { kind: 'basic' } : undefined;
  }

  async #header(method: Method, scopes: readonly Scope[], credential: Credential | undefined): Promise<string | undefined> {
    if (credential?.kind === 'bearer') return `Bearer ${credential.token}`;
    if (method.kind === 'basic') return credential?.kind === 'basic' ? basic(credential) : undefined;
    const canonical = mergeScopes(scopes);
    const key = JSON.stringify([method.realm.href, method.service, canonical.map(formatScope), credentialId(credential)]);
    const cached = this.#tokens.get(key);
    if (cached !== undefined && cached.refreshAt > this.#options.clock.now()) return cached.header;
    let pending = this.#pending.get(key);
    if (pending === undefined) {
      pending = this.#fetch(method, canonical, credential).finally(() => this.#pending.delete(key));
      this.#pending.set(key, pending);
    }
    const token = await pending;
    this.#tokens.set(key, token);
    return token.header;
  }

  async #fetch(method: Method & { kind: 'bearer' }, scopes: readonly Scope[], credential: Credential | undefined): Promise<CachedToken> {
    const started = this.#options.clock.now();
    const answer = (await this.#options.fetchToken(tokenRequest(method, scopes, credential)).catch((error: unknown) => {
      throw isTransferError(error, 'Unauthorized', 'Forbidden') ? this.refusal(scopes) : error;
    })) as Readonly<Record<string, unknown>> | null;
    const token = answer?.['token'] ?? answer?.['access_token'];
    if (typeof token !== 'string' || !/^[\u0021-\u007e]+$/.test(token)) {
      throw new TransferError('UnexpectedAnswer', `the token service ${method.realm.host} answered without a token`);
    }
    const seconds = Number(answer?.['expires_in'] ?? 60);
    return { header: `Bearer ${token}`, refreshAt: started + Math.max(1, Number.isFinite(seconds) ? seconds : 60) * 800 };
  }

  #forget(header: string | undefined): void {
    for (const [key, token] of this.#tokens) if (token.header === header) this.#tokens.delete(key);
  }

  #credential(scopes: readonly Scope[]): Credential | undefined {
    return this.#options.credentials.credentialFor(this.#options.registry.host, scopes[0]?.repository ?? '');
  }

  /** The error for a registry that does not let us in, with or without credentials. */
  refusal(scopes: readonly Scope[]): TransferError {
    const credential = this.#credential(scopes);
    const { host } = this.#options.registry;
    return credential === undefined
      ? new TransferError('Unauthorized', `${host} requires authentication and there are no credentials for it`, {
          status: 401,
          hint: 'Name a Secret with username and password (or .dockerconfigjson) in spec.secretRef of the endpoint.',
        })
      : new TransferError('Unauthorized', `${host} refuses the credentials`, {
          status: 401,
          hint: 'Check username and password (or token) in the Secret of the endpoint, and what the account may do.',
        });
  }
}

function tokenRequest(
  method: Method & { kind: 'bearer' },
  scopes: readonly Scope[],
  credential: Credential | undefined,
): Parameters<TokenRequest>[0] {
  if (credential?.kind === 'identity') {
    const form = new URLSearchParams({
      grant_type: 'refresh_token',
      refresh_token: credential.token,
      client_id: 'arc',
      scope: scopes.map(formatScope).join(' '),
    });
    if (method.service !== undefined) form.set('service', method.service);
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    return { method: 'POST', url: method.realm, headers, body: Buffer.from(form.toString()) };
  }
  const url = new URL(method.realm);
  if (method.service !== undefined) url.searchParams.set('service', method.service);
  for (const scope of scopes) url.searchParams.append('scope', formatScope(scope));
  return { method: 'GET', url, headers: credential?.kind === 'basic' ? { authorization: basic(credential) } : {} };
}

function basic(credential: Credential & { kind: 'basic' }): string {
  return `Basic ${Buffer.from(`${credential.username}:${credential.password}`).toString('base64')}`;
}

function credentialId(credential: Credential | undefined): string {
  if (credential === undefined) return 'anonymous';
  return credential.kind === 'basic' ? `${credential.username}:${credential.password}` : credential.token;
}
