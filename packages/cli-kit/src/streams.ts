import { allowsColor } from './color.ts';
import type { ColorSettings } from './color.ts';

/** Where text goes. What the reader closed (`| head`) swallows further writes instead of failing. */
export interface OutputStream {
  write(chunk: string | Uint8Array): void;
  /** Resolves when what was written has been handed on; await it where much is written. */
  drained(): Promise<void>;
  readonly isTerminal: boolean;
  /** Columns of the terminal; 80 where it is not known. */
  readonly width: number;
  /** Lines of the terminal; 24 where it is not known. */
  readonly height: number;
  readonly hasColor: boolean;
  /** Aborts when the reader went away. */
  readonly closed: AbortSignal;
}

export interface InputStream extends AsyncIterable<Uint8Array> {
  readonly isTerminal: boolean;
}

/**
 * The only way a command talks to its caller: data goes to `stdout` and nothing else does; progress, hints and errors go
 * to `stderr`.
 */
export interface Streams {
  readonly stdin: InputStream;
  readonly stdout: OutputStream;
  readonly stderr: OutputStream;
}

/** What is used of a Node stream that may be a terminal. */
interface NodeOutput {
  write(chunk: string | Uint8Array): boolean;
  once(event: 'drain' | 'close', listener: () => void): unknown;
  on(event: 'error', listener: (error: Error) => void): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
  readonly writableNeedDrain: boolean;
}

interface NodeInput extends AsyncIterable<Uint8Array | string> {
  readonly isTTY?: boolean;
}

export interface StreamsSource {
  readonly stdin: NodeInput;
  readonly stdout: NodeOutput;
  readonly stderr: NodeOutput;
  /** The environment variables that decide about colour. */
  readonly environment: ColorSettings;
}

export function createStreams(source: StreamsSource): Streams {
  const { stdin, environment } = source;
  return {
    stdin: { isTerminal: stdin.isTTY === true, [Symbol.asyncIterator]: () => bytesOf(stdin) },
    stdout: outputOf(source.stdout, environment),
    stderr: outputOf(source.stderr, environment),
  };
}

async function* bytesOf(stdin: NodeInput): AsyncGenerator<Uint8Array> {
  for await (const chunk of stdin) yield typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
}

function outputOf(stream: NodeOutput, environment: ColorSettings): OutputStream {
  const closing = new AbortController();
  // EPIPE arrives as an event after the write; without a listener it would end the process with a stack trace.
  stream.on('error', (error) => closing.abort(error));
  const isTerminal = stream.isTTY === true;
  return {
    write(chunk) {
      if (!closing.signal.aborted) stream.write(chunk);
    },
    drained: () =>
      new Promise((resolve) => {
        if (closing.signal.aborted || !stream.writableNeedDrain) {
          resolve();
          return;
        }
        closing.signal.addEventListener('abort', () => resolve(), { once: true });
        stream.once('drain', resolve);
      }),
    isTerminal,
    get width() {
      return stream.columns ?? 80;
    },
    get height() {
      return stream.rows ?? 24;
    },
    hasColor: allowsColor(environment, isTerminal),
    closed: closing.signal,
  };
}

/** Reads a whole input as UTF-8 text. */
export async function readText(input: InputStream): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of input) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}
