import { systemClock } from '@arc/kernel';
import { copyArtifact } from '@arc/transfer';
import type { Check } from '@arc/trust';
import { openSides } from './artifact-sides.ts';
import { CopyLog } from './copy-log.ts';
import { requireTypes, type WorkerEnvironment } from './environment.ts';
import { ProgressFile } from './progress-file.ts';
import { receiptOf } from './receipt.ts';
import { enforcePolicy, noPolicy, referrersFor, resolveRoot } from './trust/enforce-policy.ts';
import { readPolicy } from './trust/trust-settings.ts';
import { writeReceipt } from './write-receipt.ts';

/**
 * Copies the artifact, reporting as it goes, and writes the receipt. Where there is a verification policy nothing is pushed before the
 * artifact has satisfied it, and what is copied is the digest that was verified.
 */
export async function ociCopy(environment: WorkerEnvironment, write: (line: string) => void, signal: AbortSignal): Promise<void> {
  const clock = systemClock;
  const startedAt = clock.now();
  requireTypes(environment, { source: ['oci'], destination: ['oci'] });
  using sides = await openSides(environment, write);
  const { artifact, source, destination } = sides;
  const policy = await readPolicy(environment);
  const log = new CopyLog(write, clock, environment);
  const progress = new ProgressFile(environment.progressFile, clock);
  let { reference } = sides;
  write(
    `${environment.dryRun ? 'planning' : 'copying '}  ${source.name}${reference.includes(':') ? '@' : ':'}${reference} to ${destination.name}${artifact.tags.length === 0 ? '' : `, tagged ${artifact.tags.join(', ')}`}`,
  );
  let checks: readonly Check[] = [noPolicy];
  if (policy !== undefined) {
    const root = await resolveRoot(source, reference, signal);
    reference = root.descriptor.digest;
    checks = await enforcePolicy(source, root, policy, {
      origin: 'source',
      source: source.name,
      platforms: artifact.platforms,
      signal,
      write,
    });
  }
  const result = await copyArtifact(source, reference, destination, {
    tags: artifact.tags,
    platforms: artifact.platforms,
    referrers: referrersFor(checks, environment),
    foreignLayers: environment.foreignLayers,
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
  await writeReceipt(
    environment.receiptFile,
    receiptOf(sides, result, { checks, policy: policy?.digest, startedAt, finishedAt: clock.now() }),
  );
}
