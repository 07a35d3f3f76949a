import { systemClock } from '@arc/kernel';
import { openSides } from './artifact-sides.ts';
import { pairs } from './delivery/pairs.ts';
import { requireTypes, type WorkerEnvironment } from './environment.ts';
import { transferImage, verifiedSource } from './image-transfer.ts';
import { receiptOf } from './receipt.ts';
import { referrersFor } from './trust/enforce-policy.ts';
import { writeReceipt } from './write-receipt.ts';

/**
 * Copies the artifact, reporting as it goes, and writes the receipt. Where there is a verification policy nothing is pushed before the
 * artifact has satisfied it, and what is copied is the digest that was verified.
 */
export async function ociCopy(environment: WorkerEnvironment, write: (line: string) => void, signal: AbortSignal): Promise<void> {
  const startedAt = systemClock.now();
  requireTypes(environment, pairs.oci);
  using sides = await openSides(environment, write);
  const { artifact, source, destination, reference } = sides;
  write(
    `${environment.dryRun ? 'planning' : 'copying '}  ${source.name}${reference.includes(':') ? '@' : ':'}${reference} to ${destination.name}${artifact.tags.length === 0 ? '' : `, tagged ${artifact.tags.join(', ')}`}`,
  );
  const verified = await verifiedSource(sides, environment, write, signal);
  const { checks } = verified;
  const result = await transferImage(
    {
      ...{ source, reference: verified.reference, destination, tags: artifact.tags, platforms: artifact.platforms },
      ...{ referrers: referrersFor(checks, environment), onConflict: artifact.onConflict },
    },
    environment,
    { write, signal },
  );
  await writeReceipt(
    environment.receiptFile,
    receiptOf(sides, result, { checks, policy: verified.policy, startedAt, finishedAt: systemClock.now() }),
  );
}
