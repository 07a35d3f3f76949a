import type { Digest } from '@arc/transfer';
import { asObject, EvidenceError, readObject } from '../evidence/untrusted.ts';

/** What a simple-signing payload says it is about (cosign's SIGNATURE_SPEC). */
export interface SimpleSigningClaim {
  /** How the signer called the image; the specification gives it no meaning. */
  readonly dockerReference: string | undefined;
}

const claimTypes = ['cosign container image signature', 'atomic container signature'];

/** Checks that a payload, whose signature was checked, is about `digest`. @throws EvidenceError */
export function readSimpleSigning(payload: Buffer, digest: Digest): SimpleSigningClaim {
  const critical = asObject(readObject(payload, 'the payload')['critical'], 'critical of the payload');
  const type = critical['type'];
  if (typeof type !== 'string' || !claimTypes.includes(type))
    throw new EvidenceError('the payload is of another type than that of an image signature');
  const image = asObject(critical['image'], 'critical.image of the payload');
  // The specification prints the first, every tool writes the second.
  const written = [image['Docker-manifest-digest'], image['docker-manifest-digest']].filter((value) => value !== undefined);
  if (written.length !== 1) throw new EvidenceError('the payload does not name one digest');
  if (written[0] !== digest) throw new EvidenceError('it signs the digest of something else');
  const identity = critical['identity'];
  const reference = identity === undefined || identity === null ? undefined : asObject(identity, 'critical.identity')['docker-reference'];
  return { dockerReference: typeof reference === 'string' && reference !== '' ? reference : undefined };
}
