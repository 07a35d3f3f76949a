import { ArcError } from '@arc/kernel';

export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

/**
 * Parses `HOST:PORT`, `:PORT` or `[IPV6]:PORT`; port 0 means any free one.
 *
 * @param defaultHost where nothing stands before the colon; default: loopback
 * @throws ArcError `InvalidListenAddress`
 */
export function parseListenAddress(text: string, defaultHost = '127.0.0.1'): ListenAddress {
  const match = /^(?:\[(?<ipv6>[0-9a-fA-F:.]+)\]|(?<host>[^:[\]]*)):(?<port>\d{1,5})$/.exec(text);
  const port = Number(match?.groups?.['port'] ?? Number.NaN);
  if (match === null || !(port <= 65_535)) {
    throw new ArcError('InvalidListenAddress', `invalid listen address ${JSON.stringify(text)}`, {
      hint: 'Write HOST:PORT, for example 127.0.0.1:6443 or [::1]:6443; port 0 takes any free one.',
    });
  }
  const host = match.groups?.['ipv6'] ?? match.groups?.['host'] ?? '';
  return { host: host === '' ? defaultHost : host, port };
}
