import { Agent, createServer, request as send, type IncomingMessage, type ServerResponse } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';

interface ProxiedRequest {
  readonly method: string;
  readonly path: string;
  /** Body bytes that came from the client, and that went to it. */
  received: number;
  sent: number;
}

/** Stands before one registry, counts what passes, and acts when as much has passed as it was told. */
export interface RecordingProxy extends AsyncDisposable {
  /** `http://127.0.0.1:PORT` */
  readonly url: string;
  readonly requests: readonly ProxiedRequest[];
  clear(): void;
  /** Calls `act` once: with the request of this number (0 is the next), or with this body byte of all that follow. */
  at(point: { readonly request: number } | { readonly byte: number }, act: () => void): void;
  /** Resolves when no request is being served, on either side. */
  quiet(): Promise<void>;
}

export async function startRecordingProxy(target: string): Promise<RecordingProxy> {
  const agent = new Agent({ keepAlive: true });
  let requests: ProxiedRequest[] = [];
  let trap: { left: number; readonly by: 'request' | 'byte'; readonly act: () => void } | undefined;
  let serving = 0;
  let wake: () => void = () => {};

  const pass = (by: 'request' | 'byte', amount: number): void => {
    if (trap?.by !== by) return;
    trap.left -= amount;
    if (trap.left >= 0) return;
    const { act } = trap;
    trap = undefined;
    act();
  };

  const serve = async (incoming: IncomingMessage, response: ServerResponse): Promise<void> => {
    const entry: ProxiedRequest = { method: incoming.method ?? '', path: incoming.url ?? '', received: 0, sent: 0 };
    requests.push(entry);
    pass('request', 1);
    const onward = send(new URL(entry.path, target), { method: entry.method, headers: incoming.headers, agent });
    const answered = once(onward, 'response') as Promise<[IncomingMessage]>;
    answered.catch(() => {});
    try {
      for await (const chunk of incoming as AsyncIterable<Buffer>) {
        entry.received += chunk.length;
        pass('byte', chunk.length);
        if (!onward.write(chunk)) await Promise.race([once(onward, 'drain'), once(onward, 'close')]);
      }
    } catch {
      // Who sent it is gone: what the registry has is not the whole body.
      onward.destroy();
      return;
    }
    onward.end();
    const [answer] = await answered;
    response.writeHead(answer.statusCode ?? 502, answer.headers);
    for await (const chunk of answer as AsyncIterable<Buffer>) {
      entry.sent += chunk.length;
      pass('byte', chunk.length);
      if (!response.destroyed && !response.write(chunk)) await Promise.race([once(response, 'drain'), once(response, 'close')]);
    }
    response.end();
  };

  const server = createServer((incoming, response) => {
    response.on('error', () => {});
    serving += 1;
    void serve(incoming, response)
      .catch(() => response.destroy())
      .finally(() => {
        serving -= 1;
        if (serving === 0) wake();
      });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get requests() {
      return requests;
    },
    clear() {
      requests = [];
    },
    at(point, act) {
      trap = 'request' in point ? { left: point.request, by: 'request', act } : { left: point.byte, by: 'byte', act };
    },
    async quiet() {
      while (serving > 0) await new Promise<void>((resolve) => (wake = resolve));
    },
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
      agent.destroy();
    },
  };
}
