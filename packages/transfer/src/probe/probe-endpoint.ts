import { type Clock, systemClock } from '@arc/kernel';
import { parseChallenges } from '../auth/challenge.ts';
import { resolveRealm } from '../http/url-rules.ts';
import { parseBucketURL } from '../s3/bucket-location.ts';
import { isTransferError } from '../transfer-error.ts';
import { boundedLookup } from './bounded-lookup.ts';
import { deniedAddresses } from './denied-addresses.ts';
import { type Answer, exchange, ProbeFailure } from './exchange.ts';
import { no, type ProbeFinding, type ProbeResult, unknown, yes } from './finding.ts';
import { probedURL } from './probed-url.ts';

export interface ProbeTarget {
  /** As the Endpoint has it: a URL, or a host with an optional path, which means https, and http to loopback. */
  readonly remoteURL: string;
  /** Endpoint type; registries (`oci`) are asked for `/v2/`, buckets (`s3`) for a listing of one object. */
  readonly type: string;
  readonly credentials: 'none' | 'unsupported' | { readonly username: string; readonly password: string };
  /** A key of the Secret, for types with keys of their own (`s3`); absent when there is no Secret. */
  readonly secretValue?: ((key: string) => string | undefined) | undefined;
  /** PEM: an authority to trust besides others, and who we are, which only the Endpoint itself is shown; the name its certificate is for. */
  readonly tls?: { readonly ca?: string; readonly cert?: string; readonly key?: string; readonly serverName?: string };
}

export interface EndpointProbeOptions {
  /** Networks that are never dialled, in CIDR notation. Default: loopback, link-local and unspecified addresses. */
  readonly denyCIDRs?: readonly string[];
  /** PEM certificates trusted besides the system's. */
  readonly ca?: string;
  readonly clock?: Clock;
  /** For a whole probe, milliseconds. Default 5000. */
  readonly timeoutMs?: number;
}

/**
 * Asks an Endpoint whether it answers and knows its credentials (reference, section 3.3): first anonymously, then with
 * credentials, which travel over https only; to a token service in one hop; no redirects; never to a denied address,
 * checked on what is dialled. Throws only the reason of the signal.
 */
export function createEndpointProbe(
  options: EndpointProbeOptions = {},
): (target: ProbeTarget, signal: AbortSignal) => Promise<ProbeResult> {
  const { denyCIDRs, ca, clock = systemClock, timeoutMs = 5000 } = options;
  const denied = deniedAddresses(denyCIDRs);
  const lookup = boundedLookup();
  return async (target, signal) => {
    let url: URL | undefined;
    try {
      url = target.type === 's3' ? parseBucketURL(target.remoteURL).origin : probedURL(target.remoteURL, target.type);
    } catch (error) {
      const message = isTransferError(error) ? error.message : 'its address cannot be used';
      return { reachable: no('InvalidURL', message), authenticated: unknown('InvalidURL', 'it could not be asked') };
    }
    if (url === undefined) {
      const finding = unknown('UnsupportedScheme', 'only what is spoken to over http and https can be probed');
      return { reachable: finding, authenticated: finding };
    }
    const { origin } = url;
    const { ca: ownCa, cert, key, serverName } = target.tls ?? {};
    const trusted = [ca, ownCa].filter((pem) => pem !== undefined);
    const identity = cert === undefined || key === undefined ? undefined : { cert, key };
    const stop = new AbortController();
    using _timer = clock.after(timeoutMs, () => stop.abort());
    const both = AbortSignal.any([signal, stop.signal]);
    const ask: Ask = (to, authorization, headers = {}) =>
      exchange(to, {
        authorization,
        headers,
        denied,
        lookup,
        ca: trusted,
        identity: to.origin === origin ? identity : undefined,
        serverName: to.origin === origin ? serverName : undefined,
        clock,
        signal: both,
      });
    try {
      if (target.type === 's3') {
        const { probeBucket } = await import('./probe-bucket.ts');
        return await probeBucket(target, (to, headers) => ask(to, undefined, headers), clock);
      }
      const answer = await ask(url);
      return { reachable: reachableBy(answer), authenticated: await authenticate(target, { url, answer, ask }) };
    } catch (error) {
      signal.throwIfAborted();
      const { reason, message } = stop.signal.aborted
        ? { reason: 'Timeout', message: `no answer within ${timeoutMs / 1000} s` }
        : failureOf(error);
      return { reachable: no(reason, message), authenticated: unknown(reason, 'it could not be asked') };
    }
  };
}

type Ask = (url: URL, authorization?: string, headers?: Readonly<Record<string, string>>) => Promise<Answer>;

function reachableBy({ status }: Answer): ProbeFinding {
  if (status === 404) return unknown('NotFound', 'it answers, but 404 Not Found');
  if (status >= 500) return unknown('ServerError', `it answers ${status}`);
  return yes('Reachable', `it answers ${status}`);
}

async function authenticate(
  { credentials }: ProbeTarget,
  { url, answer, ask }: { readonly url: URL; readonly answer: Answer; readonly ask: Ask },
): Promise<ProbeFinding> {
  if (credentials === 'none') return unknown('NoCredentials', 'it has no credentials');
  if (credentials === 'unsupported') return unknown('UnsupportedAuthScheme', 'its Secret has no username and password');
  const { status } = answer;
  if (status >= 200 && status < 300) return unknown('NotExercised', 'it answers without credentials');
  if (status !== 401 && status !== 403) return unknown('Inconclusive', `it answers ${status} without credentials`);
  const authorization = `Basic ${Buffer.from(`${credentials.username}:${credentials.password}`).toString('base64')}`;
  const bearer = parseChallenges(answer.challenge).find(({ scheme }) => scheme === 'bearer');
  try {
    if (status === 401 && bearer !== undefined) return await fetchToken(url, bearer.parameters, authorization, ask);
    if (url.protocol !== 'https:') return unknown('Inconclusive', 'credentials are not sent over plain http');
    return verdict(await ask(url, authorization), 'it accepts the credentials');
  } catch (error) {
    return unknown('Inconclusive', `the credentials could not be tried: ${failureOf(error).message}`);
  }
}

async function fetchToken(url: URL, parameters: Readonly<Record<string, string>>, authorization: string, ask: Ask): Promise<ProbeFinding> {
  let realm: URL;
  try {
    realm = resolveRealm(url, parameters['realm'] ?? '', []);
  } catch {
    return unknown('Inconclusive', 'it names a token service that credentials are not sent to');
  }
  if (realm.protocol !== 'https:') return unknown('Inconclusive', 'credentials are not sent over plain http');
  for (const name of ['service', 'scope']) {
    const value = parameters[name];
    if (value !== undefined) realm.searchParams.set(name, value);
  }
  const answer = await ask(realm, authorization);
  const finding = verdict(answer, 'its token service accepts the credentials');
  return finding.status === 'True' && !hasToken(answer.body) ? unknown('Inconclusive', 'its token service gives no token') : finding;
}

function verdict({ status }: Answer, accepted: string): ProbeFinding {
  if (status >= 200 && status < 300) return yes('Authenticated', accepted);
  if (status === 401 || status === 403) return no('Unauthorized', `the credentials are refused with ${status}`);
  return unknown('Inconclusive', `it answers ${status} to the credentials`);
}

function hasToken(body: string): boolean {
  try {
    const { token, access_token: accessToken } = JSON.parse(body) as { token?: unknown; access_token?: unknown };
    return [token, accessToken].some((value) => typeof value === 'string' && value !== '');
  } catch {
    return false;
  }
}

function failureOf(error: unknown): { readonly reason: string; readonly message: string } {
  return error instanceof ProbeFailure ? error : { reason: 'ProbeFailed', message: 'the request failed' };
}
