import type { Style } from './color.ts';
import type { MeasuredItem, ProgressState } from './progress.ts';
import { displayWidth, escapeControls, formatBytes, padEnd, padStart, truncate } from './text.ts';

const symbols: Readonly<Record<ProgressState, string>> = { waiting: '·', running: '>', succeeded: '✓', failed: '✗' };
const words: Readonly<Record<ProgressState, string>> = { waiting: 'waiting', running: 'running', succeeded: 'done', failed: 'failed' };

interface Layout {
  readonly label: number;
  /** 0: no bar. */
  readonly bar: number;
  /** 0: no amounts. */
  readonly amount: number;
}

function layoutFor(width: number): Layout {
  if (width >= 110) return { label: 32, bar: 20, amount: 29 };
  return width >= 72 ? { label: 18, bar: 10, amount: 29 } : { label: Math.max(8, Math.floor(width / 2) - 8), bar: 0, amount: 0 };
}

/** One line of the live display: symbol, label, bar and percent, bytes, rate, step or message. Never wider than `width`; what failed gets its room for the reason. */
export function itemLine(item: MeasuredItem, width: number, style: Style): string {
  const layout = layoutFor(width);
  const label = padEnd(truncate(clean(item.label), layout.label), layout.label);
  const columns = item.state === 'failed' ? [label] : [label, ...measures(item, layout, style)];
  const used = 2 + columns.reduce((sum, column) => sum + displayWidth(column) + 1, 0);
  const remark = truncate(clean(remarkOf(item)), Math.max(0, width - used));
  return `${colored(item.state, style)(symbols[item.state])} ${columns.join(' ')} ${remark}`.trimEnd();
}

function measures(item: MeasuredItem, { bar, amount }: Layout, style: Style): string[] {
  return [
    ...(bar > 0 ? [barOf(item, bar, style)] : []),
    padStart(percentText(item), 4),
    ...(amount > 0 ? [padEnd(truncate(amountText(item), amount), amount)] : []),
  ];
}

/** The last line of the live display: how many are done and what all of them move together. */
export function summaryLine(items: readonly MeasuredItem[], width: number, style: Style): string {
  const count = (state: ProgressState): number => items.filter((item) => item.state === state).length;
  const total = items.reduce((sum, item) => sum + (item.totalBytes ?? 0), 0);
  const done = items.reduce((sum, item) => sum + (item.doneBytes ?? 0), 0);
  const rate = items.reduce((sum, item) => sum + (item.bytesPerSecond ?? 0), 0);
  const parts = [
    `${count('succeeded')} of ${items.length} done`,
    ...(count('failed') > 0 ? [`${count('failed')} failed`] : []),
    ...(count('running') > 0 ? [`${count('running')} running`] : []),
    ...(total > 0 ? [`${formatBytes(done)} of ${formatBytes(total)}`] : []),
    ...(rate > 0 ? [`${formatBytes(rate)}/s`] : []),
  ];
  return style.dim(truncate(`  ${parts.join(', ')}`, width));
}

/** The same in words, for where nothing can be redrawn. */
export function plainLine(item: MeasuredItem): string {
  const amount = [percentText(item).trim(), amountText(item)].filter((part) => part !== '').join(' ');
  const parts = [words[item.state], ...(amount === '' ? [] : [amount]), ...(remarkOf(item) === '' ? [] : [remarkOf(item)])];
  return `${clean(item.label)}: ${clean(parts.join(', '))}`;
}

function clean(text: string): string {
  return escapeControls(text.replaceAll(/\s+/g, ' '));
}

function remarkOf(item: MeasuredItem): string {
  const remarks = item.state === 'succeeded' ? [item.message] : [item.step, item.message];
  return remarks.filter((part) => part !== undefined && part !== '').join(': ');
}

function colored(state: ProgressState, style: Style): (text: string) => string {
  return { waiting: style.dim, running: style.cyan, succeeded: style.green, failed: style.red }[state];
}

function fractionOf({ state, doneBytes = 0, totalBytes = 0 }: MeasuredItem): number | undefined {
  if (state === 'succeeded') return 1;
  return totalBytes > 0 ? Math.min(1, doneBytes / totalBytes) : undefined;
}

function percentText(item: MeasuredItem): string {
  const fraction = item.totalBytes === undefined ? undefined : fractionOf(item);
  // 100 % is said only of what is complete.
  return fraction === undefined ? '' : `${Math.floor(fraction * 100)}%`;
}

function barOf(item: MeasuredItem, width: number, style: Style): string {
  const filled = Math.floor((fractionOf(item) ?? 0) * (width - 2));
  return `[${colored(item.state, style)('='.repeat(filled))}${' '.repeat(width - 2 - filled)}]`;
}

function amountText({ doneBytes, totalBytes = 0, bytesPerSecond }: MeasuredItem): string {
  if (doneBytes === undefined) return '';
  const amount = totalBytes > 0 ? `${formatBytes(doneBytes)} of ${formatBytes(totalBytes)}` : formatBytes(doneBytes);
  return bytesPerSecond === undefined || bytesPerSecond === 0 ? amount : `${amount} ${formatBytes(bytesPerSecond)}/s`;
}
