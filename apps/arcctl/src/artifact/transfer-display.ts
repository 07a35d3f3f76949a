import { createProgressDisplay, formatBytes, type ProgressItem } from '@arc/cli-kit';
import { type CopyEvent, type CopyResult, ProgressRecorder } from '@arc/transfer';
import { textOption } from '../command.ts';
import type { Invocation } from '../command.ts';

/** Shows on stderr how far copies are: as bars or lines for people, or one JSON object a line for programs. */
export interface TransferDisplay extends Disposable {
  event(label: string, event: CopyEvent): void;
  done(label: string): void;
}

export function transferDisplay(invocation: Invocation): TransferDisplay {
  const how = textOption(invocation, 'progress');
  if (how === 'json') return jsonDisplay(invocation);
  if (how === 'none') return { event: () => {}, done: () => {}, [Symbol.dispose]: () => {} };
  return textDisplay(invocation);
}

function jsonDisplay({ clock, streams }: Invocation): TransferDisplay {
  const recorders = new Map<string, ProgressRecorder>();
  const say = (record: object): void => streams.stderr.write(`${JSON.stringify(record)}\n`);
  return {
    event: (label, event) => {
      const recorder = recorders.get(label) ?? new ProgressRecorder(clock);
      recorders.set(label, recorder);
      const record = recorder.record(event);
      if (record !== undefined) say({ artifact: label, ...record });
    },
    done: (label) => say({ artifact: label, event: 'done' }),
    [Symbol.dispose]: () => {},
  };
}

function textDisplay({ clock, streams }: Invocation): TransferDisplay {
  const display = createProgressDisplay(streams.stderr, clock);
  const items = new Map<string, ProgressItem>();
  const set = (label: string, change: Partial<ProgressItem>): void => {
    const known = items.get(label) ?? { id: label, label, state: 'running' };
    items.set(label, { ...known, ...change });
    display.update([...items.values()]);
  };
  return {
    event: (label, event) => {
      if (event.kind === 'progress') set(label, { doneBytes: event.doneBytes, totalBytes: event.totalBytes });
      if (event.kind === 'retry') set(label, { step: 'waiting', message: event.reason });
      if (event.kind === 'warning') display.note(`warning: ${label}: ${event.message}`);
    },
    done: (label) => set(label, { state: 'succeeded' }),
    [Symbol.dispose]: () => display.finish(),
  };
}

/** One copy in words: what moved, what did not and why. */
export function summaryOf(label: string, result: CopyResult): string[] {
  const { blobs, bytes, kept, manifests, mapping, warnings, dryRun } = result;
  const skipped = bytes.total - bytes.copied;
  return [
    `${label}: ${dryRun ? 'would copy' : 'copied'} ${formatBytes(bytes.copied)} in ${count(blobs.copied, 'blob')} and ${count(manifests.copied, 'manifest')}${result.referrers > 0 ? `, ${count(result.referrers, 'referrer')} among them or there already` : ''}`,
    ...(blobs.present > 0
      ? [
          `  skipped ${formatBytes(skipped)} in ${count(blobs.present + blobs.mounted, 'blob')}: there already${blobs.mounted > 0 ? `, ${blobs.mounted} of them in another repository and mounted` : ''}`,
        ]
      : []),
    ...(result.foreignLayers > 0 ? [`  skipped ${count(result.foreignLayers, 'layer')}: marked as not to be distributed`] : []),
    ...kept.map(({ tag, digest }) => `  kept tag ${tag}: it stands for ${digest}`),
    ...mapping.map(({ from, to, why }) => `  ${from} became ${to}: ${why}`),
    ...warnings.map((warning) => `  warning: ${warning}`),
  ];
}

function count(amount: number, noun: string): string {
  return `${amount} ${noun}${amount === 1 ? '' : 's'}`;
}
