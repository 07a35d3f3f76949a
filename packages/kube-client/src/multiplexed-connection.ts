import { connect, constants } from 'node:http2';
import type { ClientHttp2Session, ClientHttp2Stream } from 'node:http2';
import type { SecureContextOptions } from 'node:tls';
import type { Answer } from './answer.ts';
import { type ConnectionIdentity, identityOptions } from './client-certificate.ts';

/** What one answer may have on its way unread; the connection itself sets no limit, so that a slow reader holds up itself only. */
const streamWindow = 1024 * 1024;
const connectionWindow = 2 ** 30;
/** In MB. Beyond Node's default of 10 a connection refuses further requests, as if the other end were an enemy. */
const maxSessionMemory = 1000;

export interface MultiplexedConnectionOptions {
  readonly tls: SecureContextOptions;
  /** Another one than before makes another connection, and the one before ends with its last stream. */
  readonly identity: () => ConnectionIdentity;
}

/** Requests to one server that share one HTTP/2 connection, made when it is needed and again when it was lost. */
export class MultiplexedConnection implements Disposable {
  readonly #origin: string;
  readonly #options: MultiplexedConnectionOptions;
  readonly #sessions = new Set<ClientHttp2Session>();
  #session: ClientHttp2Session | undefined;
  #identity: ConnectionIdentity | undefined;

  constructor(origin: string, options: MultiplexedConnectionOptions) {
    this.#origin = origin;
    this.#options = options;
  }

  /** Starts a GET. A failure of the connection is an `error` of each stream. */
  get(
    path: string,
    headers: Readonly<Record<string, string | number>>,
    answered: (answer: Answer, body: ClientHttp2Stream) => void,
  ): ClientHttp2Stream {
    const stream = this.#open().request({ ':path': path, ...headers });
    let hasAnswer = false;
    stream.once('response', ({ ':status': statusCode, ...received }) => {
      hasAnswer = true;
      const answer: Answer = {
        statusCode,
        headers: received,
        destroy: (error) => stream.destroy(error),
        [Symbol.asyncIterator]: () => bodyOf(stream),
      };
      answered(answer, stream);
    });
    // A peer that cancels a stream ends it without an error.
    stream.once('close', () => {
      if (!hasAnswer && stream.errored === null) stream.emit('error', reset());
    });
    return stream;
  }

  [Symbol.dispose](): void {
    for (const session of this.#sessions) session.destroy();
    this.#session = undefined;
  }

  #open(): ClientHttp2Session {
    const { tls } = this.#options;
    const identity = this.#options.identity();
    const known = this.#session;
    if (known !== undefined && !known.closed && !known.destroyed) {
      if (identity.certificate === this.#identity?.certificate && identity.caPem === this.#identity?.caPem) return known;
      known.close();
    }
    const session = connect(this.#origin, {
      ...tls,
      ...identityOptions(identity),
      maxSessionMemory,
      settings: { enablePush: false, initialWindowSize: streamWindow },
    });
    const forget = (): void => {
      if (this.#session === session) this.#session = undefined;
    };
    session.once('connect', () => session.setLocalWindowSize(connectionWindow));
    session.on('goaway', forget);
    session.on('error', forget);
    session.on('close', () => {
      forget();
      this.#sessions.delete(session);
    });
    this.#sessions.add(session);
    this.#session = session;
    this.#identity = identity;
    return session;
  }
}

/** A lost connection ends a stream as the end of its answer does; only the code tells them apart. */
async function* bodyOf(stream: ClientHttp2Stream): AsyncGenerator<Uint8Array> {
  for await (const chunk of stream as AsyncIterable<Uint8Array>) yield chunk;
  if (stream.rstCode !== constants.NGHTTP2_NO_ERROR) throw reset();
}

function reset(): Error {
  return Object.assign(new Error('the stream was closed before its end'), { code: 'ECONNRESET' });
}
