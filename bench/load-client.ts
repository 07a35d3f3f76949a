import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { Agent, request } from 'node:https';
import { fileURLToPath } from 'node:url';

export interface ServerUnderTest extends AsyncDisposable {
  readonly url: string;
  /** An agent of up to `connections` keep-alive connections as administrator. */
  agent(connections: number): Agent;
}

interface Greeting {
  readonly server: string;
  readonly caPem: string;
  readonly certPem: string;
  readonly keyPem: string;
}

export async function startServer(storage: string): Promise<ServerUnderTest> {
  const child: ChildProcess = fork(fileURLToPath(new URL('./server.ts', import.meta.url)), [storage], { stdio: 'inherit' });
  const [greeting] = (await once(child, 'message')) as [Greeting];
  return {
    url: greeting.server,
    agent: (connections) =>
      new Agent({ keepAlive: true, maxSockets: connections, ca: greeting.caPem, cert: greeting.certPem, key: greeting.keyPem }),
    [Symbol.asyncDispose]: async () => {
      if (child.exitCode !== null) return;
      const exited = once(child, 'exit');
      child.disconnect();
      await exited;
    },
  };
}

/** One request; resolves with the number of body bytes. Anything but 2xx is an error with the start of the answer. */
export function send(
  agent: Agent,
  url: string,
  options: { readonly method?: string; readonly body?: string; readonly accept?: string; readonly contentType?: string } = {},
): Promise<number> {
  return new Promise((resolve, reject) => {
    const { method = 'GET', body, accept = 'application/json', contentType = 'application/json' } = options;
    const headers = {
      accept,
      ...(body !== undefined && { 'content-type': contentType, 'content-length': Buffer.byteLength(body) }),
    };
    const outgoing = request(url, { agent, method, headers }, (answer) => {
      let bytes = 0;
      let head = '';
      answer.on('data', (chunk: Buffer) => {
        if ((answer.statusCode ?? 0) >= 300) head += chunk.toString('utf8').slice(0, 500);
        bytes += chunk.length;
      });
      answer.on('error', reject);
      answer.on('end', () => {
        if ((answer.statusCode ?? 0) < 300) resolve(bytes);
        else reject(new Error(`${method} ${url}: ${answer.statusCode} ${head}`));
      });
    });
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

/** Runs `count` tasks, `width` at a time. */
export async function parallel(count: number, width: number, task: (index: number) => Promise<unknown>): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < count) await task(next++);
  };
  await Promise.all(Array.from({ length: Math.min(width, count) }, worker));
}
