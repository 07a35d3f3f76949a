import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

/** A TCP proxy on loopback that withholds what is said, and cuts connections. */
export interface CuttingProxy extends AsyncDisposable {
  /** `127.0.0.1:PORT` */
  readonly host: string;
  /** From now on nothing reaches the client, or nothing the server. */
  withhold(from: 'client' | 'server'): void;
  /** Cuts all connections; new ones are passed on whole. */
  cut(): void;
}

export async function startCuttingProxy(target: string): Promise<CuttingProxy> {
  const [address = '', port = ''] = target.split(':');
  const sockets = new Set<Socket>();
  let withheld: 'client' | 'server' | undefined;
  const server = createServer((client) => {
    const upstream = connect(Number(port), address);
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => {
        sockets.delete(socket);
        client.destroy();
        upstream.destroy();
      });
    }
    client.on('data', (chunk) => withheld === 'server' || upstream.write(chunk));
    upstream.on('data', (chunk) => withheld === 'client' || client.write(chunk));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const bound = server.address();
  return {
    host: `127.0.0.1:${typeof bound === 'object' && bound !== null ? bound.port : 0}`,
    withhold(from) {
      withheld = from;
    },
    cut() {
      withheld = undefined;
      for (const socket of sockets) socket.destroy();
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      const closed = once(server, 'close');
      server.close();
      await closed;
    },
  };
}
