import { ArcError } from '@arc/kernel';
import { attribute, type CopyOrigin, type Manifest, type ReadableRepository, type ReferrerPolicy, TransferError } from '@arc/transfer';
import type { Check, Policy } from '@arc/trust';
import type { WorkerEnvironment } from '../environment.ts';

export interface EnforceOptions {
  readonly origin: CopyOrigin;
  /** The repository the artifact came from, which the policy speaks of. */
  readonly source: string;
  readonly platforms: readonly string[];
  /** Which chart it has to be, when it is one. */
  readonly chart?: { readonly name: string; readonly version: string };
  readonly signal: AbortSignal;
  readonly write: (line: string) => void;
}

/** What is said where nothing was to be checked. */
export const noPolicy: Check = { name: 'signature', result: 'skipped', detail: 'there is no policy that says who must have signed' };

/** The line of a check in the log of a step. */
export function checkLine({ name, result, detail }: Check): string {
  return `${result.padEnd(12)} ${name}: ${detail}`;
}

/**
 * Checks an artifact by the policy and writes a line for each check.
 *
 * @throws ArcError `PolicyViolation` when one is not passed, unless the policy said that it may be skipped; CopyError
 */
export async function enforcePolicy(
  repository: ReadableRepository,
  root: Manifest,
  policy: Policy,
  options: EnforceOptions,
): Promise<readonly Check[]> {
  const { verifyImage } = await import('@arc/trust');
  const { origin, source, platforms, chart, signal, write } = options;
  const checks = await verifyImage(repository, root, policy, { origin, source, platforms, chart, signal });
  for (const check of checks) write(checkLine(check));
  refuse(checks, `${origin}: verify ${repository.name}@${root.descriptor.digest}`);
  return checks;
}

/** @throws ArcError `PolicyViolation` for the first check that failed or could not be made */
export function refuse(checks: readonly Check[], what: string): void {
  const bad = checks.find(({ result }) => result === 'failed' || result === 'error');
  if (bad === undefined) return;
  throw new ArcError(
    'PolicyViolation',
    `${what}: ${bad.name} ${bad.result === 'failed' ? 'failed' : 'could not be checked'}: ${bad.detail}`,
    {
      hint: what.startsWith('source:')
        ? 'Nothing was delivered. Have it signed by those the policy names, or have the policy of the ArtifactType changed.'
        : 'What proves it did not arrive, or was removed: run the order again, with the signatures copied along.',
      details: { checks: checks.map(({ name, result }) => `${name}: ${result}`) },
    },
  );
}

/**
 * How what lies beside an artifact is copied: where a policy has found evidence there, the copy fails without it, because the artifact
 * would be visible and unproven.
 */
export function referrersFor(checks: readonly Check[], { referrers }: Pick<WorkerEnvironment, 'referrers'>): ReferrerPolicy {
  return referrers === 'best-effort' && checks.some(({ result }) => result === 'passed') ? 'required' : referrers;
}

/** A copy obeys the policy it was given; what is verified afterwards has to be the same. @throws ArcError `PolicyViolation` */
export function requireSamePolicy(copied: string | undefined, inForce: string | undefined): void {
  if (copied === inForce) return;
  throw new ArcError('PolicyViolation', 'source: verify: the copy was made with another policy than the one in force now', {
    hint: 'Give ARC_POLICY and ARC_TRUST_DIR to both steps alike, then run the order again.',
  });
}

/** What the source's reference stands for: from here on only its digest counts, so that what is verified is what is copied. @throws CopyError */
export function resolveRoot(repository: ReadableRepository, reference: string, signal: AbortSignal): Promise<Manifest> {
  const where = `${repository.name}${reference.includes(':') ? '@' : ':'}${reference}`;
  return attribute('source', 'read manifest', where, signal, async () => {
    const manifest = await repository.fetchManifest(reference, { signal });
    if (manifest !== undefined) return manifest;
    throw new TransferError('NotFound', 'there is no such image', {
      status: 404,
      hint: 'Check the repository and the tag or digest of the image, and that the account may read it.',
    });
  });
}
