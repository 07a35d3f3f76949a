import { createHash } from 'node:crypto';
import { OciError } from './oci-error.ts';

export interface StoredManifest {
  readonly digest: string;
  readonly mediaType: string;
  readonly bytes: Buffer;
  readonly subject: string | undefined;
  readonly artifactType: string | undefined;
  readonly annotations: Readonly<Record<string, string>> | undefined;
}

interface Repository {
  readonly blobs: Set<string>;
  readonly manifests: Map<string, StoredManifest>;
  readonly tags: Map<string, string>;
}

interface ManifestDocument {
  readonly mediaType?: string;
  readonly artifactType?: string;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly subject?: { readonly digest: string };
  readonly config?: { readonly digest: string; readonly mediaType: string };
  readonly layers?: readonly { readonly digest: string; readonly mediaType: string }[];
  readonly manifests?: readonly { readonly digest: string }[];
}

/** Returns the digest of `bytes` in OCI notation, `sha256:<hex>` or `sha512:<hex>`. */
export function digestOf(bytes: Uint8Array, algorithm: 'sha256' | 'sha512' = 'sha256'): string {
  return `${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}`;
}

/** What the registry holds. Blob bytes are shared between repositories; who may see which is kept per repository. */
export class RegistryContent {
  readonly #bytes = new Map<string, Buffer>();
  readonly #repositories = new Map<string, Repository>();

  repositories(): string[] {
    return [...this.#repositories.keys()].sort();
  }

  /** Tags of `repository` with the digest each points at, sorted by name; empty when there is no such repository. */
  tags(repository: string): ReadonlyMap<string, string> {
    const tags = this.#repositories.get(repository)?.tags ?? new Map<string, string>();
    return new Map([...tags].sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  has(repository: string): boolean {
    return this.#repositories.has(repository);
  }

  blob(repository: string, digest: string): Buffer | undefined {
    return this.#repositories.get(repository)?.blobs.has(digest) === true ? this.#bytes.get(digest) : undefined;
  }

  /** Digests of the blobs `repository` may serve, sorted. */
  blobs(repository: string): string[] {
    return [...(this.#repositories.get(repository)?.blobs ?? [])].sort();
  }

  putBlob(repository: string, bytes: Buffer, algorithm: 'sha256' | 'sha512' = 'sha256'): string {
    const digest = digestOf(bytes, algorithm);
    if (!this.#bytes.has(digest)) this.#bytes.set(digest, bytes);
    this.#open(repository).blobs.add(digest);
    return digest;
  }

  /** Makes a blob of `from` visible in `repository`; false when `from` does not hold it. */
  mountBlob(repository: string, digest: string, from: string): boolean {
    if (this.#repositories.get(from)?.blobs.has(digest) !== true) return false;
    this.#open(repository).blobs.add(digest);
    return true;
  }

  deleteBlob(repository: string, digest: string): boolean {
    return this.#repositories.get(repository)?.blobs.delete(digest) ?? false;
  }

  /** Digests of the manifests of `repository`, sorted. */
  manifests(repository: string): string[] {
    return [...(this.#repositories.get(repository)?.manifests.keys() ?? [])].sort();
  }

  /** Finds a manifest by tag or digest. */
  manifest(repository: string, reference: string): StoredManifest | undefined {
    const found = this.#repositories.get(repository);
    const digest = reference.includes(':') ? reference : found?.tags.get(reference);
    return digest === undefined ? undefined : found?.manifests.get(digest);
  }

  /**
   * Stores a manifest under its digest and tags it.
   *
   * @throws OciError `MANIFEST_INVALID` when it is not JSON or says another media type, `MANIFEST_BLOB_UNKNOWN` when
   * something it names (other than its subject) is missing
   */
  putManifest(
    repository: string,
    bytes: Buffer,
    mediaType: string,
    tags: readonly string[] = [],
    algorithm: 'sha256' | 'sha512' = 'sha256',
  ): StoredManifest {
    const document = readDocument(bytes);
    if (document.mediaType !== undefined && document.mediaType !== mediaType) {
      throw new OciError(400, 'MANIFEST_INVALID', `Content-Type is ${mediaType} but the manifest says ${document.mediaType}`);
    }
    this.#requireChildren(repository, document);
    const manifest: StoredManifest = {
      digest: digestOf(bytes, algorithm),
      mediaType,
      bytes,
      subject: document.subject?.digest,
      artifactType: document.artifactType ?? document.config?.mediaType,
      annotations: document.annotations,
    };
    const target = this.#open(repository);
    target.manifests.set(manifest.digest, manifest);
    for (const tag of tags) target.tags.set(tag, manifest.digest);
    return manifest;
  }

  /** Removes a tag, or a manifest with every tag on it; false when there was nothing to remove. */
  deleteManifest(repository: string, reference: string): boolean {
    const found = this.#repositories.get(repository);
    if (found === undefined) return false;
    if (!reference.includes(':')) return found.tags.delete(reference);
    for (const [tag, digest] of found.tags) if (digest === reference) found.tags.delete(tag);
    return found.manifests.delete(reference);
  }

  referrers(repository: string, subject: string): StoredManifest[] {
    const manifests = this.#repositories.get(repository)?.manifests.values() ?? [];
    return [...manifests].filter((manifest) => manifest.subject === subject);
  }

  #open(repository: string): Repository {
    let found = this.#repositories.get(repository);
    if (found === undefined) {
      found = { blobs: new Set(), manifests: new Map(), tags: new Map() };
      this.#repositories.set(repository, found);
    }
    return found;
  }

  #requireChildren(repository: string, document: ManifestDocument): void {
    const held = this.#repositories.get(repository);
    const blobs = [...(document.config === undefined ? [] : [document.config]), ...(document.layers ?? [])];
    const missing = [
      ...blobs.filter((blob) => !/nondistributable|foreign/.test(blob.mediaType) && held?.blobs.has(blob.digest) !== true),
      ...(document.manifests ?? []).filter((child) => held?.manifests.has(child.digest) !== true),
    ];
    const [first] = missing;
    if (first !== undefined) throw new OciError(404, 'MANIFEST_BLOB_UNKNOWN', `the manifest names ${first.digest}, which is not here`);
  }
}

function readDocument(bytes: Buffer): ManifestDocument {
  try {
    return JSON.parse(bytes.toString('utf8')) as ManifestDocument;
  } catch (error) {
    throw new OciError(400, 'MANIFEST_INVALID', `the manifest is not JSON: ${String(error)}`);
  }
}
