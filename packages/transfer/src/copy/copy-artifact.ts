import { type Clock, systemClock } from '@arc/kernel';
import { type Descriptor, formatPlatform } from '../descriptor/descriptor.ts';
import type { Manifest } from '../descriptor/manifest.ts';
import type { Digest } from '../digest/digest.ts';
import { defaultRetryPolicy, type RetryPolicy } from '../http/retry.ts';
import type { ReadableRepository, WritableRepository } from '../oci/repository.ts';
import { TransferError } from '../transfer-error.ts';
import { attribute } from './copy-error.ts';
import { BandwidthLimit } from './bandwidth-limit.ts';
import { copyBelow, copyManifest, type CopyContext, planGraph, readAtDestination } from './copy-content.ts';
import { type CopyEvent, CopyProgress } from './copy-events.ts';
import { copyReferrers, type ReferrerPolicy } from './copy-referrers.ts';
import { findRoot, select, shown } from './find-root.ts';
import { selectPlatforms } from './platforms.ts';
import { type ConflictPolicy, type KeptTag, tagConflict } from './tag-conflict.ts';

export interface CopyOptions {
  /** Tags to set at the destination, in this order; with none the artifact is only reachable by digest. */
  readonly tags?: readonly string[];
  /**
   * Platforms to copy instead of all. One gives that platform's manifest; several a rewritten index: either way the
   * destination's digest is not the source's.
   */
  readonly platforms?: readonly string[];
  /** `best-effort` unless told. */
  readonly referrers?: ReferrerPolicy;
  /** About tags that stand for something else; `fail` unless told, and then nothing has been moved. */
  readonly onConflict?: ConflictPolicy;
  /** Looks at everything and writes nothing; the result says what a copy would do. */
  readonly dryRun?: boolean;
  /** About layers that are marked as not to be distributed: `skip` (unless told) leaves them where their urls say, `fail` moves nothing. */
  readonly foreignLayers?: 'skip' | 'fail';
  /** Most bytes of blobs a second, all blobs together; unlimited unless told. */
  readonly maxBytesPerSecond?: number;
  /** Blobs in flight at a time; 4 unless told. */
  readonly concurrency?: number;
  readonly signal?: AbortSignal;
  readonly onEvent?: (event: CopyEvent) => void;
  readonly clock?: Clock;
  /** For blobs that must be sent anew; requests have their own policy in the transport. */
  readonly retry?: RetryPolicy;
}

export interface CopyResult {
  /** What the source reference stood for. */
  readonly source: Descriptor;
  /** What the destination's tags stand for. */
  readonly destination: Descriptor;
  /** True when platforms were selected so that the two differ. */
  readonly rewritten: boolean;
  readonly platforms: readonly string[];
  /** Tags that stand for `destination` now (after a dry run: that would). */
  readonly tags: readonly string[];
  /** Tags that were left alone under the policy `skip`. When that is all of them, nothing was copied. */
  readonly kept: readonly KeptTag[];
  readonly dryRun: boolean;
  readonly manifests: { readonly copied: number; readonly present: number };
  readonly blobs: { readonly copied: number; readonly present: number; readonly mounted: number };
  readonly bytes: { readonly copied: number; readonly total: number };
  readonly referrers: number;
  /** Layers that are marked as not to be distributed and were left where their urls say. */
  readonly foreignLayers: number;
  /** What has another digest at the destination than at the source, and why signatures of the old one do not cover it. */
  readonly mapping: readonly Rewritten[];
  readonly warnings: readonly string[];
}

/** Something that was changed on its way. */
export interface Rewritten {
  readonly from: Digest;
  readonly to: Digest;
  readonly why: string;
}

/**
 * Copies an artifact by tag or digest: every byte as it is, verified on the way; what is there already is not sent
 * again; children before parents and the tags last, so that a copy that fails leaves no tag behind.
 *
 * @throws CopyError, with code `TagConflict` when a tag stands for something else and may not be moved, saying which side failed, doing what; the reason of the signal
 */
export async function copyArtifact(
  source: ReadableRepository,
  reference: string,
  destination: WritableRepository,
  options: CopyOptions = {},
): Promise<CopyResult> {
  const { platforms = [], referrers = 'best-effort' } = options;
  const context = contextOf(source, destination, options);
  const found = await findRoot(context, reference);
  const root = await select(context, found.manifest, platforms);
  const present = root === found.manifest ? found.present : (await readAtDestination(context, root.descriptor.digest)) !== undefined;
  const { tags, kept, current } = await settleTags(context, root, options.tags ?? []);
  const result = { source: found.manifest.descriptor, destination: root.descriptor, platforms: platformsOf(root, platforms), tags, kept };
  if (kept.length > 0 && tags.length === 0) return resultOf(context, result, 0);
  const graph = await planGraph(context, root, present);
  context.emit({ kind: 'planned', manifests: graph.nodes.length, blobs: graph.blobCount, totalBytes: graph.totalBytes });
  const [foreign] = graph.foreign;
  if (foreign !== undefined && options.foreignLayers === 'fail')
    await attribute('source', 'read', shown(source, root.descriptor.digest), options.signal, () =>
      Promise.reject(undistributable(foreign)),
    );
  for (const layer of graph.foreign) {
    context.emit({ kind: 'warning', message: `layer ${layer.digest} is marked as not to be distributed and stays where its urls say` });
  }
  await copyBelow(context, graph);
  // Some registries take a referrer only once its subject is there.
  let stored = present;
  const storeRoot = async (): Promise<void> => {
    if (!stored) await copyManifest(context, root, false);
    stored = true;
  };
  const subjects = graph.nodes.map(({ manifest }) => manifest.descriptor);
  const referrerCount = await copyReferrers(context, subjects, referrers, storeRoot);
  // Where nothing was moved no time has passed in which a tag could have been set: one request less for each.
  const unmoved = present && context.counts.copied + context.counts.manifestsCopied === 0;
  await place(context, root, { present, stored, tags, current: unmoved ? current : undefined });
  return resultOf(context, result, referrerCount);
}

/**
 * What a copy of `reference` with these platforms has to look like at the destination.
 *
 * @throws CopyError
 */
export async function expectedDescriptor(
  source: ReadableRepository,
  reference: string,
  platforms: readonly string[],
  signal?: AbortSignal,
): Promise<{ readonly source: Descriptor; readonly destination: Descriptor }> {
  const manifest = await attribute('source', 'resolve', shown(source, reference), signal, async () => {
    const found = await source.fetchManifest(reference, { signal });
    if (found === undefined)
      throw new TransferError('NotFound', 'there is no such image', {
        status: 404,
        hint: 'It was removed, or the account may not read it.',
      });
    return found;
  });
  const selection = await attribute('source', 'select platforms of', shown(source, reference), signal, () =>
    Promise.resolve(selectPlatforms(manifest, platforms)),
  );
  switch (selection.kind) {
    case 'whole':
      return { source: manifest.descriptor, destination: manifest.descriptor };
    case 'single':
      return { source: manifest.descriptor, destination: selection.manifest };
    case 'index':
      return { source: manifest.descriptor, destination: selection.index.descriptor };
  }
}

function undistributable(layer: Descriptor): TransferError {
  return new TransferError(
    'UnsupportedMediaType',
    `layer ${layer.digest} is marked as not to be distributed, so the copy would not be complete`,
    {
      hint: 'Build the image without such layers, or let them be skipped.',
    },
  );
}

type RootContext = CopyContext & { readonly warnings: string[] };

function contextOf(source: ReadableRepository, destination: WritableRepository, options: CopyOptions): RootContext {
  const warnings: string[] = [];
  const emit = (event: CopyEvent): void => {
    if (event.kind === 'warning') warnings.push(event.message);
    options.onEvent?.(event);
  };
  const clock = options.clock ?? systemClock;
  return {
    source,
    destination,
    warnings,
    emit,
    clock,
    signal: options.signal,
    concurrency: options.concurrency ?? 4,
    onConflict: options.onConflict ?? 'fail',
    dryRun: options.dryRun ?? false,
    bandwidth: options.maxBytesPerSecond === undefined ? undefined : new BandwidthLimit(options.maxBytesPerSecond, clock),
    retry: options.retry ?? defaultRetryPolicy,
    progress: new CopyProgress(emit),
    counts: { manifestsCopied: 0, manifestsPresent: 0, copied: 0, present: 0, mounted: 0, foreignLayers: 0 },
    settled: new Set<Digest>(),
  };
}

/** Looks at every tag before anything is moved. @throws CopyError `TagConflict` */
async function settleTags(
  context: CopyContext,
  root: Manifest,
  tags: readonly string[],
): Promise<{ tags: string[]; kept: KeptTag[]; current: readonly (Descriptor | undefined)[] | undefined }> {
  const { destination, signal, onConflict } = context;
  if (onConflict === 'overwrite') return { tags: [...tags], kept: [], current: undefined };
  const { digest } = root.descriptor;
  const current = await resolveTags(context, tags);
  const kept: KeptTag[] = [];
  for (const [index, tag] of tags.entries()) {
    const present = current[index]?.digest;
    if (present === undefined || present === digest) continue;
    const reference = `${destination.name}:${tag}`;
    if (onConflict === 'fail')
      await attribute('destination', 'tag', reference, signal, () => Promise.reject(tagConflict(reference, present, digest)));
    kept.push({ tag, digest: present });
    context.emit({ kind: 'kept', reference, digest: present });
  }
  if (kept.length === 0) return { tags: [...tags], kept, current };
  return { tags: tags.filter((tag) => !kept.some((other) => other.tag === tag)), kept, current: undefined };
}

function resolveTags(context: CopyContext, tags: readonly string[]): Promise<(Descriptor | undefined)[]> {
  const { destination, signal } = context;
  return Promise.all(
    tags.map((tag) =>
      attribute('destination', 'resolve', `${destination.name}:${tag}`, signal, () => destination.resolve(tag, { signal })),
    ),
  );
}

function resultOf(
  context: RootContext,
  about: Pick<CopyResult, 'source' | 'destination' | 'platforms' | 'tags' | 'kept'>,
  referrers: number,
): CopyResult {
  const { counts, progress, warnings, dryRun } = context;
  return {
    ...about,
    rewritten: about.destination.digest !== about.source.digest,
    dryRun,
    manifests: { copied: counts.manifestsCopied, present: counts.manifestsPresent },
    blobs: { copied: counts.copied, present: counts.present, mounted: counts.mounted },
    bytes: { copied: progress.copiedBytes, total: progress.totalBytes },
    referrers,
    foreignLayers: counts.foreignLayers,
    mapping: mappingOf(about),
    warnings,
  };
}

function mappingOf({ source, destination, platforms }: Pick<CopyResult, 'source' | 'destination' | 'platforms'>): readonly Rewritten[] {
  if (source.digest === destination.digest) return [];
  const chosen =
    platforms.length === 0 ? 'platforms were chosen' : `only ${platforms.join(', ')} ${platforms.length === 1 ? 'was' : 'were'} chosen`;
  return [{ from: source.digest, to: destination.digest, why: `${chosen}, so that signatures of the whole index do not cover it` }];
}

/** Stores the root and points the tags at it: the one step that makes the copy visible. */
async function place(
  context: CopyContext,
  root: Manifest,
  options: {
    readonly present: boolean;
    readonly stored: boolean;
    readonly tags: readonly string[];
    /** What the tags stand for, where that is known. */
    readonly current: readonly (Descriptor | undefined)[] | undefined;
  },
): Promise<void> {
  const { destination, signal } = context;
  const { digest, mediaType } = root.descriptor;
  const { present, stored, tags } = options;
  if (present || (tags.length === 0 && !stored)) await copyManifest(context, root, present);
  // Asked again: somebody may have set the tag while the blobs were on their way.
  const current = options.current ?? (await resolveTags(context, tags));
  for (const [index, tag] of tags.entries()) {
    const reference = `${destination.name}:${tag}`;
    const found = current[index]?.digest;
    if (found !== undefined && found !== digest && context.onConflict !== 'overwrite')
      await attribute('destination', 'tag', reference, signal, () => Promise.reject(tagConflict(reference, found, digest)));
    if (found !== digest && !context.dryRun) {
      await attribute('destination', 'tag', reference, signal, () => destination.tagManifest(root, tag, { signal }));
    }
    if (index === 0 && !stored) {
      context.counts.manifestsCopied += 1;
      context.emit({ kind: 'manifest', digest, mediaType, outcome: 'copied' });
    }
    if (!context.dryRun) context.emit({ kind: 'tagged', reference, digest });
  }
}

function platformsOf(root: Manifest, wanted: readonly string[]): readonly string[] {
  const named = root.children.flatMap(({ platform }) =>
    platform === undefined || platform.os === 'unknown' ? [] : [formatPlatform(platform)],
  );
  return named.length > 0 ? named : wanted;
}
