import { systemClock } from '@arc/kernel';
import {
  type ConflictPolicy,
  copyArtifact,
  type CopyResult,
  type ReadableRepository,
  type ReferrerPolicy,
  type WritableRepository,
} from '@arc/transfer';
import type { Check } from '@arc/trust';
import type { ArtifactSides } from './artifact-sides.ts';
import { CopyLog } from './copy-log.ts';
import type { WorkerEnvironment } from './environment.ts';
import { ProgressFile } from './progress-file.ts';
import { enforcePolicy, noPolicy, resolveRoot } from './trust/enforce-policy.ts';
import { readPolicy } from './trust/trust-settings.ts';

/** What the policy says about a source, and what is to be copied after that. */
interface VerifiedSource {
  /** The digest that was verified; what the order names where there is no policy. */
  readonly reference: string;
  readonly checks: readonly Check[];
  /** SHA-256 of the policy, when there was one. */
  readonly policy: string | undefined;
}

/** Checks the source by the policy in force. @throws ArcError `PolicyViolation`, `InvalidPolicy`; CopyError */
export async function verifiedSource(
  { artifact, source, reference }: ArtifactSides,
  environment: WorkerEnvironment,
  write: (line: string) => void,
  signal: AbortSignal,
): Promise<VerifiedSource> {
  const policy = await readPolicy(environment);
  if (policy === undefined) return { reference, checks: [noPolicy], policy: undefined };
  const root = await resolveRoot(source, reference, signal);
  const { platforms } = artifact;
  const checks = await enforcePolicy(source, root, policy, { origin: 'source', source: source.name, platforms, signal, write });
  return { reference: root.descriptor.digest, checks, policy: policy.digest };
}

interface ImageTransfer {
  readonly source: ReadableRepository;
  /** Tag or digest at the source. */
  readonly reference: string;
  readonly destination: WritableRepository;
  readonly tags: readonly string[];
  readonly platforms: readonly string[];
  readonly referrers: ReferrerPolicy;
  /** What the environment says when left out. */
  readonly onConflict?: ConflictPolicy | undefined;
}

/** Copies an image as the environment has it, telling how far it is in the log and the progress file. @throws CopyError */
export async function transferImage(
  { source, reference, destination, tags, platforms, referrers, onConflict }: ImageTransfer,
  environment: WorkerEnvironment,
  { write, signal }: { readonly write: (line: string) => void; readonly signal: AbortSignal },
): Promise<CopyResult> {
  const log = new CopyLog(write, systemClock, environment);
  const progress = new ProgressFile(environment.progressFile, systemClock);
  const result = await copyArtifact(source, reference, destination, {
    tags,
    platforms,
    referrers,
    foreignLayers: environment.foreignLayers,
    onConflict: onConflict ?? environment.onConflict,
    dryRun: environment.dryRun,
    ...(environment.maxBytesPerSecond === 0 ? {} : { maxBytesPerSecond: environment.maxBytesPerSecond }),
    concurrency: environment.concurrency,
    signal,
    onEvent: (event) => {
      if (event.kind === 'progress') progress.update(event.doneBytes, event.totalBytes);
      log.event(event);
    },
  });
  progress.flush();
  log.done(result);
  return result;
}
