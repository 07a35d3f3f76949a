import type { OutputStream, Streams } from './streams.ts';

export interface MemoryOutput extends OutputStream {
  /** Everything written so far. */
  readonly text: string;
}

export interface MemoryStreamsOptions {
  readonly stdin?: string;
  readonly isTerminal?: boolean;
  readonly width?: number;
  readonly height?: number;
  readonly hasColor?: boolean;
  /** Told everything written to stdout so far, after each write: what a user would react to. */
  readonly onOutput?: (text: string) => void;
}

/** Streams that keep what is written, for tests of commands. */
export function memoryStreams(
  options: MemoryStreamsOptions = {},
): Streams & { readonly stdout: MemoryOutput; readonly stderr: MemoryOutput } {
  const { stdin = '', isTerminal = false } = options;
  return {
    stdin: {
      isTerminal,
      async *[Symbol.asyncIterator]() {
        yield Buffer.from(stdin);
      },
    },
    stdout: memoryOutput(options, options.onOutput),
    stderr: memoryOutput(options),
  };
}

function memoryOutput(options: MemoryStreamsOptions, onOutput?: (text: string) => void): MemoryOutput {
  const { isTerminal = false, width = 80, height = 24, hasColor = false } = options;
  let text = '';
  return {
    write(chunk) {
      text += typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString('utf8');
      onOutput?.(text);
    },
    drained: () => Promise.resolve(),
    isTerminal,
    width,
    height,
    hasColor,
    closed: new AbortController().signal,
    get text() {
      return text;
    },
  };
}
