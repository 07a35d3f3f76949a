import { systemClock } from '@arc/kernel';
import { attribute, openEndpoint, parseEndpointURL } from '@arc/transfer';
import { openSides } from '../artifact-sides.ts';
import { pairs } from '../delivery/pairs.ts';
import { requireTypes, type WorkerEnvironment } from '../environment.ts';
import { transferImage, verifiedSource } from '../image-transfer.ts';
import { ociCopy } from '../oci-copy.ts';
import { receiptOf } from '../receipt.ts';
import { referrersFor } from '../trust/enforce-policy.ts';
import { writeReceipt } from '../write-receipt.ts';
import { emptyWorkDirectory, stagedTag } from './work-directory.ts';

/**
 * Checks the source by the policy and brings exactly that, with what lies beside it, into an OCI layout, to be scanned there. A dry run
 * says instead what would be pushed.
 */
export async function ociFetch(environment: WorkerEnvironment, write: (line: string) => void, signal: AbortSignal): Promise<void> {
  if (environment.dryRun) return ociCopy(environment, write, signal);
  const startedAt = systemClock.now();
  requireTypes(environment, pairs.oci);
  using sides = await openSides(environment, write);
  const { artifact, source, reference } = sides;
  const directory = await emptyWorkDirectory(environment);
  const destination = await attribute('destination', 'open', directory.artifact, signal, () =>
    openEndpoint(parseEndpointURL(environment.workDirectory)).destination('artifact'),
  );
  write(`fetching  ${source.name}${reference.includes(':') ? '@' : ':'}${reference} to ${directory.artifact}`);
  const verified = await verifiedSource(sides, environment, write, signal);
  const { checks, policy } = verified;
  const result = await transferImage(
    {
      ...{ source, reference: verified.reference, destination },
      ...{ tags: [stagedTag], platforms: artifact.platforms, referrers: referrersFor(checks, environment) },
    },
    environment,
    { write, signal },
  );
  const finish = { checks, policy, startedAt, finishedAt: systemClock.now() };
  await writeReceipt(environment.receiptFile, receiptOf({ ...sides, destination }, result, finish));
}
