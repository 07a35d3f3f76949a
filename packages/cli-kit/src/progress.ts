import type { Clock } from '@arc/kernel';
import { styleFor } from './color.ts';
import { itemLine, plainLine, summaryLine } from './progress-lines.ts';
import type { OutputStream } from './streams.ts';
import { createTransferRate } from './transfer-rate.ts';
import type { TransferRate } from './transfer-rate.ts';

export type ProgressState = 'waiting' | 'running' | 'succeeded' | 'failed';

/** One thing that is being worked on. */
export interface ProgressItem {
  /** Identifies the item between updates. */
  readonly id: string;
  readonly label: string;
  readonly state: ProgressState;
  /** What is being done right now, one or two words. */
  readonly step?: string;
  readonly doneBytes?: number;
  /** 0 or absent: not known. */
  readonly totalBytes?: number;
  /** Why it waits or failed. */
  readonly message?: string;
}

export interface MeasuredItem extends ProgressItem {
  readonly bytesPerSecond: number | undefined;
}

/** Shows many items at once. On a terminal they are redrawn in place; elsewhere a line is written when one changes. */
export interface ProgressDisplay extends Disposable {
  /** Replaces the items shown. Cheap: drawing is throttled. */
  update(items: readonly ProgressItem[]): void;
  /** Writes a line that stays, above the items. */
  note(text: string): void;
  /** Draws the last state and leaves it standing. */
  finish(): void;
}

const redrawMs = 100;
/** How often an item that only moves bytes is mentioned where nothing can be redrawn. */
const plainIntervalMs = 5000;

export function createProgressDisplay(output: OutputStream, clock: Clock): ProgressDisplay {
  return output.isTerminal ? liveDisplay(output, clock) : plainDisplay(output, clock);
}

function measurer(clock: Clock): (items: readonly ProgressItem[]) => MeasuredItem[] {
  const rates = new Map<string, TransferRate>();
  return (items) =>
    items.map((item) => {
      let rate = rates.get(item.id);
      if (rate === undefined) rates.set(item.id, (rate = createTransferRate()));
      if (item.doneBytes !== undefined) rate.observe(item.doneBytes, clock.now());
      return { ...item, bytesPerSecond: item.state === 'running' ? rate.bytesPerSecond : undefined };
    });
}

function liveDisplay(output: OutputStream, clock: Clock): ProgressDisplay {
  const measure = measurer(clock);
  const style = styleFor(output);
  let items: MeasuredItem[] = [];
  let drawnLines = 0;
  let lastDraw = Number.NEGATIVE_INFINITY;
  let pending: Disposable | undefined;

  const erase = (): string => (drawnLines === 0 ? '' : `\u001B[${drawnLines}A\r\u001B[J`);
  const draw = (above = ''): void => {
    pending?.[Symbol.dispose]();
    pending = undefined;
    lastDraw = clock.now();
    // A line as wide as the terminal would wrap in some and break counting lines.
    const width = Math.max(16, output.width - 1);
    const shown = mostTelling(items, Math.max(1, output.height - 3));
    const lines = shown.map((item) => itemLine(item, width, style));
    if (items.length > 1) lines.push(summaryLine(items, width, style));
    output.write(`${erase()}${above}${lines.map((line) => `${line}\n`).join('')}`);
    drawnLines = lines.length;
  };
  const finish = (): void => {
    if (pending !== undefined) draw();
    drawnLines = 0;
  };
  return {
    update(next) {
      items = measure(next);
      const wait = lastDraw + redrawMs - clock.now();
      if (wait <= 0) draw();
      else pending ??= clock.after(wait, () => draw());
    },
    note: (text) => draw(`${text}\n`),
    finish,
    [Symbol.dispose]: finish,
  };
}

const importance: Readonly<Record<ProgressState, number>> = { failed: 0, running: 1, waiting: 2, succeeded: 3 };

/** Keeps the order of the items, leaving out the least telling ones when there is no room for all. */
function mostTelling(items: readonly MeasuredItem[], room: number): MeasuredItem[] {
  if (items.length <= room) return [...items];
  const chosen = new Set(items.toSorted((a, b) => importance[a.state] - importance[b.state]).slice(0, room));
  return items.filter((item) => chosen.has(item));
}

function plainDisplay(output: OutputStream, clock: Clock): ProgressDisplay {
  const measure = measurer(clock);
  const mentioned = new Map<string, { readonly key: string; readonly at: number; readonly doneBytes: number | undefined }>();
  return {
    update(items) {
      for (const item of measure(items)) {
        const last = mentioned.get(item.id);
        const key = [item.state, item.step, item.message].join('\0');
        const isStale = last !== undefined && clock.now() - last.at >= plainIntervalMs && item.doneBytes !== last.doneBytes;
        if (last?.key === key && !(isStale && item.state === 'running')) continue;
        mentioned.set(item.id, { key, at: clock.now(), doneBytes: item.doneBytes });
        output.write(`${plainLine(item)}\n`);
      }
    },
    note: (text) => output.write(`${text}\n`),
    finish: () => {},
    [Symbol.dispose]: () => {},
  };
}
