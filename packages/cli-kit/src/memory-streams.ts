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
    stdout: memoryOutput(options),
    stderr: memoryOutput(options),
  };
}

function memoryOutput({ isTerminal = false, width = 80, height = 24, hasColor = false }: MemoryStreamsOptions): MemoryOutput {
  let text = '';
  return {
    write(chunk) {
      text += typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString('utf8');
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
