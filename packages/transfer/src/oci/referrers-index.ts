import type { Descriptor } from '../descriptor/descriptor.ts';
import { mediaTypes } from '../descriptor/media-types.ts';
import { type Manifest, parseManifest } from '../descriptor/manifest.ts';
import { algorithmOf, type Digest, encodedOf } from '../digest/digest.ts';

/** The tag under which registries without the referrers API keep the referrers of `subject` (distribution-spec, "Referrers Tag Schema"). */
export function referrersTag(subject: Digest): string {
  return `${algorithmOf(subject).slice(0, 32)}-${encodedOf(subject).slice(0, 64)}`;
}

/**
 * Reads what such a tag points at. Some registries answer the tag with the subject itself; that is no list of referrers.
 */
export function readReferrersIndex(subject: Digest, index: Manifest | undefined): readonly Descriptor[] {
  if (index === undefined || index.descriptor.mediaType !== mediaTypes.ociIndex || index.descriptor.digest === subject) return [];
  return index.children.some((child) => child.digest === subject) ? [] : index.children;
}

/** The index with `referrer` added; undefined when it is listed already. */
export function withReferrer(known: readonly Descriptor[], referrer: Manifest): Manifest | undefined {
  if (known.some(({ digest }) => digest === referrer.descriptor.digest)) return undefined;
  const added: Descriptor = {
    ...referrer.descriptor,
    ...(referrer.artifactType === undefined ? {} : { artifactType: referrer.artifactType }),
    ...(referrer.annotations === undefined ? {} : { annotations: referrer.annotations }),
  };
  const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: [...known, added] }));
  return parseManifest(bytes, mediaTypes.ociIndex);
}
