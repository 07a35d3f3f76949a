import type { OutputStream } from '@arc/cli-kit';
import type { Clock } from '@arc/kernel';

const redrawMs = 100;

/** Shows on a terminal, in one line that is rewritten, how far something has come; writes nothing elsewhere. */
export interface CountingLine extends Disposable {
  show(phase: string, done: number, total?: number): void;
}

export function countingLine(output: OutputStream, clock: Clock): CountingLine {
  let last = Number.NEGATIVE_INFINITY;
  const rewrite = (text: string): void => output.write(`\r\u001B[K${text}`);
  return {
    show(phase, done, total) {
      if (!output.isTerminal || clock.now() - last < redrawMs) return;
      last = clock.now();
      rewrite(`${phase} ${done}${total === undefined ? '' : ` of ${total}`} objects`);
    },
    [Symbol.dispose]() {
      if (last !== Number.NEGATIVE_INFINITY) rewrite('');
      last = Number.NEGATIVE_INFINITY;
    },
  };
}
