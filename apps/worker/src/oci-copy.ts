import { writeFile } from 'node:fs/promises';
import { ArcError, messageOf, systemClock } from '@arc/kernel';
import { copyArtifact } from '@arc/transfer';
import { openSides } from './artifact-sides.ts';
import { CopyLog } from './copy-log.ts';
import type { WorkerEnvironment } from './environment.ts';
import { ProgressFile } from './progress-file.ts';
import { receiptOf } from './receipt.ts';

/** Copies the artifact, reporting as it goes, and writes the receipt. */
export async function ociCopy(environment: WorkerEnvironment, write: (line: string) => void, signal: AbortSignal): Promise<void> {
  const clock = systemClock;
  const startedAt = clock.now();
  using sides = await openSides(environment, write);
  const { artifact, source, destination, reference } = sides;
  const log = new CopyLog(write, clock, environment.dryRun);
  const progress = new ProgressFile(environment.progressFile, clock);
  write(
    `${environment.dryRun ? 'planning' : 'copying '}  ${source.name}${reference.includes(':') ? '@' : ':'}${reference} to ${destination.name}${artifact.tags.length === 0 ? '' : `, tagged ${artifact.tags.join(', ')}`}`,
  );
  const result = await copyArtifact(source, reference, destination, {
    tags: artifact.tags,
    platforms: artifact.platforms,
    referrers: environment.referrers,
    onConflict: artifact.onConflict ?? environment.onConflict,
    dryRun: environment.dryRun,
    ...(environment.maxBytesPerSecond === 0 ? {} : { maxBytesPerSecond: environment.maxBytesPerSecond }),
    concurrency: environment.concurrency,
    signal,
    onEvent: (event) => {
      if (event.kind === 'progress') progress.update(event.doneBytes, event.totalBytes);
      log.event(event);
    },
  });
  progress.flush();
  log.done(result);
  if (environment.receiptFile !== undefined) {
    await writeReceipt(environment.receiptFile, JSON.stringify(receiptOf(sides, result, startedAt, clock.now())));
  }
}

async function writeReceipt(path: string, text: string): Promise<void> {
  try {
    await writeFile(path, `${text}\n`);
  } catch (error) {
    throw new ArcError('ReceiptNotWritten', `the copy is done, but its receipt cannot be written: ${messageOf(error)}`, {
      hint: 'Set ARC_RECEIPT_FILE to a path the step may write.',
      cause: error,
    });
  }
}
