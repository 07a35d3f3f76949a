import { BlockList, isIP } from 'node:net';
import { isLoopbackHost } from '../reference/endpoint-url.ts';
import { TransferError } from '../transfer-error.ts';

/** The proxy to send a request through; undefined to go straight. */
export type ProxySelector = (url: URL) => URL | undefined;

/**
 * Reads `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY` (each in lower case, too) as curl and Go do: `NO_PROXY` has hosts (with all
 * below them, a leading dot or not), IP addresses, networks (`10.0.0.0/8`), each perhaps with a port, or `*`. Loopback is never
 * proxied. Undefined when there is no proxy at all.
 *
 * @throws TransferError `InvalidEndpoint`, without the credentials a proxy's URL may have
 */
export function proxyFromEnvironment(environment: Readonly<Record<string, string | undefined>>): ProxySelector | undefined {
  const get = (name: string): string => environment[name] || environment[name.toLowerCase()] || '';
  const proxies = { 'https:': parseProxy(get('HTTPS_PROXY'), 'HTTPS_PROXY'), 'http:': parseProxy(get('HTTP_PROXY'), 'HTTP_PROXY') };
  if (proxies['https:'] === undefined && proxies['http:'] === undefined) return undefined;
  const excepted = get('NO_PROXY').split(',').map(exceptionOf); // prettier-ignore
  return (url) => {
    const host = url.hostname.replace(/^\[|\]$/g, '').toLowerCase();
    if (isLoopbackHost(host)) return undefined;
    const port = url.port === '' ? (url.protocol === 'https:' ? '443' : '80') : url.port;
    if (excepted.some((matches) => matches(host, port))) return undefined;
    return url.protocol === 'https:' ? proxies['https:'] : url.protocol === 'http:' ? proxies['http:'] : undefined;
  };
}

/** The value of Proxy-Authorization, undefined for a proxy without credentials. */
export function proxyAuthorization(proxy: URL): string | undefined {
  if (proxy.username === '' && proxy.password === '') return undefined;
  const credentials = `${decodeURIComponent(proxy.username)}:${decodeURIComponent(proxy.password)}`;
  return `Basic ${Buffer.from(credentials).toString('base64')}`;
}

function parseProxy(text: string, name: string): URL | undefined {
  if (text === '') return undefined;
  const url = URL.parse(/^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `http://${text}`);
  if (url !== null && (url.protocol === 'http:' || url.protocol === 'https:') && url.hostname !== '') return url;
  throw new TransferError('InvalidEndpoint', `the variable ${name} is not the URL of a proxy`, {
    hint: 'Write http://proxy.example.org:3128; SOCKS is not supported.',
  });
}

function exceptionOf(text: string): (host: string, port: string) => boolean {
  const entry = text.trim().toLowerCase();
  if (entry === '') return () => false;
  if (entry === '*') return () => true;
  const [, network, bits] = /^([0-9a-f.:]+)\/(\d{1,3})$/.exec(entry) ?? [];
  if (network !== undefined && isIP(network) !== 0 && Number(bits) <= (isIP(network) === 4 ? 32 : 128)) {
    const list = new BlockList();
    list.addSubnet(network, Number(bits), isIP(network) === 6 ? 'ipv6' : 'ipv4');
    return (host) => isIP(host) !== 0 && list.check(host, isIP(host) === 6 ? 'ipv6' : 'ipv4');
  }
  const bare = isIP(entry) === 6 ? entry : entry.replace(/:\d+$/, '');
  const wantedPort = bare === entry ? undefined : entry.slice(bare.length + 1);
  const name = bare.replace(/^\[|\]$/g, '').replace(/^\*?\./, '');
  return (host, port) => (wantedPort === undefined || wantedPort === port) && (host === name || host.endsWith(`.${name}`));
}
