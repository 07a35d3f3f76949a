import type { Clock } from '@arc/kernel';
import { type BlobOutcome, type CopyEvent, type CopyResult, ProgressRecorder } from '@arc/transfer';
import { formatBytes, formatRate, shortDigest } from './byte-text.ts';

const intervalMs = 2000;

/**
 * Turns the events of a copy into lines a person can follow: one a blob, manifest and tag, and now and then how far it is; or into
 * JSON objects, one a line, for programs.
 */
export class CopyLog {
  readonly #write: (line: string) => void;
  readonly #clock: Clock;
  readonly #dryRun: boolean;
  readonly #startedAt: number;
  readonly #recorder: ProgressRecorder | undefined;
  #saidAt: number;

  /** After a dry run nothing is claimed to have been copied. */
  constructor(
    write: (line: string) => void,
    clock: Clock,
    options: { readonly dryRun?: boolean; readonly progressFormat?: 'text' | 'json' } = {},
  ) {
    const { dryRun = false, progressFormat = 'text' } = options;
    this.#recorder = progressFormat === 'json' ? new ProgressRecorder(clock) : undefined;
    this.#write = write;
    this.#dryRun = dryRun;
    this.#clock = clock;
    this.#startedAt = clock.now();
    this.#saidAt = this.#startedAt;
  }

  event(event: CopyEvent): void {
    if (this.#recorder !== undefined) {
      const record = this.#recorder.record(event);
      if (record !== undefined) this.#write(JSON.stringify(record));
      return;
    }
    switch (event.kind) {
      case 'resolved':
        return this.#write(`resolved  ${event.reference} is ${event.digest}`);
      case 'planned':
        return this.#write(
          `planned   ${count(event.manifests, 'manifest')}, ${count(event.blobs, 'blob')}, ${formatBytes(event.totalBytes)}`,
        );
      case 'blob':
        return this.#write(
          `${this.#word(event.outcome)} blob ${shortDigest(event.digest)} ${formatBytes(event.size)}${event.outcome === 'present' ? ', already there' : ''}`,
        );
      case 'manifest':
        return this.#write(
          `${this.#word(event.outcome)} manifest ${shortDigest(event.digest)}${event.outcome === 'present' ? ', already there with all it names' : ''}`,
        );
      case 'tagged':
        return this.#write(`tagged    ${event.reference} is ${event.digest}`);
      case 'kept':
        return this.#write(`kept      ${event.reference} stays ${event.digest}`);
      case 'retry':
        return this.#write(`waiting   ${(event.delayMs / 1000).toFixed(1)} s, then again: ${event.operation} (${event.reason})`);
      case 'warning':
        return this.#write(`warning   ${event.message}`);
      case 'progress':
        return this.#progress(event.doneBytes, event.totalBytes);
    }
  }

  done(result: CopyResult): void {
    const ms = this.#clock.now() - this.#startedAt;
    if (this.#recorder !== undefined) {
      this.#write(JSON.stringify({ event: 'done', tookMs: ms, ...result }));
      return;
    }
    const { blobs, bytes } = result;
    const parts = [`${blobs.copied} copied`, `${blobs.present} already there`, ...(blobs.mounted > 0 ? [`${blobs.mounted} mounted`] : [])];
    if (this.#dryRun) {
      const { copied, present } = result.blobs;
      this.#write(
        `plan      ${count(copied, 'blob')} to copy (${formatBytes(bytes.copied)}), ${present} already there; nothing was written`,
      );
      return;
    }
    this.#write(
      `done      ${count(blobs.copied + blobs.present + blobs.mounted, 'blob')} (${parts.join(', ')}), ${formatBytes(bytes.copied)} in ${(ms / 1000).toFixed(1)} s (${formatRate(bytes.copied, ms)})`,
    );
  }

  #word(outcome: BlobOutcome): string {
    return this.#dryRun && outcome !== 'present' ? 'would copy' : blobWord[outcome];
  }

  #progress(doneBytes: number, totalBytes: number): void {
    const now = this.#clock.now();
    if (now - this.#saidAt < intervalMs || totalBytes === 0) return;
    this.#saidAt = now;
    const percent = Math.floor((doneBytes * 100) / totalBytes);
    this.#write(
      `progress  ${percent}%, ${formatBytes(doneBytes)} of ${formatBytes(totalBytes)}, ${formatRate(doneBytes, now - this.#startedAt)}`,
    );
  }
}

const blobWord = { copied: 'copied   ', present: 'skipped  ', mounted: 'mounted  ' } as const;

function count(amount: number, noun: string): string {
  return `${amount} ${noun}${amount === 1 ? '' : 's'}`;
}
