import type { Check } from '../check.ts';
import { shown } from '../check.ts';
import type { Evidence, SignedContent } from '../evidence/evidence.ts';
import { EvidenceError } from '../evidence/untrusted.ts';
import type { Authority } from '../policy/policy.ts';
import { transferPredicateType } from '../receipt/transfer-statement.ts';
import { checkSignatureClaim, checkSigner, checkStatement, signaturePredicateType } from './check-content.ts';

/** What a piece of evidence is, as it says itself. */
type EvidenceKind = 'signature' | 'attestation' | 'receipt' | 'sbom' | 'other';

/** One piece of evidence with what can be said of it. */
export interface Finding extends Pick<Check, 'result' | 'detail'> {
  readonly kind: EvidenceKind;
  readonly subject: string;
  readonly where: string;
  /** Predicate type of a statement, else its media type. */
  readonly type: string;
  /** What a statement says; only of those that passed. */
  readonly predicate?: unknown;
}

/**
 * Says of every piece of evidence whether one of `authorities` made it, about what it lies beside. It is `skipped` where nobody is given
 * to check it by, and where it is not signed at all.
 */
export function examine(evidence: readonly Evidence[], authorities: readonly Authority[]): readonly Finding[] {
  return evidence.map((piece) => examineOne(piece, authorities));
}

function examineOne(piece: Evidence, authorities: readonly Authority[]): Finding {
  const { content, problem, subject, where } = piece;
  if (content === undefined) {
    const about = { kind: kindOfType(piece.type), subject, where, type: piece.type };
    return problem === undefined
      ? { ...about, result: 'skipped', detail: 'it is not signed' }
      : { ...about, result: 'failed', detail: problem };
  }
  const predicateType = claimedPredicateType(content);
  const about = { kind: kindOf(content, predicateType), subject, where, type: shown(predicateType ?? piece.type) };
  try {
    const statement = about.kind === 'signature' ? undefined : checkStatement(content, subject);
    if (statement === undefined) checkSignatureClaim(content, subject);
    if (authorities.length === 0) return { ...about, result: 'skipped', detail: 'nobody was named who may have signed' };
    const signers: string[] = [];
    const reasons: string[] = [];
    for (const authority of authorities) {
      try {
        signers.push(checkSigner(content, authority));
      } catch (error) {
        if (!(error instanceof EvidenceError)) throw error;
        reasons.push(shown(error.message));
      }
    }
    if (signers.length === 0) return { ...about, result: 'failed', detail: reasons.slice(0, 3).join('; ') };
    return {
      ...about,
      result: 'passed',
      detail: `signed by ${[...new Set(signers)].map(shown).join(', ')}`,
      ...(statement === undefined ? {} : { predicate: statement.predicate }),
    };
  } catch (error) {
    if (!(error instanceof EvidenceError)) throw error;
    return { ...about, result: 'failed', detail: shown(error.message) };
  }
}

/** The predicate type that an unchecked statement claims, to show and to choose by; never a verdict. */
function claimedPredicateType(content: SignedContent): string | undefined {
  if (content.form !== 'statement') return undefined;
  try {
    const { predicateType } = JSON.parse(content.payload.toString('utf8')) as { predicateType?: unknown };
    return typeof predicateType === 'string' ? predicateType : undefined;
  } catch {
    return undefined;
  }
}

function kindOf({ form }: SignedContent, predicateType: string | undefined): EvidenceKind {
  if (form !== 'statement' || predicateType === signaturePredicateType) return 'signature';
  return predicateType === transferPredicateType ? 'receipt' : 'attestation';
}

function kindOfType(type: string): EvidenceKind {
  if (/spdx|cyclonedx|syft/i.test(type)) return 'sbom';
  if (/in-toto/.test(type)) return 'attestation';
  return /sign(?:ature|ing)/.test(type) ? 'signature' : 'other';
}
