import { systemClock } from '@arc/kernel';
import { type Manifest, verifyArtifact, type VerifyResult } from '@arc/transfer';
import type { Check } from '@arc/trust';
import { type ArtifactSides, openSides } from './artifact-sides.ts';
import { pairs } from './delivery/pairs.ts';
import { mismatch } from './mismatch.ts';
import { requireTypes, type WorkerEnvironment } from './environment.ts';
import { readReceipt, type Receipt } from './receipt.ts';
import { attestInRegistry, deliveredManifest, predicateOf } from './trust/attest-delivery.ts';
import { enforcePolicy, noPolicy, requireSamePolicy } from './trust/enforce-policy.ts';
import { readPolicy } from './trust/trust-settings.ts';
import { writeReceipt } from './write-receipt.ts';

/**
 * Compares what the destination holds with the source: with the digest the copy resolved when its receipt is given (the
 * source's tag may have moved on since), else with what the source's tag stands for now. Then looks whether the evidence that the policy
 * demands has arrived, too, and signs and attaches the receipt where a key is configured.
 *
 * @throws ArcError `Mismatch`, `PolicyViolation`; CopyError when one side cannot be asked
 */
export async function ociVerify(environment: WorkerEnvironment, write: (line: string) => void, signal: AbortSignal): Promise<void> {
  const startedAt = systemClock.now();
  requireTypes(environment, pairs.oci);
  using sides = await openSides(environment, write);
  const { artifact, destination } = sides;
  const receipt = environment.receiptJSON === undefined ? undefined : readReceipt(environment.receiptJSON);
  const tags = artifact.tags.filter((tag) => receipt?.kept.some(({ reference }) => reference === `${destination.name}:${tag}`) !== true);
  const nothing =
    receipt?.dryRun === true ? 'it was a dry run' : artifact.tags.length > 0 && tags.length === 0 ? 'every tag was left alone' : '';
  if (nothing !== '') {
    write(`skipped      nothing was delivered that could be verified: ${nothing}`);
    await writeReceipt(environment.receiptFile, receipt ?? {});
    return;
  }
  const compared = await compare(sides, receipt, tags, write, signal);
  const content: Check = {
    name: 'content',
    result: 'passed',
    detail: `${compared.checked} manifests and blobs are there, the digests are equal`,
  };
  let read: Promise<Manifest> | undefined;
  const readRoot = (): Promise<Manifest> => (read ??= deliveredManifest(destination, compared.expected.digest, signal));
  const arrived = await verifyArrived(sides, receipt, compared, readRoot, environment, write, signal);
  const checks = [...(receipt?.checks ?? []), content, ...arrived];
  const policy = receipt?.policy;
  const predicate = predicateOf(
    {
      source: { reference: receipt?.source.reference ?? sourceName(sides), digest: compared.source.digest },
      destination: { references: compared.found.map(({ reference }) => reference), digest: compared.expected.digest },
      ...(compared.expected.digest === compared.source.digest ? {} : { rewritten: { platforms: artifact.platforms } }),
      ...(policy === undefined ? {} : { policy: { digest: policy } }),
      checks,
      startedAt: receipt?.startedAt ?? new Date(startedAt).toISOString(),
      finishedAt: new Date(systemClock.now()).toISOString(),
    },
    environment,
  );
  const attested = await attestInRegistry(destination, readRoot, predicate, environment, { signal, write });
  await writeReceipt(environment.receiptFile, { ...receipt, ...attested });
}

/** @throws ArcError `Mismatch`; CopyError */
async function compare(
  sides: ArtifactSides,
  receipt: Receipt | undefined,
  tags: readonly string[],
  write: (line: string) => void,
  signal: AbortSignal,
): Promise<VerifyResult> {
  const { artifact, source, destination } = sides;
  const reference = receipt?.source.digest ?? sides.reference;
  const result = await verifyArtifact(source, reference, destination, { tags, platforms: artifact.platforms, signal });
  write(`source       ${sourceName(sides)} is ${result.source.digest}`);
  if (result.expected.digest !== result.source.digest) {
    write(`selected     ${artifact.platforms.join(', ')} is ${result.expected.digest}`);
  }
  for (const { reference: where, digest } of result.found) write(`destination  ${where} is ${digest ?? 'not there'}`);
  if (receipt !== undefined && receipt.destination.digest !== result.expected.digest) {
    throw mismatch(`the receipt says ${receipt.destination.digest}, the source gives ${result.expected.digest}`);
  }
  const [missing] = result.missing;
  if (missing !== undefined) throw mismatch(`${result.missing.length} of ${result.checked} parts are not there, the first is ${missing}`);
  const wrong = result.found.find(({ digest }) => digest !== result.expected.digest);
  if (wrong !== undefined) throw mismatch(`${wrong.reference} is ${wrong.digest ?? 'not there'}, not ${result.expected.digest}`);
  write(`verified     ${result.checked} manifests and blobs are there, the digests are equal`);
  return result;
}

/** Whoever uses the artifact at the destination has to find there what proves it. @throws ArcError `PolicyViolation`; CopyError */
async function verifyArrived(
  { artifact, source, destination }: ArtifactSides,
  receipt: Receipt | undefined,
  compared: VerifyResult,
  readRoot: () => Promise<Manifest>,
  environment: WorkerEnvironment,
  write: (line: string) => void,
  signal: AbortSignal,
): Promise<readonly Check[]> {
  const policy = await readPolicy(environment);
  if (receipt !== undefined) requireSamePolicy(receipt.policy, policy?.digest);
  if (policy === undefined) return receipt === undefined ? [noPolicy] : [];
  const skipped = (detail: string): Check[] => [{ name: 'signature at the destination', result: 'skipped', detail }];
  if (environment.referrers === 'none') return skipped('signatures are not copied');
  if (compared.expected.digest !== compared.source.digest)
    return skipped('only some platforms were taken, and signatures of the whole do not cover that');
  const checks = await enforcePolicy(destination, await readRoot(), policy, {
    origin: 'destination',
    source: source.name,
    platforms: artifact.platforms,
    signal,
    write,
  });
  return checks.map((check) => ({ ...check, name: `${check.name} at the destination` }));
}

function sourceName({ source, reference }: ArtifactSides): string {
  return `${source.name}${reference.includes(':') ? '@' : ':'}${reference}`;
}
