import { systemClock } from '@arc/kernel';
import { attribute, openEndpoint, parseEndpointURL } from '@arc/transfer';
import { openSides } from '../artifact-sides.ts';
import { pairs } from '../delivery/pairs.ts';
import { requireTypes, type WorkerEnvironment } from '../environment.ts';
import { transferImage } from '../image-transfer.ts';
import { readReceipt, type Receipt, receiptOf } from '../receipt.ts';
import { referrersFor } from '../trust/enforce-policy.ts';
import { writeReceipt } from '../write-receipt.ts';
import { scanCheck } from './work-directory.ts';

/**
 * Pushes exactly the digest that was fetched, from the layout that was scanned: whatever its index.json says by now, and every byte is
 * compared with its digest. The scan's verdict joins the checks of the receipt.
 *
 * @throws ArcError `NotScanned` before anything is pushed; CopyError
 */
export async function ociPush(environment: WorkerEnvironment, write: (line: string) => void, signal: AbortSignal): Promise<void> {
  requireTypes(environment, pairs.oci);
  const fetched = readReceipt(environment.receiptJSON ?? '');
  const scan = await scanCheck(fetched.destination.digest, { ...environment, dryRun: fetched.dryRun }, write);
  const checks = [...fetched.checks, scan];
  if (fetched.dryRun) return writeReceipt(environment.receiptFile, { ...fetched, checks });
  using sides = await openSides(environment, write);
  const { artifact, destination } = sides;
  const source = await attribute('source', 'open', environment.workDirectory, signal, () =>
    openEndpoint(parseEndpointURL(environment.workDirectory)).source('artifact'),
  );
  const { digest } = fetched.destination;
  write(`pushing   ${digest} to ${destination.name}${artifact.tags.length === 0 ? '' : `, tagged ${artifact.tags.join(', ')}`}`);
  const result = await transferImage(
    {
      ...{ source, reference: digest, destination, tags: artifact.tags, platforms: [] },
      ...{ referrers: referrersFor(fetched.checks, environment), onConflict: artifact.onConflict },
    },
    environment,
    { write, signal },
  );
  const pushed = receiptOf(sides, result, { checks, policy: fetched.policy, startedAt: 0, finishedAt: systemClock.now() });
  const { source: origin, rewritten, mapping, platforms, startedAt } = fetched;
  const receipt: Receipt = {
    ...pushed,
    ...{ source: origin, rewritten, platforms, startedAt, ...(mapping === undefined ? {} : { mapping }) },
    warnings: [...fetched.warnings, ...pushed.warnings].slice(0, 20),
  };
  await writeReceipt(environment.receiptFile, receipt);
}
