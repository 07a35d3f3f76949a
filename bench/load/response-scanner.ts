/** One HTTP/1.1 response as a load generator needs it: its status and how many bytes its body had. */
export interface ScannedResponse {
  readonly status: number;
  /** Of the body as sent, without the framing of chunks. */
  readonly bytes: number;
}

export interface ScannerEvents {
  readonly onHead?: (status: number) => void;
  readonly onBody?: (part: Buffer) => void;
  readonly onEnd: (response: ScannedResponse) => void;
}

type State = 'head' | 'body' | 'chunk-size' | 'chunk' | 'chunk-end' | 'trailer';

const headEnd = Buffer.from('\r\n\r\n');
const lineFeed = 0x0a;

/**
 * Finds the ends of responses in a stream of bytes, and does as little else as it can: a load generator that parses
 * what it receives measures itself. Knows Content-Length, chunked bodies, and answers without a body.
 */
export class ResponseScanner {
  readonly #events: ScannerEvents;
  #state: State = 'head';
  #pending = '';
  #head: Buffer = Buffer.alloc(0);
  #left = 0;
  #status = 0;
  #bytes = 0;

  constructor(events: ScannerEvents) {
    this.#events = events;
  }

  /** Keeps nothing of `data`, which may be overwritten afterwards. @throws Error when this is not HTTP/1.1 */
  push(data: Buffer): void {
    let at = 0;
    while (at < data.length) at = this.#step(data, at);
  }

  #step(data: Buffer, at: number): number {
    switch (this.#state) {
      case 'head':
        return this.#readHead(data, at);
      case 'body':
        return this.#readBody(data, at, () => this.#finish());
      case 'chunk':
        return this.#readBody(data, at, () => (this.#state = 'chunk-end'));
      case 'chunk-size':
        return this.#readLine(data, at, (line) => {
          this.#left = Number.parseInt(line, 16);
          if (Number.isNaN(this.#left)) throw new Error(`not the size of a chunk: ${JSON.stringify(line)}`);
          this.#state = this.#left === 0 ? 'trailer' : 'chunk';
        });
      case 'chunk-end':
        return this.#readLine(data, at, () => (this.#state = 'chunk-size'));
      case 'trailer':
        return this.#readLine(data, at, (line) => line === '' && this.#finish());
    }
  }

  #readHead(data: Buffer, at: number): number {
    const before = this.#head.length;
    const all = Buffer.concat([this.#head, data.subarray(at)]);
    const end = all.indexOf(headEnd);
    if (end < 0) {
      this.#head = all;
      return data.length;
    }
    this.#head = Buffer.alloc(0);
    this.#begin(all.toString('latin1', 0, end));
    return at + end + headEnd.length - before;
  }

  #begin(head: string): void {
    const status = /^HTTP\/1\.1 (\d{3})/.exec(head)?.[1];
    if (status === undefined) throw new Error(`not an HTTP/1.1 response: ${JSON.stringify(head.slice(0, 80))}`);
    this.#status = Number(status);
    this.#bytes = 0;
    this.#events.onHead?.(this.#status);
    if (/\r\ntransfer-encoding: *chunked/i.test(head)) {
      this.#state = 'chunk-size';
      return;
    }
    this.#left = Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? 0);
    if (this.#left === 0) this.#finish();
    else this.#state = 'body';
  }

  #readBody(data: Buffer, at: number, done: () => void): number {
    const end = Math.min(data.length, at + this.#left);
    this.#events.onBody?.(data.subarray(at, end));
    this.#bytes += end - at;
    this.#left -= end - at;
    if (this.#left === 0) done();
    return end;
  }

  #readLine(data: Buffer, at: number, use: (line: string) => void): number {
    const end = data.indexOf(lineFeed, at);
    if (end < 0) {
      this.#pending += data.toString('latin1', at);
      return data.length;
    }
    const line = (this.#pending + data.toString('latin1', at, end)).trimEnd();
    this.#pending = '';
    use(line);
    return end + 1;
  }

  #finish(): void {
    this.#state = 'head';
    this.#events.onEnd({ status: this.#status, bytes: this.#bytes });
  }
}
