import type { Digest } from '@arc/transfer';
import { isDeepStrictEqual } from 'node:util';
import type { Evidence, SignedContent } from '../evidence/evidence.ts';
import { EvidenceError, type JsonObject, readObject } from '../evidence/untrusted.ts';
import type { TrustedKey } from '../keys/public-key.ts';
import { readBundle } from '../sigstore/read-bundle.ts';
import { checkStatement } from '../verify/check-content.ts';
import { type TransferPredicate, transferPredicateType } from './transfer-statement.ts';

/** What differs between two deliveries of the same from the same place with the same result. */
const perRun: readonly (keyof TransferPredicate)[] = ['startedAt', 'finishedAt', 'workflow', 'producer'];

/**
 * The receipt among the evidence that says the same as `predicate`, but for its times, and is signed with `key`: a scheduled Order that
 * finds everything delivered does not add a receipt each time.
 */
export function findReceipt(
  evidence: readonly Evidence[],
  digest: Digest,
  predicate: TransferPredicate,
  key: TrustedKey,
): Evidence | undefined {
  return evidence.find(({ content }) => content !== undefined && says(content, digest, predicate, key));
}

/** True when the bytes of a file are a bundle with such a receipt. */
export function isReceipt(bytes: Buffer, digest: Digest, predicate: TransferPredicate, key: TrustedKey): boolean {
  try {
    return says(readBundle(readObject(bytes, 'the bundle'), Buffer.alloc(0)), digest, predicate, key);
  } catch (error) {
    if (error instanceof EvidenceError) return false;
    throw error;
  }
}

function says(content: SignedContent, digest: Digest, predicate: TransferPredicate, key: TrustedKey): boolean {
  if (!content.signatures.some((signature) => key.verify(content.signedBytes, signature))) return false;
  try {
    const statement = checkStatement(content, digest);
    return statement.predicateType === transferPredicateType && isDeepStrictEqual(lasting(statement.predicate), lasting(predicate));
  } catch (error) {
    if (error instanceof EvidenceError) return false;
    throw error;
  }
}

/** Without what is of one run; through JSON, so that fields without a value are absent on both sides. */
function lasting(predicate: unknown): JsonObject {
  const copy = JSON.parse(JSON.stringify(predicate ?? {})) as Record<string, unknown>;
  for (const name of perRun) delete copy[name];
  return copy;
}
