import { type Descriptor, formatPlatform, type Platform } from '../descriptor/descriptor.ts';
import { isIndexType } from '../descriptor/media-types.ts';
import { type Manifest, parseManifest } from '../descriptor/manifest.ts';
import { parseStrictJson } from '../descriptor/strict-json.ts';
import { algorithmOf } from '../digest/digest.ts';
import { TransferError } from '../transfer-error.ts';

/** What is left of an index when only some platforms are wanted. */
export type PlatformSelection =
  /** Everything, unchanged. */
  | { readonly kind: 'whole' }
  /** One platform: its manifest, as it is. */
  | { readonly kind: 'single'; readonly manifest: Descriptor }
  /** Several: a new index that lists them, with another digest than the source's. */
  | { readonly kind: 'index'; readonly index: Manifest };

/**
 * Picks `wanted` (`os/architecture[/variant]`; without a variant any variant matches) out of an index. Attestations that
 * belong to a picked manifest stay with it. Other entries keep their order and their bytes' meaning.
 *
 * @throws TransferError `PlatformNotFound` naming what there is
 */
export function selectPlatforms(index: Manifest, wanted: readonly string[]): PlatformSelection {
  if (wanted.length === 0 || !isIndexType(index.descriptor.mediaType)) return { kind: 'whole' };
  const picked = new Set<Descriptor>();
  for (const platform of wanted) {
    const matches = index.children.filter((child) => child.platform !== undefined && matchesPlatform(child.platform, platform));
    if (matches.length === 0) throw notFound(index, platform);
    for (const match of matches) picked.add(match);
  }
  const [only] = picked;
  if (picked.size === 1 && only !== undefined && index.children.length > 1) return { kind: 'single', manifest: only };
  const digests = new Set([...picked].map(({ digest }) => digest as string));
  const kept = index.children.map((child) => picked.has(child) || digests.has(child.annotations?.['vnd.docker.reference.digest'] ?? ''));
  if (kept.every(Boolean)) return { kind: 'whole' };
  const document = parseStrictJson(index.bytes, 'the index') as { manifests: readonly unknown[] };
  const bytes = Buffer.from(JSON.stringify({ ...document, manifests: document.manifests.filter((_, position) => kept[position]) }));
  return { kind: 'index', index: parseManifest(bytes, index.descriptor.mediaType, algorithmOf(index.descriptor.digest)) };
}

export function matchesPlatform(platform: Platform, wanted: string): boolean {
  const [os, architecture, variant] = wanted.split('/');
  return platform.os === os && platform.architecture === architecture && (variant === undefined || platform.variant === variant);
}

/** @throws TransferError `InvalidReference` */
export function parsePlatform(text: string): string {
  if (/^[a-z0-9]+\/[a-z0-9_]+(?:\/[a-z0-9.]+)?$/.test(text)) return text;
  throw new TransferError('InvalidReference', `not a platform: ${JSON.stringify(text.slice(0, 80))}`, {
    hint: 'Write os/architecture, such as linux/amd64 or linux/arm/v7.',
  });
}

function notFound(index: Manifest, platform: string): TransferError {
  const available = index.children.flatMap((child) =>
    child.platform === undefined || child.platform.os === 'unknown' ? [] : [formatPlatform(child.platform)],
  );
  return new TransferError('PlatformNotFound', `the image has no platform ${platform}`, {
    hint: `Choose among ${[...new Set(available)].join(', ') || 'none: its index names no platforms'}.`,
  });
}
