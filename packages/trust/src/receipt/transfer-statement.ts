import type { Check } from '../check.ts';

/** The type of the predicate that says how an artifact was delivered. */
export const transferPredicateType = 'https://arc.opendefense.cloud/attestations/transfer/v1';

/** What ARC states about one delivered artifact. Times are RFC 3339, digests are in OCI notation. */
export interface TransferPredicate {
  readonly source: { readonly reference: string; readonly digest: string };
  readonly destination: { readonly references: readonly string[]; readonly digest: string };
  /** Why signatures of the source do not cover the destination; absent when both are the same bytes. */
  readonly rewritten?: { readonly platforms: readonly string[] };
  /** SHA-256 of the policy that the checks are from; absent when there was none. */
  readonly policy?: { readonly digest: string };
  /** What was looked at, and what was not: those are `skipped`, with the reason. */
  readonly checks: readonly Check[];
  readonly startedAt: string;
  readonly finishedAt: string;
  readonly producer: { readonly name: 'arc-worker'; readonly version: string };
  /** `namespace/name` of the Workflow, which has the name of the ArtifactWorkflow it runs for. */
  readonly workflow?: string;
}

/** One thing a statement is about. */
interface StatementSubject {
  readonly name: string;
  readonly digest: string;
}

/** An in-toto statement of version 1 about what was delivered. */
export function transferStatement(subjects: readonly StatementSubject[], predicate: TransferPredicate): Buffer {
  const statement = {
    _type: 'https://in-toto.io/Statement/v1',
    subject: subjects.map(({ name, digest }) => {
      const [algorithm = '', encoded = ''] = digest.split(':');
      return { name, digest: { [algorithm]: encoded } };
    }),
    predicateType: transferPredicateType,
    predicate,
  };
  return Buffer.from(JSON.stringify(statement));
}
