import { attribute, blobOf, type ComposedBlob, type Descriptor, emptyConfig, mediaTypes, parseManifest, readVerified } from '@arc/transfer';
import type { Digest, WritableRepository } from '@arc/transfer';
import { writtenBundleType } from './sign-statement.ts';
import { transferPredicateType } from './transfer-statement.ts';

interface AttachOptions {
  /** RFC 3339; the annotation by which tools sort. */
  readonly createdAt: string;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Stores a signed receipt as a referrer of what was delivered, as cosign stores attestations; registries without the referrers API
 * list it under the fallback tag. Returns the digest of the referrer.
 *
 * @throws CopyError
 */
export async function attachReceipt(
  repository: WritableRepository,
  subject: Descriptor,
  bundle: Buffer,
  options: AttachOptions,
): Promise<Digest> {
  const layer = blobOf(bundle, writtenBundleType);
  const manifest = parseManifest(
    Buffer.from(
      JSON.stringify({
        schemaVersion: 2,
        mediaType: mediaTypes.ociManifest,
        artifactType: writtenBundleType,
        config: descriptorOf(emptyConfig),
        layers: [descriptorOf(layer)],
        subject: { mediaType: subject.mediaType, digest: subject.digest, size: subject.size },
        annotations: {
          'dev.sigstore.bundle.content': 'dsse-envelope',
          'dev.sigstore.bundle.predicateType': transferPredicateType,
          'org.opencontainers.image.created': options.createdAt,
        },
      }),
    ),
    mediaTypes.ociManifest,
  );
  const { signal } = options;
  const where = `${repository.name}@${subject.digest}`;
  await attribute('destination', 'attach the receipt to', where, signal, async () => {
    for (const blob of [emptyConfig, layer]) {
      if (!(await repository.hasBlob(blob, { signal })))
        await repository.pushBlob(blob, readVerified(blob, 'the receipt', signal), { signal });
    }
    await repository.pushManifest(manifest, { signal });
  });
  return manifest.descriptor.digest;
}

function descriptorOf({ mediaType, digest, size }: ComposedBlob): Descriptor {
  return { mediaType, digest, size };
}
