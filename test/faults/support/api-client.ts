import { once } from 'node:events';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { Agent, request } from 'node:https';
import type { ClientConfig } from '@arc/kube-client';

export interface Answer {
  readonly code: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

interface SendOptions {
  readonly body?: unknown;
  readonly contentType?: string;
  /** Sent as the `timeout` of the request. Default 5 s. */
  readonly timeoutSeconds?: number;
}

/**
 * A client that repeats nothing and hides nothing. What no answer may ever be, whatever the storage does, it writes down as
 * a complaint: a request without an answer long after its timeout, a 5xx of the API without Retry-After, and any code that
 * the load has no reason to be given, such as 403.
 */
export interface ApiClient extends Disposable {
  readonly complaints: readonly string[];
  /** Undefined when the connection failed before the whole answer was there. */
  send(method: string, path: string, options?: SendOptions): Promise<Answer | undefined>;
  /** Begins a GET whose answer is read by the caller; undefined when the connection failed. */
  open(path: string): Promise<IncomingMessage | undefined>;
}

/** A request is called hanging this long after its own timeout: enough for any machine, and far below the server's own limits. */
const patienceMs = 15_000;

/** 429: a server that was just started still loads its cache. */
const expectedCodes: ReadonlySet<number> = new Set([200, 201, 404, 409, 410, 429]);

export function createApiClient({ server, caPem, clientCertificate }: ClientConfig): ApiClient {
  const { hostname: host, port } = new URL(server);
  const credentials = { ca: caPem, cert: clientCertificate?.certPem, key: clientCertificate?.keyPem };
  const agent = new Agent({ keepAlive: true, maxSockets: 200, ...credentials });
  const complaints: string[] = [];

  const begin = async (method: string, path: string, { body, contentType = 'application/json' }: SendOptions): Promise<IncomingMessage> => {
    const payload = body === undefined ? undefined : JSON.stringify(body);
    // Without a length, Node does not say that a DELETE has a body.
    const headers = payload === undefined ? {} : { 'content-type': contentType, 'content-length': Buffer.byteLength(payload) };
    const outgoing = request({ host, port, agent, method, path, headers });
    outgoing.end(payload);
    const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
    response.on('error', () => {});
    const code = response.statusCode ?? 0;
    if (code < 500 && !expectedCodes.has(code)) complaints.push(`${method} ${path} was answered ${code}`);
    if (code >= 500 && path.startsWith('/api') && response.headers['retry-after'] === undefined) {
      complaints.push(`${method} ${path} was answered ${code} without Retry-After`);
    }
    return response;
  };

  return {
    complaints,
    async send(method, path, options = {}) {
      const { timeoutSeconds = 5 } = options;
      const timed = `${path}${path.includes('?') ? '&' : '?'}timeout=${timeoutSeconds}s`;
      const hanging = setTimeout(() => complaints.push(`${method} ${timed} hangs`), timeoutSeconds * 1000 + patienceMs);
      try {
        const response = await begin(method, timed, options);
        const text = Buffer.concat(await Array.fromAsync(response as AsyncIterable<Buffer>)).toString();
        return { code: response.statusCode ?? 0, headers: response.headers, text };
      } catch {
        return undefined;
      } finally {
        clearTimeout(hanging);
      }
    },
    async open(path) {
      try {
        return await begin('GET', path, {});
      } catch {
        return undefined;
      }
    },
    [Symbol.dispose]: () => agent.destroy(),
  };
}

/** Sends each request to any one of several servers of the same storage, as a load balancer that knows nothing of them. */
export function spread(clients: readonly ApiClient[], random: (limit: number) => number): ApiClient {
  const any = (): ApiClient => {
    const client = clients[random(clients.length)];
    if (client === undefined) throw new Error('there is no server');
    return client;
  };
  return {
    get complaints() {
      return clients.flatMap(({ complaints }) => complaints);
    },
    send: (method, path, options) => any().send(method, path, options),
    open: (path) => any().open(path),
    [Symbol.dispose]: () => {
      for (const client of clients) client[Symbol.dispose]();
    },
  };
}
