import type { Descriptor } from '../descriptor/descriptor.ts';
import { mediaTypes } from '../descriptor/media-types.ts';
import { type Manifest, parseManifest } from '../descriptor/manifest.ts';
import { type Digest, DigestVerifier, digestOf } from '../digest/digest.ts';
import { TransferError } from '../transfer-error.ts';
import type { ReadableRepository, RequestOptions } from './repository.ts';
import { once } from '../once.ts';

/** One blob of an artifact that is put together here, and where its bytes come from. */
export interface ComposedBlob {
  readonly mediaType: string;
  readonly digest: Digest;
  readonly size: number;
  readonly annotations?: Readonly<Record<string, string>>;
  /** Called when the bytes are needed, which they are not when the destination has them. */
  open(signal: AbortSignal | undefined): AsyncIterable<Buffer>;
}

export interface ComposedManifest {
  readonly artifactType?: string;
  readonly config: ComposedBlob;
  readonly layers: readonly ComposedBlob[];
  readonly annotations?: Readonly<Record<string, string>>;
}

const emptyConfigType = 'application/vnd.oci.empty.v1+json';

/** A blob of bytes at hand. */
export function blobOf(bytes: Buffer, mediaType: string, annotations?: Readonly<Record<string, string>>): ComposedBlob {
  return {
    mediaType,
    digest: digestOf(bytes),
    size: bytes.length,
    open: () => once(bytes),
    ...(annotations === undefined ? {} : { annotations }),
  };
}

/** The config of an artifact that has none (image-spec, "Guidance for an Empty Descriptor"). */
export const emptyConfig: ComposedBlob = blobOf(Buffer.from('{}'), emptyConfigType);

/**
 * An artifact made of content that was in no registry before, as a repository to copy from. The same content gives the
 * same bytes, so that a second run finds everything there.
 */
export class ComposedArtifact implements ReadableRepository {
  readonly name: string;
  readonly manifest: Manifest;
  readonly #blobs: ReadonlyMap<Digest, ComposedBlob>;

  /** `name` says in messages where the content comes from. */
  constructor(name: string, parts: ComposedManifest) {
    this.name = name;
    const { artifactType, config, layers, annotations } = parts;
    const document = {
      schemaVersion: 2,
      mediaType: mediaTypes.ociManifest,
      ...(artifactType === undefined ? {} : { artifactType }),
      config: descriptorOf(config),
      layers: layers.map(descriptorOf),
      ...(annotations === undefined ? {} : { annotations }),
    };
    this.manifest = parseManifest(Buffer.from(JSON.stringify(document)), mediaTypes.ociManifest);
    this.#blobs = new Map([config, ...layers].map((blob) => [blob.digest, blob]));
  }

  async resolve(reference: string): Promise<Descriptor | undefined> {
    return (await this.fetchManifest(reference))?.descriptor;
  }

  fetchManifest(reference: string): Promise<Manifest | undefined> {
    return Promise.resolve(reference === this.manifest.descriptor.digest ? this.manifest : undefined);
  }

  async *fetchBlob(descriptor: Descriptor, options: RequestOptions = {}): AsyncGenerator<Buffer> {
    const blob = this.#blobs.get(descriptor.digest);
    if (blob === undefined) throw new TransferError('NotFound', `${this.name} has no blob ${descriptor.digest}`);
    yield* readVerified(blob, this.name, options.signal);
  }

  listReferrers(): Promise<readonly Descriptor[]> {
    return Promise.resolve([]);
  }

  async *listTags(): AsyncGenerator<string> {}
}

/** The bytes of a blob; the last piece comes only once size and digest of the whole are right. */
export async function* readVerified(blob: ComposedBlob, name: string, signal: AbortSignal | undefined): AsyncGenerator<Buffer> {
  const verifier = new DigestVerifier(blob.digest, blob.size, name);
  let held: Buffer | undefined;
  for await (const chunk of blob.open(signal)) {
    verifier.update(chunk);
    if (held !== undefined) yield held;
    held = chunk;
  }
  verifier.finish();
  if (held !== undefined) yield held;
}

function descriptorOf({ mediaType, digest, size, annotations }: ComposedBlob): Omit<ComposedBlob, 'open'> {
  return { mediaType, digest, size, ...(annotations === undefined ? {} : { annotations }) };
}
