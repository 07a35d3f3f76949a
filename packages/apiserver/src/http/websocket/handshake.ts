import { createHash } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';

const guid = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
const tokenPrefix = 'base64url.bearer.authorization.k8s.io.';

/** Whether a request wants to go on as a websocket (RFC 6455, 4.1). */
export function asksForWebSocket(headers: IncomingHttpHeaders): boolean {
  return (
    headers.upgrade?.toLowerCase() === 'websocket' &&
    (headers.connection ?? '')
      .toLowerCase()
      .split(/\s*,\s*/)
      .includes('upgrade') &&
    headers['sec-websocket-key'] !== undefined
  );
}

/** The head of the answer that makes a websocket of a connection (RFC 6455, 4.2.2). */
export function switchingProtocols(key: string, protocol: string | undefined): string {
  const accept = createHash('sha1').update(`${key}${guid}`).digest('base64');
  return [
    'HTTP/1.1 101 Switching Protocols',
    'Upgrade: websocket',
    'Connection: Upgrade',
    `Sec-WebSocket-Accept: ${accept}`,
    ...(protocol === undefined ? [] : [`Sec-WebSocket-Protocol: ${protocol}`]),
    '\r\n',
  ].join('\r\n');
}

/** What a browser, which cannot set headers, puts into `Sec-WebSocket-Protocol` (wire contract 6.1). */
export interface OfferedProtocols {
  /** A bearer token; empty when there is one that cannot be read, or nothing beside it. */
  readonly token: string | undefined;
  /** The others. */
  readonly protocols: readonly string[];
}

export function offeredProtocols(header: string | undefined): OfferedProtocols {
  const offered = (header ?? '').split(',').map((protocol) => protocol.trim());
  const protocols = offered.filter((protocol) => protocol !== '' && !protocol.startsWith(tokenPrefix));
  const tokens = offered.filter((protocol) => protocol.startsWith(tokenPrefix));
  if (tokens.length === 0) return { token: undefined, protocols };
  const [token = ''] = tokens.map((protocol) => protocol.slice(tokenPrefix.length));
  // One has to be left that the answer can name.
  const readable = tokens.length === 1 && protocols.length > 0 && /^[A-Za-z0-9_-]+$/.test(token);
  return { token: readable ? Buffer.from(token, 'base64url').toString() : '', protocols };
}
