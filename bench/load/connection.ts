import { once } from 'node:events';
import { connect as connectPlain, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { ResponseScanner, type ScannedResponse } from './response-scanner.ts';
import type { Target } from './target.ts';

export interface RequestHead {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly accept?: string;
  readonly gzip?: boolean;
  readonly contentType?: string;
}

/** How much of an answer that is an error is kept, bytes. */
const keptOfError = 400;

interface Exchange {
  readonly keepBody: boolean;
  readonly onPart: ((part: Buffer) => void) | undefined;
  readonly resolve: (response: Answer) => void;
  readonly reject: (error: Error) => void;
  readonly parts: Buffer[];
  status: number;
}

export interface Answer extends ScannedResponse {
  /** Empty unless it was asked for. */
  readonly body: Buffer;
}

/** One keep-alive connection over which one request at a time is sent. */
export class Connection implements Disposable {
  readonly #socket: Socket;
  readonly #target: Target;
  readonly #scanner: ResponseScanner;
  #exchange: Exchange | undefined;

  static async open(target: Target): Promise<Connection> {
    const connection = new Connection(target);
    await once(connection.#socket, target.tls === undefined ? 'connect' : 'secureConnect');
    connection.#socket.setNoDelay(true);
    // A server verifies a client's certificate with its first request; whether it then allows this one does not matter.
    await connection.send(connection.head({ method: 'GET', path: '/version' })).catch(() => undefined);
    return connection;
  }

  private constructor(target: Target) {
    this.#target = target;
    this.#scanner = new ResponseScanner({
      onHead: (status) => {
        if (this.#exchange !== undefined) this.#exchange.status = status;
      },
      onBody: (part) => this.#received(part),
      onEnd: (response) => this.#answered(response),
    });
    this.#socket = openSocket(target, (data) => this.#scan(data));
    this.#socket.on('error', (error) => this.#failed(error));
    this.#socket.on('close', () => this.#failed(new Error('the server closed the connection')));
  }

  /** The head of a request as bytes; made once, sent often. */
  head(request: RequestHead): string {
    const { host, port, basePath = '', token } = this.#target;
    return [
      `${request.method} ${basePath}${request.path} HTTP/1.1`,
      `host: ${host}:${port}`,
      `accept: ${request.accept ?? 'application/json'}`,
      ...(request.gzip === true ? ['accept-encoding: gzip'] : []),
      ...(request.contentType === undefined ? [] : [`content-type: ${request.contentType}`]),
      ...(token === undefined ? [] : [`authorization: Bearer ${token}`]),
      '',
    ].join('\r\n');
  }

  /**
   * Sends a head and a body, and waits for the answer.
   * @throws Error when the connection fails, or the answer is not 2xx
   */
  send(head: string, body = '', options: { readonly keepBody?: boolean; readonly onPart?: (part: Buffer) => void } = {}): Promise<Answer> {
    return new Promise((resolve, reject) => {
      if (this.#socket.destroyed) {
        reject(new Error('the connection is closed'));
        return;
      }
      this.#exchange = { keepBody: options.keepBody === true, onPart: options.onPart, resolve, reject, parts: [], status: 0 };
      this.#socket.write(body === '' ? `${head}\r\n` : `${head}content-length: ${body.length}\r\n\r\n${body}`, 'latin1');
    });
  }

  [Symbol.dispose](): void {
    this.#exchange = undefined;
    this.#socket.destroy();
  }

  #received(part: Buffer): void {
    const exchange = this.#exchange;
    if (exchange === undefined) return;
    if (exchange.keepBody || (exchange.status >= 300 && exchange.parts.length === 0)) exchange.parts.push(Buffer.from(part));
    exchange.onPart?.(part);
  }

  #answered(response: ScannedResponse): void {
    const exchange = this.#exchange;
    this.#exchange = undefined;
    if (exchange === undefined) return;
    const body = Buffer.concat(exchange.parts);
    if (response.status < 300) exchange.resolve({ ...response, body });
    else exchange.reject(new Error(`answered ${response.status}: ${body.toString('utf8', 0, keptOfError)}`));
  }

  #scan(data: Buffer): void {
    try {
      this.#scanner.push(data);
    } catch (error) {
      this.#socket.destroy(error as Error);
    }
  }

  #failed(error: Error): void {
    const exchange = this.#exchange;
    this.#exchange = undefined;
    exchange?.reject(error);
  }
}

/** All sockets of the process read into it: what is in it is used up before the next read. */
const received = Buffer.alloc(64 * 1024);

function openSocket({ host, port, tls }: Target, use: (data: Buffer) => void): Socket {
  // Past the stream of the socket, which would make a Buffer and a few events of every TLS record.
  const onread = {
    buffer: received,
    callback: (length: number): boolean => {
      use(received.subarray(0, length));
      return true;
    },
  };
  if (tls === undefined) return connectPlain({ host, port, onread });
  // Not given as a literal: Node's types do not know that TLS sockets take `onread`, too.
  const options = {
    host,
    port,
    onread,
    ALPNProtocols: ['http/1.1'],
    rejectUnauthorized: tls.insecure !== true,
    ...(tls.ca !== undefined && { ca: tls.ca }),
    ...(tls.cert !== undefined && { cert: tls.cert }),
    ...(tls.key !== undefined && { key: tls.key }),
    ...(tls.serverName !== undefined && { servername: tls.serverName }),
  };
  return connectTls(options);
}

export async function openConnections(target: Target, count: number): Promise<DisposableConnections> {
  // Not all at once: a listener's backlog is finite, and handshakes are the most expensive thing a server does.
  const connections: Connection[] = [];
  while (connections.length < count) {
    const missing = Math.min(20, count - connections.length);
    connections.push(...(await Promise.all(Array.from({ length: missing }, () => Connection.open(target)))));
  }
  return { connections, [Symbol.dispose]: () => connections.forEach((connection) => connection[Symbol.dispose]()) };
}

export interface DisposableConnections extends Disposable {
  readonly connections: readonly Connection[];
}
