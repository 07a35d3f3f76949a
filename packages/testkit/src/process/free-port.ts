import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';

/**
 * A TCP port of loopback that nothing listens on at the moment. It is below those that the system hands out to outgoing
 * connections and to listeners on port 0 (32768 and up on Linux, 16000 and up in some sandboxes), so that a server can be ended and started again on it. It is above 10080, which `fetch` refuses to talk to
 * (Fetch standard, port blocking).
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(10_100, 16_000);
    const server = createServer();
    try {
      server.listen(port, '127.0.0.1');
      await once(server, 'listening');
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'EADDRINUSE') continue;
      throw error;
    }
    server.close();
    await once(server, 'close');
    return port;
  }
}
