import { formatPlatform } from '../descriptor/descriptor.ts';
import { isIndexType } from '../descriptor/media-types.ts';
import type { Manifest } from '../descriptor/manifest.ts';
import { isDigest } from '../digest/digest.ts';
import type { ReadableRepository } from '../oci/repository.ts';
import { TransferError } from '../transfer-error.ts';
import { attribute } from './copy-error.ts';
import { type CopyContext, readAtDestination, readAtSource } from './copy-content.ts';
import { matchesPlatform, selectPlatforms } from './platforms.ts';

/** Resolves the reference once; from here on only digests count. */
export async function findRoot(context: CopyContext, reference: string): Promise<{ manifest: Manifest; present: boolean }> {
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

/** The manifest that is left of `found` when only some platforms are wanted. */
export async function select(context: CopyContext, found: Manifest, platforms: readonly string[]): Promise<Manifest> {
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

/** `name:tag` or `name@digest`, for messages. */
export function shown(repository: ReadableRepository, reference: string): string {
  return `${repository.name}${isDigest(reference) ? '@' : ':'}${reference}`;
}
