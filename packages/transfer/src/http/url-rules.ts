import { isIP } from 'node:net';
import { isLoopbackHost } from '../reference/endpoint-url.ts';
import { TransferError } from '../transfer-error.ts';

/** Every URL a registry hands us is hostile until one of these rules has let it pass. */

export function sameOrigin(a: URL, b: URL): boolean {
  return a.origin === b.origin;
}

/** A URL fit for messages and logs: without credentials and query, which may be a signature. */
export function redactURL(url: URL): string {
  return `${url.protocol}//${url.host}${url.pathname}${url.search === '' ? '' : '?…'}`;
}

/**
 * Resolves a redirect or upload Location against the URL that was asked.
 *
 * @throws TransferError `UnsafeURL` for another scheme, credentials in it, or a step down from https to http
 */
export function resolveDerivedURL(from: URL, location: string, what: string): URL {
  let url: URL;
  try {
    url = new URL(location, from);
  } catch {
    throw unsafe(what, from, 'something that is not a URL');
  }
  if (url.protocol !== 'https:' && url.protocol !== 'http:') throw unsafe(what, from, `a ${url.protocol} URL`);
  if (from.protocol === 'https:' && url.protocol === 'http:') throw unsafe(what, from, `plain http (${redactURL(url)})`);
  if (url.username !== '' || url.password !== '') throw unsafe(what, from, 'a URL with credentials');
  return url;
}

/**
 * The next page of a listing: relative or absolute, but of the same origin.
 *
 * @returns undefined when there is no next page
 * @throws TransferError `UnsafeURL`
 */
export function nextPage(from: URL, link: string | undefined): URL | undefined {
  const target = link?.split(',').find((part) => /;\s*rel="?next"?/i.test(part));
  const location = target === undefined ? undefined : /<([^>]*)>/.exec(target)?.[1];
  if (location === undefined) return undefined;
  const url = resolveDerivedURL(from, location, 'the next page of a listing');
  if (!sameOrigin(url, from)) throw unsafe('the next page of a listing', from, url.origin);
  return url;
}

/** Token services on another registrable domain than the registries they belong to. */
const knownTokenServices: Readonly<Record<string, readonly string[]>> = {
  'nvcr.io': ['authn.nvidia.com'],
  'registry.connect.redhat.com': ['sso.redhat.com'],
};

/** Second-level labels under which domains are registered, so that the last two labels say nothing about ownership. */
const sharedSuffix =
  /^(?:(?:co|com|net|org|gov|edu|ac|or|ne|go|gv)\.[a-z]{2}|(?:github|gitlab|herokuapp|azurewebsites|cloudfront|amazonaws|azurecr|fly|vercel|netlify|pages|web)\.[a-z]+)$/;

/**
 * Where a registry sends us to fetch a token, which is where the password goes: the same host, the same registrable
 * domain, or a host that is trusted by name; never plain http for a registry spoken to over https.
 *
 * @throws TransferError `UnsafeURL`
 */
export function resolveRealm(registry: URL, realm: string, trustedHosts: readonly string[]): URL {
  const url = resolveDerivedURL(registry, realm, 'the token service (realm)');
  const trusted = [...trustedHosts, ...(knownTokenServices[registry.hostname] ?? [])];
  if (url.hostname === registry.hostname || trusted.includes(url.hostname) || trusted.includes(url.host)) return url;
  if (isLoopbackHost(registry.hostname) && isLoopbackHost(url.hostname)) return url;
  const domain = registrableDomain(registry.hostname);
  if (domain !== undefined && domain === registrableDomain(url.hostname)) return url;
  throw new TransferError('UnsafeURL', `${registry.host} sends its clients to ${url.host} for a token; no credentials are sent there`, {
    hint: `If ${url.host} belongs to this registry, list it as a trusted token service of the endpoint.`,
  });
}

function registrableDomain(hostname: string): string | undefined {
  if (isIP(hostname.replace(/^\[|\]$/g, '')) !== 0) return undefined;
  const labels = hostname.split('.');
  if (labels.length < 2) return undefined;
  const lastTwo = labels.slice(-2).join('.');
  if (!sharedSuffix.test(lastTwo)) return lastTwo;
  return labels.length < 3 ? undefined : labels.slice(-3).join('.');
}

function unsafe(what: string, from: URL, target: string): TransferError {
  return new TransferError('UnsafeURL', `${from.host} gave ${target} as ${what}; that is not followed`, {
    hint: 'Correct the external URL in the configuration of the registry or of the proxy in front of it.',
  });
}
