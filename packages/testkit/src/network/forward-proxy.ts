import { createServer, type IncomingMessage, request as send } from 'node:http';
import { once } from 'node:events';
import { type AddressInfo, connect, type Socket } from 'node:net';

export interface ForwardProxy extends AsyncDisposable {
  /** `http://127.0.0.1:PORT`, without credentials. */
  readonly url: string;
  /** What it was asked, in order: `CONNECT host:port`, or a method with a whole URL; and the headers it saw. */
  readonly requests: readonly { readonly line: string; readonly headers: Readonly<Record<string, string>> }[];
}

/**
 * A proxy as companies have them. Names are not resolved: everything goes to loopback at the port that was asked for, so that any
 * host name can be used.
 */
export async function startForwardProxy(options: { readonly authorization?: string } = {}): Promise<ForwardProxy> {
  const requests: { line: string; headers: Record<string, string> }[] = [];
  const sockets = new Set<Socket>();
  const note = (request: IncomingMessage): boolean => {
    const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)]));
    requests.push({ line: `${request.method} ${request.url}`, headers });
    return options.authorization === undefined || headers['proxy-authorization'] === options.authorization;
  };
  const server = createServer((request, response) => {
    if (!note(request)) {
      response.writeHead(407, { 'proxy-authenticate': 'Basic realm="proxy"' }).end('who are you');
      return;
    }
    const url = new URL(request.url ?? '');
    const { 'proxy-authorization': _own, ...headers } = request.headers;
    const onward = send({ host: '127.0.0.1', port: url.port, method: request.method, path: `${url.pathname}${url.search}`, headers });
    onward.on('response', (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    onward.on('error', () => response.destroy());
    request.pipe(onward);
  });
  server.on('connect', (request: IncomingMessage, socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    if (!note(request)) {
      socket.end('HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n');
      return;
    }
    const onward = connect(Number(request.url?.split(':').at(-1)), '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
      onward.pipe(socket);
      socket.pipe(onward);
    });
    sockets.add(onward);
    onward.on('error', () => socket.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
