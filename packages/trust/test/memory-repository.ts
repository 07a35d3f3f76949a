import { type Descriptor, type Manifest, parseManifest, TransferError } from '@arc/transfer';
import type { BuiltImage } from '@arc/testkit';
import type { EvidenceSource } from '../src/evidence/collect.ts';

/** A repository in memory, for tests: what is put there is served as it is, lies included. */
export class MemoryRepository implements EvidenceSource {
  readonly name: string;
  /** What reading a manifest, by tag or digest, throws instead. */
  readonly broken = new Map<string, Error>();
  readonly #manifests = new Map<string, Manifest>();
  readonly #blobs = new Map<string, Buffer>();
  readonly #referrers = new Map<string, Descriptor[]>();

  constructor(name = 'registry.example.org/team/app') {
    this.name = name;
  }

  put(image: BuiltImage, tag?: string): this {
    for (const [digest, bytes] of image.blobs) this.#blobs.set(digest, bytes);
    for (const { bytes, mediaType } of image.manifests) {
      const manifest = parseManifest(bytes, mediaType);
      this.#manifests.set(manifest.descriptor.digest, manifest);
      if (manifest.subject !== undefined) this.refer(manifest.subject.digest, manifest.descriptor);
    }
    const root = this.#manifests.get(image.digest);
    if (tag !== undefined && root !== undefined) this.#manifests.set(tag, root);
    return this;
  }

  /** Lists a referrer, whether it is one or not. */
  refer(subject: string, referrer: Descriptor): void {
    this.#referrers.set(subject, [...(this.#referrers.get(subject) ?? []), referrer]);
  }

  /** @throws Error when it is not there */
  manifest(reference: string): Manifest {
    const found = this.#manifests.get(reference);
    if (found === undefined) throw new Error(`no manifest ${reference}`);
    return found;
  }

  fetchManifest(reference: string): Promise<Manifest | undefined> {
    const error = this.broken.get(reference);
    if (error !== undefined) return Promise.reject(error);
    return Promise.resolve(this.#manifests.get(reference));
  }

  async *fetchBlob(descriptor: Descriptor): AsyncGenerator<Buffer> {
    const bytes = this.#blobs.get(descriptor.digest);
    if (bytes === undefined) throw new TransferError('NotFound', `no blob ${descriptor.digest}`);
    yield bytes;
  }

  listReferrers(subject: Descriptor): Promise<readonly Descriptor[]> {
    return Promise.resolve(this.#referrers.get(subject.digest) ?? []);
  }
}
