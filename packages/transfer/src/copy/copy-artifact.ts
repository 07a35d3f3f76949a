import { type Clock, systemClock } from '@arc/kernel';
import { type Descriptor, formatPlatform } from '../descriptor/descriptor.ts';
import { isIndexType } from '../descriptor/media-types.ts';
import type { Manifest } from '../descriptor/manifest.ts';
import { type Digest, isDigest } from '../digest/digest.ts';
import { defaultRetryPolicy, type RetryPolicy } from '../http/retry.ts';
import type { ReadableRepository, WritableRepository } from '../oci/repository.ts';
import { TransferError } from '../transfer-error.ts';
import { attribute } from './copy-error.ts';
import { copyBelow, copyManifest, type CopyContext, planGraph, readAtDestination, readAtSource } from './copy-content.ts';
import { type CopyEvent, CopyProgress } from './copy-events.ts';
import { copyReferrers, type ReferrerPolicy } from './copy-referrers.ts';
import { matchesPlatform, selectPlatforms } from './platforms.ts';

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
  readonly tags: readonly string[];
  readonly manifests: { readonly copied: number; readonly present: number };
  readonly blobs: { readonly copied: number; readonly present: number; readonly mounted: number };
  readonly bytes: { readonly copied: number; readonly total: number };
  readonly referrers: number;
  readonly warnings: readonly string[];
}

/**
 * Copies an artifact by tag or digest: every byte as it is, verified on the way; what is there already is not sent
 * again; children before parents and the tags last, so that a copy that fails leaves no tag behind.
 *
 * @throws CopyError saying which side failed, doing what; the reason of the signal
 */
export async function copyArtifact(
  source: ReadableRepository,
  reference: string,
  destination: WritableRepository,
  options: CopyOptions = {},
): Promise<CopyResult> {
  const { tags = [], platforms = [], referrers = 'best-effort' } = options;
  const context = contextOf(source, destination, options);
  const found = await findRoot(context, reference);
  const root = await select(context, found.manifest, platforms);
  const present = root === found.manifest ? found.present : (await readAtDestination(context, root.descriptor.digest)) !== undefined;
  const graph = await planGraph(context, root, present);
  context.emit({ kind: 'planned', manifests: graph.nodes.length, blobs: graph.blobCount, totalBytes: graph.totalBytes });
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
  await place(context, root, { present, stored, tags });
  return {
    source: found.manifest.descriptor,
    destination: root.descriptor,
    rewritten: root.descriptor.digest !== found.manifest.descriptor.digest,
    platforms: platformsOf(root, platforms),
    tags,
    manifests: { copied: context.counts.manifestsCopied, present: context.counts.manifestsPresent },
    blobs: { copied: context.counts.copied, present: context.counts.present, mounted: context.counts.mounted },
    bytes: { copied: context.progress.copiedBytes, total: context.progress.totalBytes },
    referrers: referrerCount,
    warnings: context.warnings,
  };
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

type RootContext = CopyContext & { readonly warnings: string[] };

function contextOf(source: ReadableRepository, destination: WritableRepository, options: CopyOptions): RootContext {
  const warnings: string[] = [];
  const emit = (event: CopyEvent): void => {
    if (event.kind === 'warning') warnings.push(event.message);
    options.onEvent?.(event);
  };
  return {
    source,
    destination,
    warnings,
    emit,
    signal: options.signal,
    concurrency: options.concurrency ?? 4,
    clock: options.clock ?? systemClock,
    retry: options.retry ?? defaultRetryPolicy,
    progress: new CopyProgress(emit),
    counts: { manifestsCopied: 0, manifestsPresent: 0, copied: 0, present: 0, mounted: 0 },
    settled: new Set<Digest>(),
  };
}

/** Resolves the reference once; from here on only digests count. */
async function findRoot(context: CopyContext, reference: string): Promise<{ manifest: Manifest; present: boolean }> {
  const { source, signal } = context;
  const digest = isDigest(reference)
    ? reference
    : (await attribute('source', 'resolve', shown(source, reference), signal, () => source.resolve(reference, { signal })))?.digest;
  const held = digest === undefined ? undefined : await readAtDestination(context, digest);
  const manifest = held ?? (await readAtSource(context, digest ?? reference));
  const { mediaType, size } = manifest.descriptor;
  context.emit({ kind: 'resolved', reference: shown(source, reference), digest: manifest.descriptor.digest, mediaType, size });
  return { manifest, present: held !== undefined };
}

async function select(context: CopyContext, found: Manifest, platforms: readonly string[]): Promise<Manifest> {
  const { source, signal } = context;
  if (platforms.length === 0) return found;
  return attribute('source', 'select platforms of', shown(source, found.descriptor.digest), signal, async () => {
    if (!isIndexType(found.descriptor.mediaType)) {
      await requirePlatform(context, found, platforms);
      return found;
    }
    const selection = selectPlatforms(found, platforms);
    switch (selection.kind) {
      case 'whole':
        return found;
      case 'single':
        return (await readAtDestination(context, selection.manifest.digest)) ?? (await readAtSource(context, selection.manifest.digest));
      case 'index':
        context.emit({
          kind: 'warning',
          message:
            'the index was rewritten for the chosen platforms, so its digest differs from the source and signatures of it do not apply',
        });
        return selection.index;
    }
  });
}

/** An image without an index says its platform in its config. */
async function requirePlatform(context: CopyContext, manifest: Manifest, platforms: readonly string[]): Promise<void> {
  const { config } = manifest;
  if (config === undefined || config.size > 1024 * 1024) return;
  const chunks: Buffer[] = [];
  for await (const chunk of context.source.fetchBlob(config, { signal: context.signal })) chunks.push(chunk);
  const document = JSON.parse(Buffer.concat(chunks).toString('utf8')) as { os?: unknown; architecture?: unknown; variant?: unknown };
  if (typeof document.os !== 'string' || typeof document.architecture !== 'string') return;
  const platform = {
    os: document.os,
    architecture: document.architecture,
    ...(typeof document.variant === 'string' ? { variant: document.variant } : {}),
  };
  const missing = platforms.find((wanted) => !matchesPlatform(platform, wanted));
  if (missing !== undefined) {
    throw new TransferError('PlatformNotFound', `the image is for ${formatPlatform(platform)} only, not ${missing}`, {
      hint: `Choose ${formatPlatform(platform)}, or leave platforms out.`,
    });
  }
}

/** Stores the root and points the tags at it: the one step that makes the copy visible. */
async function place(
  context: CopyContext,
  root: Manifest,
  options: { readonly present: boolean; readonly stored: boolean; readonly tags: readonly string[] },
): Promise<void> {
  const { destination, signal } = context;
  const { digest, mediaType } = root.descriptor;
  const { present, stored, tags } = options;
  if (present || (tags.length === 0 && !stored)) await copyManifest(context, root, present);
  const current = await Promise.all(
    tags.map((tag) =>
      attribute('destination', 'resolve', `${destination.name}:${tag}`, signal, () => destination.resolve(tag, { signal })),
    ),
  );
  for (const [index, tag] of tags.entries()) {
    const reference = `${destination.name}:${tag}`;
    if (current[index]?.digest !== digest) {
      await attribute('destination', 'tag', reference, signal, () => destination.tagManifest(root, tag, { signal }));
    }
    if (index === 0 && !stored) {
      context.counts.manifestsCopied += 1;
      context.emit({ kind: 'manifest', digest, mediaType, outcome: 'copied' });
    }
    context.emit({ kind: 'tagged', reference, digest });
  }
}

function platformsOf(root: Manifest, wanted: readonly string[]): readonly string[] {
  const named = root.children.flatMap(({ platform }) =>
    platform === undefined || platform.os === 'unknown' ? [] : [formatPlatform(platform)],
  );
  return named.length > 0 ? named : wanted;
}

function shown(repository: ReadableRepository, reference: string): string {
  return `${repository.name}${isDigest(reference) ? '@' : ':'}${reference}`;
}
