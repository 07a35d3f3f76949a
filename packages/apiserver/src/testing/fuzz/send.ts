import { connect as connectHttp2, constants, type ClientHttp2Session } from 'node:http2';
import { Agent, request } from 'node:https';
import { connect as connectTls } from 'node:tls';
import type { TestServer } from '../test-server.ts';
import type { FuzzRequest } from './fuzz-request.ts';

export interface FuzzAnswer {
  /** 0: none, because the request could not be sent, was given up, or its connection was closed. 599: none came. */
  readonly code: number;
  readonly text: string;
}

/** Sends requests as the administrator of a server. */
export interface FuzzSender extends Disposable {
  send(request: FuzzRequest): Promise<FuzzAnswer>;
}

const giveUpMs = 20_000;
/** What is cut off is waited for by the server until the connection goes. */
const bytesGiveUpMs = 500;

export function fuzzSender(server: TestServer): FuzzSender {
  const { certPem: cert, keyPem: key } = server.adminCertificate;
  const { port, ca } = server;
  const agent = new Agent({ keepAlive: true, ca, cert, key });
  const sessions: ClientHttp2Session[] = [];
  let turn = 0;
  // Some, so that those that are closed are not all.
  const http2 = (): ClientHttp2Session => {
    const at = turn++ % 3;
    const known = sessions[at];
    if (known !== undefined && !known.closed && !known.destroyed) return known;
    return (sessions[at] = connectHttp2(`https://127.0.0.1:${port}`, { ca, cert, key }).on('error', () => {}));
  };
  const overBytes = (bytes: Uint8Array): Promise<FuzzAnswer> =>
    new Promise((resolve) => {
      const chunks: Buffer[] = [];
      const socket = connectTls({ host: '127.0.0.1', port, ca, cert, key, ALPNProtocols: ['http/1.1'] }, () => socket.write(bytes));
      const timer = setTimeout(() => socket.destroy(), bytesGiveUpMs);
      const done = (): void => {
        clearTimeout(timer);
        socket.destroy();
        const text = Buffer.concat(chunks).toString('latin1');
        resolve({ code: Number(/^HTTP\/1\.1 ([2-5]\d\d)/m.exec(text)?.[1] ?? 0), text });
      };
      socket.on('data', (chunk: Buffer) => {
        chunks.push(chunk);
        if (!chunk.toString('latin1').startsWith('HTTP/1.1 100')) done();
      });
      socket.on('error', () => {});
      socket.on('close', done);
    });
  return {
    send(next) {
      if (next.bytes !== undefined) return overBytes(next.bytes);
      return next.by === 'http1' ? overHttp1(agent, port, next) : overHttp2(http2(), next);
    },
    [Symbol.dispose]() {
      agent.destroy();
      for (const session of sessions) session.destroy();
    },
  };
}

function overHttp1(agent: Agent, port: number, { method, path, headers, body }: FuzzRequest): Promise<FuzzAnswer> {
  return new Promise((resolve) => {
    const none = (error: Error): void => resolve({ code: 0, text: error.message });
    try {
      const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) };
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

function overHttp2(session: ClientHttp2Session, { method, path, headers, body, by }: FuzzRequest): Promise<FuzzAnswer> {
  return new Promise((resolve) => {
    try {
      const stream = session.request({ ...headers, ':method': method, ':path': path }, { endStream: body === undefined });
      const chunks: Buffer[] = [];
      let code = 0;
      stream.on('response', (received) => void (code = received[':status'] ?? 0));
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('error', () => {});
      stream.on('close', () => resolve({ code, text: Buffer.concat(chunks).toString() }));
      if (by === 'http2-reset') {
        if (body !== undefined) stream.write(body.slice(0, 20));
        setImmediate(() => stream.close(constants.NGHTTP2_CANCEL));
        return;
      }
      stream.setTimeout(giveUpMs, () => void stateOf(session).then((state) => resolve({ code: 599, text: `no answer; ${state}` })));
      if (body !== undefined) stream.end(body);
    } catch (error) {
      resolve({ code: 0, text: (error as Error).message });
    }
  });
}

/** What tells a session that is stuck from a request that is. */
function stateOf(session: ClientHttp2Session): Promise<string> {
  const { closed, destroyed, state } = session;
  return new Promise((resolve) => {
    const told = (ping: string): void => resolve(`${ping}; ${JSON.stringify({ closed, destroyed, ...state })}`);
    const timer = setTimeout(() => told('the session answers no ping'), 2_000);
    const asked =
      !destroyed &&
      session.ping((error) => {
        clearTimeout(timer);
        told(error === null ? 'the session answers pings' : error.message);
      });
    if (!asked) told('the session takes no ping');
  });
}
