import type { Digest } from '@arc/transfer';
import { readSimpleSigning } from '../cosign/simple-signing.ts';
import { isAbout, readStatement, type Statement } from '../dsse/statement.ts';
import type { SignedContent } from '../evidence/evidence.ts';
import { EvidenceError } from '../evidence/untrusted.ts';
import type { Authority } from '../policy/policy.ts';
import { shown } from '../check.ts';

/** The predicate type of statements that are signatures of images (cosign from version 3 on). */
export const signaturePredicateType = 'https://sigstore.dev/cosign/sign/v1';

/** Checks that `authority` signed this content, and returns who that was. @throws EvidenceError */
export function checkSigner(content: SignedContent, authority: Authority): string {
  if (authority.kind === 'key') {
    if (!content.signatures.some((signature) => authority.key.verify(content.signedBytes, signature)))
      throw new EvidenceError(`it was not made with ${authority.name}`);
    authority.logs?.verifyLogged(content, authority.key.key);
    return authority.key.id;
  }
  const identity = authority.root.verify(content);
  if (authority.matches(identity)) return `${identity.subject} (${identity.issuer})`;
  throw new EvidenceError(`it was made by ${shown(identity.subject)} (${shown(identity.issuer)}), not by ${authority.name}`);
}

/** Checks that signed content is a signature of `digest`; returns what it calls the image, if it says so. @throws EvidenceError */
export function checkSignatureClaim(content: SignedContent, digest: Digest): string | undefined {
  switch (content.form) {
    case 'simple-signing':
      return readSimpleSigning(content.payload, digest).dockerReference;
    case 'manifest':
      return undefined;
    case 'statement': {
      const statement = checkStatement(content, digest);
      if (statement.predicateType !== signaturePredicateType)
        throw new EvidenceError(`it is an attestation of type ${shown(statement.predicateType)}, not a signature`);
      return undefined;
    }
  }
}

/** Checks that signed content is a statement about `digest`. @throws EvidenceError */
export function checkStatement(content: SignedContent, digest: Digest): Statement {
  if (content.form !== 'statement' || content.envelope === undefined) throw new EvidenceError('it is a signature, not an attestation');
  const statement = readStatement(content.envelope);
  if (!isAbout(statement, digest)) throw new EvidenceError('it is about something else');
  return statement;
}
