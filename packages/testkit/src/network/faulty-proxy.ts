import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/**
 * What happens to a chunk that is cut:
 * - `unsent`: it never reaches the server, and the connection ends;
 * - `unanswered`: the server gets it, and its answer is lost with the connection;
 * - `late`: the client loses its connection, and the server gets the chunk when `deliver` is called.
 */
export type Cut = 'unsent' | 'unanswered' | 'late';

/** A TCP proxy on loopback in front of one server, which does to connections what networks do. Passes everything at first. */
export interface FaultyProxy extends AsyncDisposable {
  readonly port: number;
  /** `127.0.0.1:PORT` */
  readonly host: string;
  /** Cuts one connection at the next chunk from a client that holds `marker`. */
  cutNext(cut: Cut, marker: string): void;
  /** Answers the next chunk from a client that holds `marker` in the server's place. */
  answerNext(marker: string, answer: Uint8Array): void;
  /** Hands the server what `late` held back; resolves with what it answers, which is nothing when it has closed the connection. */
  deliver(): Promise<string>;
  /** From now on every chunk waits this long on its way to the server. */
  delay(ms: number): void;
  /** From now on nothing reaches the client, the server, or either; connections stay, and new ones are taken. */
  withhold(from: 'client' | 'server' | 'both'): void;
  /** Lets pass what was withheld, and whatever follows. */
  release(): void;
  /** Cuts all connections, with what was withheld on them; new ones are passed on. */
  cut(): void;
  /** Cuts all connections and, until set to false again, each new one. */
  setDown(down: boolean): void;
}

export async function startFaultyProxy(target: { readonly host: string; readonly port: number }): Promise<FaultyProxy> {
  const links = new Set<Link>();
  let nextCut: { readonly cut: Cut; readonly marker: string } | undefined;
  let nextAnswer: { readonly marker: string; readonly answer: Uint8Array } | undefined;
  let late: { readonly upstream: Socket; readonly bytes: Buffer } | undefined;
  let delayMs = 0;
  let withheld: 'client' | 'server' | 'both' | undefined;
  let down = false;

  const isWithheld = (from: 'client' | 'server'): boolean => withheld === from || withheld === 'both';
  const cutAll = (): void => {
    for (const link of links) link.end();
  };

  const server = createServer((client) => {
    client.on('error', () => {});
    if (down) {
      client.destroy();
      return;
    }
    const upstream = connect(target.port, target.host);
    upstream.on('error', () => {});
    const toServer = new Lane(upstream, isWithheld('server'));
    const toClient = new Lane(client, isWithheld('client'));
    let answers = true;
    const link: Link = {
      hold: () => {
        toServer.hold(isWithheld('server'));
        toClient.hold(isWithheld('client'));
      },
      end: () => {
        client.destroy();
        if (late?.upstream !== upstream) upstream.destroy();
      },
    };
    links.add(link);
    for (const socket of [client, upstream]) {
      socket.setNoDelay(true);
      socket.on('close', () => {
        links.delete(link);
        link.end();
      });
    }
    upstream.on('data', (bytes) => {
      if (answers) toClient.push(bytes, 0);
      else client.destroy();
    });
    client.on('data', (bytes) => {
      if (nextAnswer !== undefined && bytes.includes(nextAnswer.marker)) {
        client.write(nextAnswer.answer);
        nextAnswer = undefined;
        return;
      }
      const cut = nextCut !== undefined && bytes.includes(nextCut.marker) ? nextCut.cut : undefined;
      if (cut !== undefined) nextCut = undefined;
      if (cut === undefined || cut === 'unanswered') toServer.push(bytes, delayMs);
      if (cut === 'unanswered') answers = false;
      if (cut === 'late') late = { upstream, bytes };
      if (cut === 'late' || cut === 'unsent') client.destroy();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;

  return {
    port,
    host: `127.0.0.1:${port}`,
    cutNext: (cut, marker) => (nextCut = { cut, marker }),
    answerNext: (marker, answer) => (nextAnswer = { marker, answer }),
    async deliver() {
      if (late === undefined) throw new Error('nothing is held back');
      const { upstream, bytes } = late;
      late = undefined;
      const answered = Promise.race([once(upstream, 'data'), once(upstream, 'close').then((): readonly Buffer[] => [])]);
      upstream.write(bytes);
      const [answer] = (await answered) as readonly Buffer[];
      upstream.destroy();
      return answer?.toString('latin1') ?? '';
    },
    delay: (ms) => (delayMs = ms),
    withhold(from) {
      withheld = from;
      for (const link of links) link.hold();
    },
    release() {
      withheld = undefined;
      for (const link of links) link.hold();
    },
    cut() {
      withheld = undefined;
      cutAll();
    },
    setDown(value) {
      down = value;
      if (down) cutAll();
    },
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close');
      server.close();
      late?.upstream.destroy();
      cutAll();
      await closed;
    },
  };
}

/** One connection through the proxy. */
interface Link {
  /** Follows what is withheld now. */
  hold(): void;
  end(): void;
}

/** One direction of a connection: chunks in order, each after its delay, none while it is held. */
class Lane {
  readonly #to: Socket;
  #waiting: { readonly bytes: Buffer; readonly due: number }[] = [];
  #held: boolean;
  #timer: NodeJS.Timeout | undefined;

  constructor(to: Socket, held: boolean) {
    this.#to = to;
    this.#held = held;
    to.on('close', () => clearTimeout(this.#timer));
  }

  push(bytes: Buffer, delayMs: number): void {
    this.#waiting.push({ bytes, due: performance.now() + delayMs });
    this.#flush();
  }

  hold(held: boolean): void {
    this.#held = held;
    this.#flush();
  }

  #flush(): void {
    clearTimeout(this.#timer);
    if (this.#held || this.#to.destroyed) return;
    for (let first = this.#waiting[0]; first !== undefined; first = this.#waiting[0]) {
      const wait = first.due - performance.now();
      if (wait > 0) {
        this.#timer = setTimeout(() => this.#flush(), wait);
        return;
      }
      this.#waiting.shift();
      this.#to.write(first.bytes);
    }
  }
}
