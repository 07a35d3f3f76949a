import { formatAge, systemClock } from '@arc/kernel';
import type { Clock } from '@arc/kernel';
import type { OutputStream } from './streams.ts';
import { displayWidth, escapeControls, padEnd } from './text.ts';

/** The columns of a server-side Table (`columnDefinitions`); what a command lays out itself has the same shape. */
export interface TableColumn {
  readonly name: string;
  /** `date` cells holding an RFC 3339 time print as an age. */
  readonly type?: string;
  /** Above 0: only with `wide`. */
  readonly priority?: number;
}

export interface TableOptions {
  readonly wide?: boolean;
  readonly headers?: boolean;
  readonly clock?: Clock;
}

export interface TablePrinter {
  /** Prints rows, once preceded by the headers. Column widths are kept and only grow, so that a watch stays aligned. */
  print(rows: readonly (readonly unknown[])[]): void;
}

// kubectl's layout: at least 6 wide, 3 apart, the last column not padded.
const minimumWidth = 6;
const gap = 3;

export function createTablePrinter(output: OutputStream, columns: readonly TableColumn[], options: TableOptions = {}): TablePrinter {
  const { wide = false, headers = true, clock = systemClock } = options;
  const shown = columns.flatMap((column, index) => (wide || (column.priority ?? 0) === 0 ? [{ column, index }] : []));
  const widths = shown.map(() => minimumWidth);
  let isFirst = true;
  return {
    print(rows) {
      const lines = rows.map((cells) => shown.map(({ column, index }) => cellText(cells[index], column, clock)));
      if (isFirst && headers) lines.unshift(shown.map(({ column }) => column.name.toUpperCase()));
      isFirst = false;
      for (const line of lines) {
        for (const [at, text] of line.entries()) widths[at] = Math.max(widths[at] ?? 0, displayWidth(text) + gap);
      }
      const text = lines.map(
        (line) => `${line.map((cell, at) => (at === line.length - 1 ? cell : padEnd(cell, widths[at] ?? 0))).join('')}\n`,
      );
      output.write(text.join(''));
    },
  };
}

function cellText(cell: unknown, column: TableColumn, clock: Clock): string {
  if (cell === undefined || cell === null) return column.type === 'date' ? '<unknown>' : '<none>';
  const text = typeof cell === 'object' ? JSON.stringify(cell) : String(cell);
  if (column.type === 'date' && /^\d{4}-\d\d-\d\dT/.test(text)) {
    const time = Date.parse(text);
    return Number.isNaN(time) ? '<invalid>' : formatAge(clock.now() - time);
  }
  const end = text.search(/[\f\n\r]/);
  return escapeControls(end < 0 ? text : `${text.slice(0, end)}...`);
}
