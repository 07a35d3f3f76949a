import { ArcError } from '@arc/kernel';
import { verifyArtifact } from '@arc/transfer';
import { openSides } from './artifact-sides.ts';
import { requireTypes, type WorkerEnvironment } from './environment.ts';
import { readReceipt } from './receipt.ts';

/**
 * Compares what the destination holds with the source: with the digest the copy resolved when its receipt is given (the
 * source's tag may have moved on since), else with what the source's tag stands for now.
 *
 * @throws ArcError `Mismatch`; CopyError when one side cannot be asked
 */
export async function ociVerify(environment: WorkerEnvironment, write: (line: string) => void, signal: AbortSignal): Promise<void> {
  requireTypes(environment, { source: ['oci'], destination: ['oci'] });
  using sides = await openSides(environment, write);
  const { artifact, source, destination } = sides;
  const receipt = environment.receiptJSON === undefined ? undefined : readReceipt(environment.receiptJSON);
  const tags = artifact.tags.filter((tag) => receipt?.kept.includes(`${destination.name}:${tag}`) !== true);
  const nothing =
    receipt?.dryRun === true ? 'it was a dry run' : artifact.tags.length > 0 && tags.length === 0 ? 'every tag was left alone' : '';
  if (nothing !== '') {
    write(`skipped      nothing was delivered that could be verified: ${nothing}`);
    return;
  }
  const reference = receipt?.sourceDigest ?? sides.reference;
  const result = await verifyArtifact(source, reference, destination, { tags, platforms: artifact.platforms, signal });
  const sourceName = `${source.name}${sides.reference.includes(':') ? '@' : ':'}${sides.reference}`;
  write(`source       ${sourceName} is ${result.source.digest}`);
  if (result.expected.digest !== result.source.digest) {
    write(`selected     ${artifact.platforms.join(', ')} is ${result.expected.digest}`);
  }
  for (const { reference: where, digest } of result.found) write(`destination  ${where} is ${digest ?? 'not there'}`);
  if (receipt !== undefined && receipt.destinationDigest !== result.expected.digest) {
    throw mismatch(`the receipt says ${receipt.destinationDigest}, the source gives ${result.expected.digest}`);
  }
  const [missing] = result.missing;
  if (missing !== undefined) throw mismatch(`${result.missing.length} of ${result.checked} parts are not there, the first is ${missing}`);
  const wrong = result.found.find(({ digest }) => digest !== result.expected.digest);
  if (wrong !== undefined) throw mismatch(`${wrong.reference} is ${wrong.digest ?? 'not there'}, not ${result.expected.digest}`);
  write(`verified     ${result.checked} manifests and blobs are there, the digests are equal`);
}

function mismatch(problem: string): ArcError {
  return new ArcError('Mismatch', `destination: verify: ${problem}`, {
    hint: 'Something else wrote to the destination, or removed from it: run the order again.',
  });
}
