import { Agent, request } from 'node:https';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { Status, UnstructuredObject, WatchEvent } from '@arc/apimachinery';

interface TestResponse {
  readonly code: number;
  readonly headers: IncomingHttpHeaders;
  readonly bytes: Buffer;
  readonly text: string;
  /** The body as JSON. */
  object(): UnstructuredObject;
  status(): Status;
}

interface TestRequest {
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string | string[]>>;
}

export interface TestWatch extends AsyncDisposable {
  readonly headers: IncomingHttpHeaders;
  /** The next event; undefined at the end of the stream. */
  next(): Promise<WatchEvent | undefined>;
}

/** A plain HTTP/1.1 client, so that tests see exactly what is on the wire. */
export interface TestClient extends Disposable {
  send(method: string, path: string, options?: TestRequest): Promise<TestResponse>;
  get(path: string, headers?: TestRequest['headers']): Promise<TestResponse>;
  post(path: string, body: unknown, headers?: TestRequest['headers']): Promise<TestResponse>;
  watch(path: string, headers?: TestRequest['headers']): Promise<TestWatch>;
}

export interface TestClientOptions {
  readonly port: number;
  readonly ca: string;
  readonly cert?: string;
  readonly key?: string;
}

export function testClient({ port, ca, cert, key }: TestClientOptions): TestClient {
  const agent = new Agent({ keepAlive: true, ca, ...(cert !== undefined && { cert }), ...(key !== undefined && { key }) });
  const open = (method: string, path: string, { body, headers = {} }: TestRequest): Promise<IncomingMessage> => {
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    const payload = typeof body === 'string' || body instanceof Uint8Array ? body : body === undefined ? undefined : JSON.stringify(body);
    const chunked = Object.hasOwn(headers, 'transfer-encoding');
    const contentType = {
      ...(payload !== undefined && { 'content-type': 'application/json' }),
      ...(payload !== undefined && !chunked && { 'content-length': Buffer.byteLength(payload) }),
    };
    request({ host: '127.0.0.1', port, agent, method, path, headers: { ...contentType, ...headers } }, resolve)
      .on('error', reject)
      .end(payload);
    return promise;
  };
  const send: TestClient['send'] = async (method, path, options = {}) => {
    const response = await open(method, path, options);
    const bytes = Buffer.concat(await Array.fromAsync(response as AsyncIterable<Buffer>));
    const text = bytes.toString();
    return {
      code: response.statusCode ?? 0,
      headers: response.headers,
      bytes,
      text,
      object: () => JSON.parse(text) as UnstructuredObject,
      status: () => JSON.parse(text) as Status,
    };
  };
  return {
    send,
    get: (path, headers = {}) => send('GET', path, { headers }),
    post: (path, body, headers = {}) => send('POST', path, { body, headers }),
    watch: async (path, headers = {}) => {
      const response = await open('GET', path, { headers });
      const lines = linesOf(response);
      return {
        headers: response.headers,
        next: async () => {
          const { value } = await lines.next();
          return value === undefined ? undefined : (JSON.parse(value) as WatchEvent);
        },
        [Symbol.asyncDispose]: async () => {
          response.destroy();
          await lines.return();
        },
      };
    },
    [Symbol.dispose]: () => agent.destroy(),
  };
}

async function* linesOf(response: IncomingMessage): AsyncGenerator<string, void, void> {
  let rest = '';
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      const lines = (rest + chunk.toString()).split('\n');
      rest = lines.pop() ?? '';
      yield* lines;
    }
  } catch {
    // Cut off in the middle: the test sees the end.
  }
}
