import type { OutputStream } from '@arc/cli-kit';

export interface LineWriter {
  write(chunk: Uint8Array): void;
  /** Ends a last line that has no newline. */
  end(): void;
}

/** Writes whole lines, each after the prefix, so that several logs can share an output. Without prefix bytes pass as they come. */
export function createLineWriter(output: OutputStream, prefix: string): LineWriter {
  if (prefix === '') return { write: (chunk) => output.write(chunk), end: () => {} };
  const decoder = new TextDecoder();
  let rest = '';
  const writeLines = (text: string): void => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    if (lines.length > 0) output.write(lines.map((line) => `${prefix}${line}\n`).join(''));
  };
  return {
    write: (chunk) => writeLines(decoder.decode(chunk, { stream: true })),
    end() {
      writeLines(decoder.decode());
      if (rest !== '') output.write(`${prefix}${rest}\n`);
      rest = '';
    },
  };
}
