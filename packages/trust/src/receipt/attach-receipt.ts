import { attribute, blobOf, type ComposedBlob, type Descriptor, emptyConfig, mediaTypes, parseManifest, readVerified } from '@arc/transfer';
import type { Digest, WritableRepository } from '@arc/transfer';
import { statementPayloadType } from '../dsse/envelope.ts';
import { writtenBundleType } from './sign-statement.ts';
import { transferPredicateType } from './transfer-statement.ts';

interface AttachOptions {
  /** RFC 3339; the annotation by which tools sort. */
  readonly createdAt: string;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Stores a receipt as a referrer of what was delivered, as cosign stores attestations: a bundle when it is signed, the bare
 * statement when not. Returns the digest of the referrer.
 *
 * @throws CopyError
 */
export async function attachReceipt(
  repository: WritableRepository,
  subject: Descriptor,
  receipt: { readonly bytes: Buffer; readonly signed: boolean },
  options: AttachOptions,
): Promise<Digest> {
  const type = receipt.signed ? writtenBundleType : statementPayloadType;
  const layer = blobOf(receipt.bytes, type);
  const manifest = parseManifest(
    Buffer.from(
      JSON.stringify({
        schemaVersion: 2,
        mediaType: mediaTypes.ociManifest,
        artifactType: type,
        config: descriptorOf(emptyConfig),
        layers: [descriptorOf(layer)],
        subject: { mediaType: subject.mediaType, digest: subject.digest, size: subject.size },
        annotations: {
          ...(receipt.signed
            ? { 'dev.sigstore.bundle.content': 'dsse-envelope', 'dev.sigstore.bundle.predicateType': transferPredicateType }
            : {}),
          ...(receipt.signed ? {} : { 'in-toto.io/predicate-type': transferPredicateType }),
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
