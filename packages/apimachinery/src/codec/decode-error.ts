import { ArcError } from '@arc/kernel';

/** Text that is not JSON or YAML. Lines and columns count from 1; columns are in UTF-16 units. */
export class DecodeError extends ArcError {
  readonly line: number;
  readonly column: number;

  constructor(format: 'JSON' | 'YAML', what: string, position: { readonly line: number; readonly column: number }) {
    super(`Invalid${format}`, `invalid ${format} at line ${position.line}, column ${position.column}: ${what}`, {
      hint: `Correct the document at line ${position.line}.`,
    });
    this.line = position.line;
    this.column = position.column;
  }
}

/** Line and column of an offset into a text, both from 1. */
export function positionAt(text: string, offset: number): { line: number; column: number } {
  let line = 1;
  let start = 0;
  for (let at = text.indexOf('\n'); at >= 0 && at < offset; at = text.indexOf('\n', at + 1)) {
    line++;
    start = at + 1;
  }
  return { line, column: offset - start + 1 };
}

/** What a decoder returns: the value and the paths (`spec.foo`, `spec.items[0].x`) of keys that were given twice; the last one counts. */
export interface Decoded {
  readonly value: unknown;
  readonly duplicates: readonly string[];
}
