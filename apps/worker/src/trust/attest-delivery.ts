import { attribute, type Manifest, type WritableRepository } from '@arc/transfer';
import type { Check, TransferPredicate } from '@arc/trust';
import { version } from '../version.ts';
import type { WorkerEnvironment } from '../environment.ts';
import { readSigningKey } from './trust-settings.ts';

/** What a receipt says beyond the copy: which checks, and where the signed statement is. */
export interface AttestedReceipt {
  readonly checks: readonly Check[];
  readonly attestation?: Attestation;
}

export interface Attestation {
  /** The key, by the hash of its public part. */
  readonly signedBy: string;
  /** Where the statement lies at the destination. */
  readonly reference: string;
  /** The Sigstore bundle with the signed in-toto statement; left out when it would make the receipt too large. */
  readonly bundle?: unknown;
}

/** Largest bundle that is kept in a receipt as well, bytes: a status takes 64 KiB. */
const keptBundle = 32 * 1024;

/** What is stated about a delivery, but for what the worker knows of itself. */
export type DeliveryFacts = Omit<TransferPredicate, 'producer' | 'workflow'>;

export function predicateOf(facts: DeliveryFacts, { workflow }: Pick<WorkerEnvironment, 'workflow'>): TransferPredicate {
  return { ...facts, producer: { name: 'arc-worker', version }, ...(workflow === undefined ? {} : { workflow }) };
}

/**
 * Signs the statement about a delivery and attaches it at the destination, where a key is configured; an equal one that is there already
 * is enough. What was delivered is read only then.
 *
 * @throws CopyError; ArcError `InvalidKey`
 */
export async function attestInRegistry(
  repository: WritableRepository,
  readRoot: () => Promise<Manifest>,
  predicate: TransferPredicate,
  environment: WorkerEnvironment,
  options: { readonly signal: AbortSignal; readonly write: (line: string) => void },
): Promise<AttestedReceipt> {
  const { checks } = predicate;
  const key = await readSigningKey(environment);
  if (key === undefined) return { checks };
  const { attachReceipt, collectEvidence, findReceipt, signStatement, transferStatement } = await import('@arc/trust');
  const { signal, write } = options;
  const root = await readRoot();
  const { digest } = root.descriptor;
  const signedBy = key.publicKey.id;
  const { evidence } = await collectEvidence(repository, root, { origin: 'destination', signal });
  const known = findReceipt(evidence, digest, predicate, key.publicKey);
  if (known !== undefined) {
    write(`receipt      ${known.where} of ${repository.name} says the same already`);
    const bundle = Buffer.from(JSON.stringify(known.content?.bundle ?? {}));
    return { checks, attestation: attestation(signedBy, `${repository.name}@${known.where.replace('referrer ', '')}`, bundle) };
  }
  const bundle = signStatement(transferStatement([{ name: repository.name, digest }], predicate), key);
  const referrer = await attachReceipt(repository, root.descriptor, bundle, { createdAt: predicate.finishedAt, signal });
  write(`receipt      ${repository.name}@${referrer}, signed with ${signedBy}`);
  return { checks, attestation: attestation(signedBy, `${repository.name}@${referrer}`, bundle) };
}

export function attestation(signedBy: string, reference: string, bundle: Buffer): Attestation {
  return { signedBy, reference, ...(bundle.length > keptBundle ? {} : { bundle: JSON.parse(bundle.toString('utf8')) as unknown }) };
}

/** The manifest that was delivered, read from where it was delivered to. @throws CopyError */
export function deliveredManifest(repository: WritableRepository, digest: string, signal: AbortSignal): Promise<Manifest> {
  const where = `${repository.name}@${digest}`;
  return attribute('destination', 'read manifest', where, signal, async () => {
    const manifest = await repository.fetchManifest(digest, { signal });
    if (manifest === undefined) throw new Error('it is not there any more');
    return manifest;
  });
}
