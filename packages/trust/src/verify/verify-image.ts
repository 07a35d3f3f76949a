import { systemClock } from '@arc/kernel';
import { attribute, type CopyOrigin, type Digest, isIndexType, type Manifest, matchesPlatform, TransferError } from '@arc/transfer';
import { type ChartName, verifyRegistryChart } from '../helm/verify-chart.ts';
import { type Check, shown } from '../check.ts';
import { type Collected, collectEvidence, type EvidenceSource } from '../evidence/collect.ts';
import type { Evidence, SignedContent } from '../evidence/evidence.ts';
import { EvidenceError } from '../evidence/untrusted.ts';
import { type AttestationRequirement, type Policy, ruleFor, type SignatureRequirement, type Target } from '../policy/policy.ts';
import { checkSignatureClaim, checkSigner, checkStatement } from './check-content.ts';
import { countSatisfied } from './match-signers.ts';

export interface VerifyImageOptions {
  /** Which side `repository` is, for errors. */
  readonly origin: CopyOrigin;
  /** The repository the policy speaks of: where the artifact came from. Unless told, the one that is looked at. */
  readonly source?: string;
  /** Only these platforms count, `os/architecture[/variant]`; all of them when empty. */
  readonly platforms?: readonly string[];
  /** Which chart it has to be, for its provenance; what it says itself unless told. */
  readonly chart?: ChartName | undefined;
  /** Milliseconds since the epoch, for keys that expire. */
  readonly now?: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Checks what a policy demands of an image or other artifact, from the evidence beside it. Every demand gives one check; a policy
 * with no rule for the repository gives a failed one.
 *
 * @throws CopyError when the registry cannot be asked; the reason of the signal
 */
export async function verifyImage(
  repository: EvidenceSource,
  root: Manifest,
  policy: Policy,
  options: VerifyImageOptions,
): Promise<readonly Check[]> {
  const source = options.source ?? repository.name;
  const rule = ruleFor(policy, source);
  if (rule === undefined) return [{ name: 'policy', result: 'failed', detail: `no rule of the policy speaks of ${source}` }];
  if (rule.acceptsUnsigned)
    return [{ name: 'signature', result: 'skipped', detail: `${rule.name} of the policy accepts what is unsigned` }];
  const collected = new Map<Digest, Promise<Collected>>();
  const evidenceOf = (subject: Manifest): Promise<Collected> => {
    const { digest } = subject.descriptor;
    const known = collected.get(digest) ?? collectEvidence(repository, subject, options);
    collected.set(digest, known);
    return known;
  };
  let images: Promise<readonly Manifest[]> | undefined;
  const targetsOf = async (on: Target): Promise<readonly Manifest[]> => {
    if (on === 'reference' || !isIndexType(root.descriptor.mediaType)) return [root];
    return targets(root, on, await (images ??= imagesOf(repository, root, options, 0)));
  };
  const checks: Check[] = [];
  if (rule.signatures !== undefined) {
    const { signatures } = rule;
    checks.push(
      await checkRequirement('signature', signatures, await targetsOf(signatures.on), evidenceOf, (content, digest) => {
        const reference = checkSignatureClaim(content, digest);
        if (signatures.signedAs === undefined) return;
        if (reference === undefined) throw new EvidenceError('it does not say what the image is called');
        if (!signatures.signedAs(repositoryOf(reference), source)) throw new EvidenceError(`it was made for ${shown(reference)}`);
      }),
    );
  }
  for (const attestation of rule.attestations) {
    checks.push(
      await checkRequirement(
        `attestation ${attestation.predicateType}`,
        attestation,
        await targetsOf(attestation.on),
        evidenceOf,
        (content, digest) => {
          const { predicateType } = checkStatement(content, digest);
          if (predicateType !== attestation.predicateType) throw new EvidenceError(`it is of type ${shown(predicateType)}`);
        },
      ),
    );
  }
  if (rule.provenance !== undefined) {
    const { now = systemClock.now() } = options;
    checks.push(await verifyRegistryChart(repository, root, rule.provenance, { ...options, now }));
  }
  return checks;
}

/** A reference without its tag or digest. */
function repositoryOf(reference: string): string {
  return reference.replace(/@.*$/, '').replace(/:[^/:]*$/, '');
}

/** The manifests that a demand about an index and its images is about; never none. */
function targets(root: Manifest, on: Exclude<Target, 'reference'>, images: readonly Manifest[]): readonly Manifest[] {
  if (images.length === 0) return [root];
  return on === 'all' ? [root, ...images] : images;
}

/** How deep indexes may lie in each other. */
const depthLimit = 4;

/**
 * Every image that an index leads to and that could be run: also one without a platform, which some programs take for any. BuildKit
 * lists attestations under the platform "unknown", and nothing runs those.
 */
async function imagesOf(
  repository: EvidenceSource,
  index: Manifest,
  options: VerifyImageOptions,
  depth: number,
): Promise<readonly Manifest[]> {
  const { platforms = [], origin, signal } = options;
  const wanted = index.children.filter(
    ({ platform }) =>
      platform === undefined ||
      (platform.os !== 'unknown' && (platforms.length === 0 || platforms.some((chosen) => matchesPlatform(platform, chosen)))),
  );
  const manifests = await Promise.all(
    wanted.map(({ digest }) =>
      attribute(origin, 'read manifest', `${repository.name}@${digest}`, signal, async () => {
        const manifest = await repository.fetchManifest(digest, options);
        if (manifest === undefined) throw new TransferError('NotFound', 'it is listed, and not there', { status: 404 });
        if (depth >= depthLimit) throw new TransferError('InvalidManifest', `indexes lie deeper than ${depthLimit} in each other`);
        return isIndexType(manifest.descriptor.mediaType) ? imagesOf(repository, manifest, options, depth + 1) : [manifest];
      }),
    ),
  );
  return manifests.flat();
}

type CheckClaim = (content: SignedContent, digest: Digest) => void;

async function checkRequirement(
  name: string,
  requirement: SignatureRequirement | AttestationRequirement,
  subjects: readonly Manifest[],
  evidenceOf: (subject: Manifest) => Promise<Collected>,
  checkClaim: CheckClaim,
): Promise<Check> {
  const signers = new Set<string>();
  for (const subject of subjects) {
    const { digest } = subject.descriptor;
    const collected = await evidenceOf(subject);
    const outcome = judge(requirement, digest, collected.evidence, checkClaim);
    if (outcome.satisfied >= requirement.atLeast) {
      for (const signer of outcome.signers) signers.add(signer);
      continue;
    }
    const [refused] = collected.refused;
    if (refused !== undefined) return { name, result: 'error', detail: `the registry does not let ${refused} be read` };
    return { name, result: 'failed', detail: failure(name, requirement, digest, outcome) };
  }
  const about = subjects.length === 1 ? (subjects[0]?.descriptor.digest ?? '') : `each of ${subjects.length} digests`;
  return { name, result: 'passed', detail: `${about} by ${[...signers].map(shown).join(', ')}` };
}

interface Outcome {
  readonly satisfied: number;
  readonly signers: ReadonlySet<string>;
  /** Why others did not count. */
  readonly refusals: readonly string[];
}

function judge(
  requirement: Pick<SignatureRequirement, 'by'>,
  digest: Digest,
  evidence: readonly Evidence[],
  checkClaim: CheckClaim,
): Outcome {
  const byAuthority = requirement.by.map(() => new Set<string>());
  const refusals: string[] = [];
  for (const { where, content, problem } of evidence) {
    if (content === undefined) {
      if (problem !== undefined) refusals.push(`${where}: ${problem}`);
      continue;
    }
    try {
      checkClaim(content, digest);
    } catch (error) {
      if (!(error instanceof EvidenceError)) throw error;
      refusals.push(`${where}: ${error.message}`);
      continue;
    }
    for (const [index, authority] of requirement.by.entries()) {
      try {
        byAuthority[index]?.add(checkSigner(content, authority));
      } catch (error) {
        if (!(error instanceof EvidenceError)) throw error;
        refusals.push(`${where}: ${error.message}`);
      }
    }
  }
  return { satisfied: countSatisfied(byAuthority), signers: new Set(byAuthority.flatMap((signers) => [...signers])), refusals };
}

/** Reasons that are told. */
const shownRefusals = 3;

function failure(
  name: string,
  requirement: SignatureRequirement | AttestationRequirement,
  digest: Digest,
  { satisfied, refusals }: Outcome,
): string {
  const names = requirement.by.map((authority) => authority.name).join(', ');
  const wanted = requirement.atLeast === 1 && requirement.by.length === 1 ? names : `${requirement.atLeast} of ${names}`;
  const attestation = 'predicateType' in requirement;
  if (refusals.length === 0) return `${digest} has no ${attestation ? name : 'signature'} at all; it needs one by ${wanted}`;
  const reasons = [
    ...refusals.slice(0, shownRefusals),
    ...(refusals.length > shownRefusals ? [`and ${refusals.length - shownRefusals} more`] : []),
  ];
  return `${digest} needs a ${name} by ${wanted}${satisfied > 0 ? `, and has ${satisfied}` : ''}${reasons.length === 0 ? '' : ` (${reasons.join('; ')})`}`;
}
