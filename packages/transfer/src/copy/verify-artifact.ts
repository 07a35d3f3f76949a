import type { Descriptor } from '../descriptor/descriptor.ts';
import { isForeignLayerType, isManifestType } from '../descriptor/media-types.ts';
import type { Digest } from '../digest/digest.ts';
import type { ReadableRepository, WritableRepository } from '../oci/repository.ts';
import { forEachBounded } from './bounded.ts';
import { expectedDescriptor } from './copy-artifact.ts';
import { attribute } from './copy-error.ts';

export interface VerifyOptions {
  /** Tags that must stand for the artifact; with none it must be there by digest. */
  readonly tags?: readonly string[];
  readonly platforms?: readonly string[];
  readonly concurrency?: number;
  readonly signal?: AbortSignal;
}

export interface VerifyResult {
  readonly source: Descriptor;
  /** What the destination has to hold. */
  readonly expected: Descriptor;
  /** What each tag (or the digest) stands for at the destination. */
  readonly found: readonly { readonly reference: string; readonly digest: Digest | undefined }[];
  /** Manifests and blobs that the destination should hold and does not. */
  readonly missing: readonly Digest[];
  readonly checked: number;
  readonly matches: boolean;
}

/**
 * Compares both sides: the digest each destination tag stands for, and that everything below it is there. A mismatch is
 * a result, not an error.
 *
 * @throws CopyError when one side cannot be asked; the reason of the signal
 */
export async function verifyArtifact(
  source: ReadableRepository,
  reference: string,
  destination: ReadableRepository & Pick<WritableRepository, 'hasBlob'>,
  options: VerifyOptions = {},
): Promise<VerifyResult> {
  const { tags = [], platforms = [], concurrency = 8, signal } = options;
  const both = await expectedDescriptor(source, reference, platforms, signal);
  const references = tags.length === 0 ? [both.destination.digest] : tags;
  const found = await Promise.all(
    references.map(async (wanted) => {
      const shown = `${destination.name}${wanted.includes(':') ? '@' : ':'}${wanted}`;
      const there = await attribute('destination', 'resolve', shown, signal, () => destination.resolve(wanted, { signal }));
      return { reference: shown, digest: there?.digest };
    }),
  );
  const { missing, checked } = await findMissing(destination, both.destination, concurrency, signal);
  const matches = missing.length === 0 && found.every(({ digest }) => digest === both.destination.digest);
  return { source: both.source, expected: both.destination, found, missing, checked, matches };
}

async function findMissing(
  destination: ReadableRepository & Pick<WritableRepository, 'hasBlob'>,
  root: Descriptor,
  concurrency: number,
  signal: AbortSignal | undefined,
): Promise<{ missing: Digest[]; checked: number }> {
  const missing: Digest[] = [];
  const blobs = new Map<Digest, Descriptor>();
  const seen = new Set<Digest>();
  const visit = async (descriptor: Descriptor): Promise<void> => {
    if (seen.has(descriptor.digest)) return;
    seen.add(descriptor.digest);
    const shown = `${destination.name}@${descriptor.digest}`;
    const manifest = await attribute('destination', 'read manifest', shown, signal, () =>
      destination.fetchManifest(descriptor.digest, { signal }),
    );
    if (manifest === undefined) missing.push(descriptor.digest);
    for (const blob of manifest?.blobs ?? []) if (!isForeignLayerType(blob.mediaType)) blobs.set(blob.digest, blob);
    for (const child of manifest?.children ?? []) {
      if (isManifestType(child.mediaType)) await visit(child);
      else blobs.set(child.digest, child);
    }
  };
  await visit(root);
  await forEachBounded(
    blobs.values(),
    concurrency,
    async (blob, stop) => {
      const shown = `${destination.name}@${blob.digest}`;
      if (!(await attribute('destination', 'look for blob', shown, stop, () => destination.hasBlob(blob, { signal: stop }))))
        missing.push(blob.digest);
    },
    signal,
  );
  return { missing: missing.sort(), checked: seen.size + blobs.size };
}
