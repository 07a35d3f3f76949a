import { ArcError } from '@arc/kernel';
import { attribute, type FileStore, parseDigest } from '@arc/transfer';
import type { TransferPredicate } from '@arc/trust';
import type { DeliveryReceipt } from '../delivery/delivery-receipt.ts';
import type { WorkerEnvironment } from '../environment.ts';
import { attestation, type AttestedReceipt } from './attest-delivery.ts';
import { readSigningKey } from './trust-settings.ts';

/** Largest receipt that is read, bytes. */
const receiptLimit = 1024 * 1024;

/** Writers of one place that may be faster before it is given up. */
const attempts = 5;

/**
 * Signs the statement about delivered files and puts it beside the first of them, as `NAME.arc-receipt.sigstore.json`, where a key is
 * configured. One that says the same is left alone, an older one is replaced.
 *
 * @throws CopyError; ArcError `InvalidKey`
 */
export async function attestInStore(
  store: FileStore,
  files: DeliveryReceipt['files'],
  predicate: TransferPredicate,
  environment: WorkerEnvironment,
  { signal, write }: { readonly signal: AbortSignal; readonly write: (line: string) => void },
): Promise<AttestedReceipt> {
  const { checks } = predicate;
  const key = await readSigningKey(environment);
  const [first] = files;
  if (key === undefined || first === undefined) return { checks };
  const { isReceipt, signStatement, transferStatement } = await import('@arc/trust');
  const subjects = files.map(({ name, path, digest }) => ({ name: path ?? name, digest }));
  const path = `${first.path ?? first.name}.arc-receipt.sigstore.json`;
  const reference = `${store.name}/${path}`;
  const signedBy = key.publicKey.id;
  return attribute('destination', 'write', reference, signal, async () => {
    for (let attempt = 0; attempt < attempts; attempt += 1) {
      const known = await store.readVersioned(path, receiptLimit, { signal });
      if (known !== undefined && isReceipt(known.bytes, parseDigest(first.digest), predicate, key.publicKey)) {
        write(`receipt      ${reference} says the same already`);
        return { checks, attestation: attestation(signedBy, reference, known.bytes) };
      }
      const bundle = signStatement(transferStatement(subjects, predicate), key);
      if (await store.replace(path, bundle, known?.version, { signal })) {
        write(`receipt      ${reference}, signed with ${signedBy}`);
        return { checks, attestation: attestation(signedBy, reference, bundle) };
      }
    }
    throw new ArcError('Conflict', 'others write it all the time', { retryable: true, hint: 'Run the order again.' });
  });
}
