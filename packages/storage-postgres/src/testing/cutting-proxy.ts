import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/**
 * What happens to the next commit that passes:
 * - `unsent`: it never reaches the server;
 * - `unanswered`: the server executes it, and its answer is lost;
 * - `late`: the client loses its connection, and the server gets the commit when `deliver` is called.
 */
export type Cut = 'unsent' | 'unanswered' | 'late';

/** A TCP proxy in front of PostgreSQL that cuts a connection in mid-commit. */
export interface CuttingProxy extends AsyncDisposable {
  readonly port: number;
  /** Applies to one commit, whichever comes next. */
  cutNext(cut: Cut): void;
  /** Hands the server what was held back by `late`; resolves with what it answers. */
  deliver(): Promise<string>;
  /** Cuts every connection and, until set to false again, each new one. */
  setDown(down: boolean): void;
}

export async function startCuttingProxy(target: { readonly host: string; readonly port: number }): Promise<CuttingProxy> {
  const sockets = new Set<Socket>();
  let cut: Cut | undefined;
  let down = false;
  let held: { readonly upstream: Socket; readonly bytes: Buffer } | undefined;

  const server = createServer((client) => {
    if (down) {
      client.destroy();
      return;
    }
    const upstream = connect(target.port, target.host);
    let answers = true;
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.setNoDelay(true);
      socket.on('error', () => {});
      socket.on('close', () => sockets.delete(socket));
    }
    client.on('close', () => {
      if (held?.upstream !== upstream) upstream.destroy();
    });
    upstream.on('close', () => client.destroy());
    upstream.on('data', (bytes) => {
      if (answers) client.write(bytes);
      else client.destroy();
    });
    client.on('data', (bytes) => {
      const applied = bytes.includes('commit_batch') ? cut : undefined;
      if (applied !== undefined) cut = undefined;
      if (applied === undefined || applied === 'unanswered') upstream.write(bytes);
      if (applied === 'unanswered') answers = false;
      if (applied === 'late') held = { upstream, bytes };
      if (applied === 'late' || applied === 'unsent') client.destroy();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');

  return {
    port: (server.address() as AddressInfo).port,
    cutNext: (next) => (cut = next),
    async deliver() {
      if (held === undefined) throw new Error('nothing is held back');
      const { upstream, bytes } = held;
      upstream.write(bytes);
      const [answer] = (await once(upstream, 'data')) as [Buffer];
      upstream.destroy();
      return answer.toString('latin1');
    },
    setDown(value) {
      down = value;
      if (down) for (const socket of sockets) socket.destroy();
    },
    async [Symbol.asyncDispose]() {
      server.close();
      for (const socket of sockets) socket.destroy();
      if (server.listening) await once(server, 'close');
    },
  };
}
