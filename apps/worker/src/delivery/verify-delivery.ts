import { systemClock } from '@arc/kernel';
import { attribute, type FileStore, type Manifest, parseDigest, type ReadableRepository } from '@arc/transfer';
import type { Check, TransferPredicate } from '@arc/trust';
import { openSide } from '../artifact-sides.ts';
import { mismatch } from '../mismatch.ts';
import type { WorkerEnvironment } from '../environment.ts';
import { type DeliveryReceipt, readDeliveryReceipt } from './delivery-receipt.ts';
import { attestInRegistry, type AttestedReceipt, type DeliveryFacts, predicateOf } from '../trust/attest-delivery.ts';
import { attestInStore } from '../trust/attest-files.ts';
import { enforcePolicy, requireSamePolicy } from '../trust/enforce-policy.ts';
import { readPolicy } from '../trust/trust-settings.ts';
import { writeReceipt } from '../write-receipt.ts';
import { openStore } from './open-store.ts';

/**
 * Compares what the destination holds with what the receipt of the delivery says: tags, manifest and blobs in a registry;
 * the content of every file, read again, elsewhere. Signs and attaches the receipt where a key is configured.
 *
 * @throws ArcError `Mismatch`, `PolicyViolation`; CopyError when the destination cannot be asked
 */
export async function verifyDelivery(environment: WorkerEnvironment, write: (line: string) => void, signal: AbortSignal): Promise<void> {
  const receipt = readDeliveryReceipt(environment.receiptJSON);
  for (const check of receipt.checks) write(`${check.result.padEnd(12)} ${check.name}: ${check.detail}`);
  const nothing = receipt.dryRun ? 'it was a dry run' : receipt.destination.references.length === 0 ? 'everything was left alone' : '';
  if (nothing !== '') {
    write(`skipped      nothing was delivered that could be verified: ${nothing}`);
    await writeReceipt(environment.receiptFile, receipt);
    return;
  }
  const attested =
    receipt.destination.place.kind === 'oci'
      ? await verifyRegistry(receipt, environment, write, signal)
      : await verifyStore(receipt, environment, write, signal);
  await writeReceipt(environment.receiptFile, { ...receipt, ...attested });
}

/** What is stated about a delivery whose parts are all there. */
function predicateAfter(
  receipt: DeliveryReceipt,
  count: number,
  arrived: readonly Check[],
  environment: WorkerEnvironment,
): TransferPredicate {
  const { source, destination, checks, policy, startedAt } = receipt;
  const content: Check = { name: 'content', result: 'passed', detail: `${count} parts are there, the digests are equal` };
  const facts: DeliveryFacts = {
    source: { reference: source.reference, digest: source.digest },
    destination: { references: destination.references, digest: destination.digest },
    ...(policy === undefined ? {} : { policy: { digest: policy.digest } }),
    checks: [...checks, content, ...arrived],
    startedAt,
    finishedAt: new Date(systemClock.now()).toISOString(),
  };
  return predicateOf(facts, environment);
}

async function verifyRegistry(
  receipt: DeliveryReceipt,
  environment: WorkerEnvironment,
  write: (line: string) => void,
  signal: AbortSignal,
): Promise<AttestedReceipt> {
  const { place } = receipt.destination;
  if (place.kind !== 'oci') return receipt;
  const digest = parseDigest(receipt.destination.digest);
  using endpoint = await openSide('destination', environment, write, signal);
  const repository = await attribute('destination', 'open', place.repository, signal, () => endpoint.destination(place.repository));
  for (const tag of place.tags) {
    const reference = `${repository.name}:${tag}`;
    const found = await attribute('destination', 'resolve', reference, signal, () => repository.resolve(tag, { signal }));
    write(`destination  ${reference} is ${found?.digest ?? 'not there'}`);
    if (found?.digest !== digest) throw mismatch(`${reference} is ${found?.digest ?? 'not there'}, not ${digest}`);
  }
  for (const image of receipt.images ?? []) {
    const home = await attribute('destination', 'open', image.repository, signal, () => endpoint.destination(image.repository));
    for (const reference of [...image.tags, image.digest]) {
      const found = await attribute('destination', 'resolve', `${home.name}:${reference}`, signal, () =>
        home.resolve(reference, { signal }),
      );
      if (found?.digest !== image.digest)
        throw mismatch(`image ${home.name}:${reference} is ${found?.digest ?? 'not there'}, not ${image.digest}`);
    }
  }
  const reference = `${repository.name}@${digest}`;
  const manifest = await attribute('destination', 'read manifest', reference, signal, () => repository.fetchManifest(digest, { signal }));
  if (manifest === undefined) throw mismatch(`${reference} is not there`);
  for (const blob of manifest.blobs) {
    const there = await attribute('destination', 'look for blob', `${repository.name}@${blob.digest}`, signal, () =>
      repository.hasBlob(blob, { signal }),
    );
    if (!there) throw mismatch(`blob ${blob.digest} of ${reference} is not there`);
  }
  const absent = receipt.files.find((file) => !manifest.blobs.some((blob) => blob.digest === file.digest));
  if (absent !== undefined) throw mismatch(`${reference} does not hold ${absent.name} (${absent.digest})`);
  const count = manifest.blobs.length + 1;
  write(`verified     ${count} parts are there, the digests are equal`);
  const arrived = await verifyArrived(receipt, repository, manifest, environment, write, signal);
  const predicate = predicateAfter(receipt, count, arrived, environment);
  return attestInRegistry(repository, () => Promise.resolve(manifest), predicate, environment, { signal, write });
}

/** The evidence the policy asked for has to be where the chart is now. @throws ArcError `PolicyViolation`; CopyError */
async function verifyArrived(
  receipt: DeliveryReceipt,
  repository: ReadableRepository,
  manifest: Manifest,
  environment: WorkerEnvironment,
  write: (line: string) => void,
  signal: AbortSignal,
): Promise<readonly Check[]> {
  const policy = await readPolicy(environment);
  requireSamePolicy(receipt.policy?.digest, policy?.digest);
  if (policy === undefined || receipt.policy === undefined) return [];
  const { source } = receipt.policy;
  const checks = await enforcePolicy(repository, manifest, policy, { origin: 'destination', source, platforms: [], signal, write });
  return checks.map((check) => ({ ...check, name: `${check.name} at the destination` }));
}

async function verifyStore(
  receipt: DeliveryReceipt,
  environment: WorkerEnvironment,
  write: (line: string) => void,
  signal: AbortSignal,
): Promise<AttestedReceipt> {
  const { place } = receipt.destination;
  if (place.kind !== 'file') return receipt;
  using opened = await openStore(environment, write, signal);
  const { store } = opened;
  for (const path of place.paths) {
    const file = receipt.files.find((file) => (file.path ?? file.name) === path);
    if (file === undefined) throw mismatch(`the receipt does not say what ${path} holds`);
    const expected = parseDigest(file.digest);
    const found = await attribute('destination', 'read', `${store.name}/${path}`, signal, () =>
      store.digest(path, expected, { signal, readAgain: true }),
    );
    if (found !== expected) throw mismatch(`${store.name}/${path} is ${found ?? 'not there'}, not ${expected}`);
  }
  await verifyIndex(receipt, store, signal);
  const count = place.paths.length;
  write(`verified     ${count} parts are there, the digests are equal`);
  requireSamePolicy(receipt.policy?.digest, (await readPolicy(environment))?.digest);
  const files = receipt.files.filter(({ name, path }) => place.paths.includes(path ?? name));
  return attestInStore(store, files, predicateAfter(receipt, count, [], environment), environment, { signal, write });
}

/** A chart that its repository does not list cannot be found there. */
async function verifyIndex(receipt: DeliveryReceipt, store: FileStore, signal: AbortSignal): Promise<void> {
  const [file] = receipt.files;
  const { version } = receipt.source;
  if (receipt.kind !== 'helm-copy' || file === undefined || version === undefined) return;
  const { isListed } = await import('@arc/transfer/helm');
  const chart = { name: file.name.slice(0, -`-${version}.tgz`.length), version, digest: parseDigest(file.digest) };
  const index = `${store.name}/index.yaml`;
  const listed = await attribute('destination', 'read', index, signal, () => isListed(store, chart, { signal }));
  if (!listed) throw mismatch(`${index} does not list ${chart.name} ${version} with ${file.digest}`);
}
