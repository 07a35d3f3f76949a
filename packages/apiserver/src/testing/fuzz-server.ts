import { connect, type ClientHttp2Session } from 'node:http2';
import { Agent, request } from 'node:https';
import { type FuzzRequest, fuzzRequest, seededRandom } from './fuzz-requests.ts';
import type { TestServer } from './test-server.ts';

interface FuzzFailure {
  /** The number of the request, counted from 0: the same seed gives the same request. */
  readonly index: number;
  readonly request: FuzzRequest;
  /** The code and the answer, or why there was none. */
  readonly answer: string;
}

export interface FuzzReport {
  readonly requests: number;
  /** How often each code was answered; 0 stands for requests no client can send, or whose connection was refused. */
  readonly codes: ReadonlyMap<number, number>;
  /** Answers of 500 and above. */
  readonly failures: readonly FuzzFailure[];
}

export interface FuzzOptions {
  readonly seed: number;
  readonly requests: number;
  /** Requests under way at once; default 16. */
  readonly parallel?: number;
}

const giveUpMs = 20_000;

/** Throws seeded nonsense at a server as its administrator. Rejects when the server no longer answers. */
export async function fuzzServer(server: TestServer, { seed, requests, parallel = 16 }: FuzzOptions): Promise<FuzzReport> {
  const random = seededRandom(seed);
  const { certPem: cert, keyPem: key } = server.adminCertificate;
  const agent = new Agent({ keepAlive: true, ca: server.ca, cert, key });
  const codes = new Map<number, number>();
  const failures: FuzzFailure[] = [];
  let session: ClientHttp2Session | undefined;
  const http2 = (): ClientHttp2Session => {
    if (session === undefined || session.closed || session.destroyed) {
      session = connect(`https://127.0.0.1:${server.port}`, { ca: server.ca, cert, key }).on('error', () => {});
    }
    return session;
  };
  let sent = 0;
  const worker = async (): Promise<void> => {
    while (sent < requests) {
      const index = sent++;
      const next = fuzzRequest(random);
      const { code, text } = await (next.http2 ? overHttp2(http2(), next) : overHttp1(agent, server.port, next));
      codes.set(code, (codes.get(code) ?? 0) + 1);
      if (code >= 500) failures.push({ index, request: next, answer: `${code} ${text.slice(0, 500)}` });
    }
  };
  try {
    await Promise.all(Array.from({ length: parallel }, worker));
  } finally {
    agent.destroy();
    session?.destroy();
  }
  const { code } = await server.admin.get('/readyz');
  if (code !== 200) throw new Error(`the server answers ${code} on /readyz afterwards`);
  return { requests, codes, failures };
}

interface Answer {
  readonly code: number;
  readonly text: string;
}

function overHttp1(agent: Agent, port: number, { method, path, headers, body }: FuzzRequest): Promise<Answer> {
  return new Promise((resolve) => {
    const none = (error: Error): void => resolve({ code: 0, text: error.message });
    try {
      const length = body === undefined ? {} : { 'content-length': String(body.length) };
      const sending = request({ host: '127.0.0.1', port, agent, method, path, headers: { ...headers, ...length } }, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        const done = (): void => resolve({ code: response.statusCode ?? 0, text: Buffer.concat(chunks).toString() });
        response.on('end', done).on('error', done).on('close', done);
      });
      sending.setTimeout(giveUpMs, () => resolve({ code: 599, text: 'no answer' }));
      sending.on('error', none).end(body);
    } catch (error) {
      none(error as Error);
    }
  });
}

function overHttp2(session: ClientHttp2Session, { method, path, headers, body }: FuzzRequest): Promise<Answer> {
  return new Promise((resolve) => {
    try {
      const stream = session.request({ ...headers, ':method': method, ':path': path }, { endStream: body === undefined });
      const chunks: Buffer[] = [];
      let code = 0;
      stream.on('response', (received) => void (code = received[':status'] ?? 0));
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('error', () => {});
      stream.on('close', () => resolve({ code, text: Buffer.concat(chunks).toString() }));
      stream.setTimeout(giveUpMs, () => resolve({ code: 599, text: 'no answer' }));
      if (body !== undefined) stream.end(body);
    } catch (error) {
      resolve({ code: 0, text: (error as Error).message });
    }
  });
}
