import type { Digest } from '@arc/transfer';
import { isDeepStrictEqual } from 'node:util';
import type { Evidence } from '../evidence/evidence.ts';
import { EvidenceError, type JsonObject } from '../evidence/untrusted.ts';
import type { TrustedKey } from '../keys/public-key.ts';
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
  return evidence.find(({ content }) => {
    if (content === undefined || !content.signatures.some((signature) => key.verify(content.signedBytes, signature))) return false;
    try {
      const statement = checkStatement(content, digest);
      return statement.predicateType === transferPredicateType && isDeepStrictEqual(lasting(statement.predicate), lasting(predicate));
    } catch (error) {
      if (error instanceof EvidenceError) return false;
      throw error;
    }
  });
}

/** Without what is of one run; through JSON, so that fields without a value are absent on both sides. */
function lasting(predicate: unknown): JsonObject {
  const copy = JSON.parse(JSON.stringify(predicate ?? {})) as Record<string, unknown>;
  for (const name of perRun) delete copy[name];
  return copy;
}
