import { type Descriptor, readDescriptor } from '../descriptor/descriptor.ts';
import { isManifestType, mediaTypes } from '../descriptor/media-types.ts';
import { type Manifest, manifestLimit, parseManifest } from '../descriptor/manifest.ts';
import { parseStrictJson } from '../descriptor/strict-json.ts';
import { algorithmOf, type Digest, DigestVerifier, digestOf, encodedOf, isDigest } from '../digest/digest.ts';
import { once } from '../once.ts';
import { TransferError } from '../transfer-error.ts';
import { DirectoryFiles } from './directory-files.ts';
import type { LayoutFiles } from './layout-files.ts';
import type { RequestOptions, WritableRepository } from './repository.ts';

const refName = 'org.opencontainers.image.ref.name';
const emptyIndex = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: [] }));

/** Largest `index.json` that is read, bytes: about 100,000 entries. */
const indexLimit = 32 * 1024 * 1024;

/** A name in `index.json`: a tag (with its repository or without), or an untagged manifest of a repository. */
export interface LayoutName {
  readonly name: string;
  /** Begins with a registry where the name was written in full. */
  readonly repository: string | undefined;
  readonly tag: string | undefined;
  readonly digest: Digest;
}

interface IndexDocument {
  readonly manifests: readonly Descriptor[];
}

/**
 * An OCI image layout (image-spec "Image Layout") as one repository: blobs are files named by digest, tags are entries of
 * `index.json`. Files appear under their final name only when complete. One process writes at a time.
 */
export class OciLayout implements WritableRepository {
  readonly name: string;
  readonly #files: LayoutFiles;
  /** Of a layout of several repositories: the one that is meant, in front of its tags. */
  readonly #repository: string | undefined;
  /** The subject of each manifest that was looked at for one; content does not change. */
  readonly #subjects: Map<Digest, Digest | undefined>;
  #lock: Promise<unknown> = Promise.resolve();
  /** Undefined until a layout that was not there before is begun. */
  #begun: Promise<void> | undefined = Promise.resolve();

  private constructor(files: LayoutFiles, repository: string | undefined, subjects = new Map<Digest, Digest | undefined>()) {
    this.#subjects = subjects;
    this.name = repository === undefined ? files.name : `${files.name} ${repository}`;
    this.#files = files;
    this.#repository = repository;
  }

  /** @throws TransferError `NotFound` when there is no layout; `UnexpectedAnswer` when it is of an unknown version */
  static open(directory: string): Promise<OciLayout> {
    return OciLayout.openFiles(new DirectoryFiles(directory));
  }

  /**
   * A layout in any kind of files. With `repository` (`registry.example.org/team/app`) only names that begin with it are
   * tags, so that one layout holds several repositories.
   *
   * @throws TransferError as `open`
   */
  static async openFiles(files: LayoutFiles, repository?: string): Promise<OciLayout> {
    const bytes = await files.read('oci-layout', 4096);
    if (bytes === undefined) {
      throw new TransferError('NotFound', `${files.name} is not an OCI layout: it has no file oci-layout`, {
        hint: 'Check the path, and the repository of the image.',
      });
    }
    const document = parseStrictJson(bytes, `${files.name}, oci-layout`) as { imageLayoutVersion?: unknown } | null;
    if (document?.imageLayoutVersion !== '1.0.0') {
      throw new TransferError(
        'UnexpectedAnswer',
        `${files.name} is an OCI layout of the unknown version ${JSON.stringify(document?.imageLayoutVersion)}`,
      );
    }
    return new OciLayout(files, repository);
  }

  /** The same layout as one of the repositories it holds, to be read. */
  within(repository: string): OciLayout {
    return new OciLayout(this.#files, repository, this.#subjects);
  }

  /** Opens a layout; where there is none, an empty one that is written to the disk with the first thing stored in it. */
  static create(directory: string): Promise<OciLayout> {
    return OciLayout.createFiles(new DirectoryFiles(directory));
  }

  static async createFiles(files: LayoutFiles, repository?: string): Promise<OciLayout> {
    if ((await files.size('oci-layout')) !== undefined) return OciLayout.openFiles(files, repository);
    const layout = new OciLayout(files, repository);
    layout.#begun = undefined;
    return layout;
  }

  /** Makes the files every layout has, once, before anything is stored. */
  #begin(): Promise<void> {
    this.#begun ??= (async () => {
      if ((await this.#files.size('index.json')) === undefined) await this.#files.replace('index.json', emptyIndex);
      await this.#files.replace('oci-layout', Buffer.from(JSON.stringify({ imageLayoutVersion: '1.0.0' })));
    })();
    return this.#begun;
  }

  async resolve(reference: string): Promise<Descriptor | undefined> {
    if (!isDigest(reference)) {
      const { manifests } = await this.#readIndex();
      const named = (test: (name: string) => boolean): Descriptor | undefined =>
        manifests.findLast(({ annotations }) => annotations?.[refName] !== undefined && test(annotations[refName]));
      const whole = this.#nameOf(reference);
      const found =
        named((name) => name === whole) ?? (this.#repository === undefined ? named((name) => name.endsWith(`:${reference}`)) : undefined);
      return found === undefined ? undefined : { mediaType: found.mediaType, digest: found.digest, size: found.size };
    }
    return (await this.fetchManifest(reference))?.descriptor;
  }

  async fetchManifest(reference: string): Promise<Manifest | undefined> {
    const entry = isDigest(reference) ? { digest: reference, mediaType: '' } : await this.resolve(reference);
    if (entry === undefined) return undefined;
    const bytes = await this.#files.read(pathOf(entry.digest), manifestLimit);
    if (bytes === undefined) {
      if (isDigest(reference)) return undefined;
      throw new TransferError('NotFound', `${this.name}: index.json names ${entry.digest}, but there is no such file`);
    }
    const manifest = parseManifest(bytes, entry.mediaType, algorithmOf(entry.digest));
    if (manifest.descriptor.digest !== entry.digest) {
      throw new TransferError('DigestMismatch', `${this.name}: file ${entry.digest} has the content ${manifest.descriptor.digest}`, {
        hint: 'The layout is damaged: write it again.',
      });
    }
    return manifest;
  }

  async *fetchBlob(descriptor: Descriptor, options: RequestOptions = {}): AsyncGenerator<Buffer> {
    const path = pathOf(descriptor.digest);
    if ((await this.#files.size(path)) === undefined)
      throw new TransferError('NotFound', `${this.name} has no blob ${descriptor.digest}`, {
        hint: 'The layout is incomplete: write it again.',
      });
    const verifier = new DigestVerifier(descriptor.digest, descriptor.size, `blob ${descriptor.digest} of ${this.name}`);
    let held: Buffer | undefined;
    for await (const chunk of this.#files.stream(path, options.signal)) {
      verifier.update(chunk);
      if (held !== undefined) yield held;
      held = chunk;
    }
    verifier.finish();
    if (held !== undefined) yield held;
  }

  /** Looks through every manifest that `index.json` lists. */
  async listReferrers(subject: Descriptor): Promise<readonly Descriptor[]> {
    const { manifests } = await this.#readIndex();
    const found = new Map<Digest, Descriptor>();
    for (const entry of manifests) {
      if (!isManifestType(entry.mediaType)) continue;
      if (!this.#subjects.has(entry.digest)) this.#subjects.set(entry.digest, (await this.fetchManifest(entry.digest))?.subject?.digest);
      if (this.#subjects.get(entry.digest) !== subject.digest) continue;
      const manifest = await this.fetchManifest(entry.digest);
      if (manifest !== undefined) found.set(entry.digest, manifest.descriptor);
    }
    return [...found.values()];
  }

  /** Everything `index.json` gives a name, whichever repository it belongs to. */
  async names(): Promise<readonly LayoutName[]> {
    const { manifests } = await this.#readIndex();
    return manifests.flatMap((entry) => {
      const name = entry.annotations?.[refName];
      return name === undefined ? [] : [{ ...parseLayoutName(name), digest: entry.digest }];
    });
  }

  /** Manifests that `index.json` lists and that are not there. */
  async absent(): Promise<readonly Digest[]> {
    const absent: Digest[] = [];
    for (const { digest } of (await this.#readIndex()).manifests)
      if ((await this.#files.size(pathOf(digest))) === undefined) absent.push(digest);
    return absent;
  }

  async *listTags(): AsyncGenerator<string> {
    const { manifests } = await this.#readIndex();
    const names = manifests.map(({ annotations }) => annotations?.[refName]).filter((name) => name !== undefined);
    const own = this.#repository === undefined ? '' : `${this.#repository}:`;
    yield* new Set(names.filter((name) => name.startsWith(own)).map((name) => name.slice(name.lastIndexOf(':') + 1)));
  }

  async hasBlob(descriptor: Descriptor): Promise<boolean> {
    return (await this.#files.size(pathOf(descriptor.digest))) === descriptor.size;
  }

  async pushBlob(descriptor: Descriptor, stream: AsyncIterable<Buffer>, options: RequestOptions = {}): Promise<void> {
    await this.#begin();
    await this.#files.store(pathOf(descriptor.digest), descriptor.size, stream, options.signal);
  }

  async pushManifest(manifest: Manifest): Promise<void> {
    await this.#storeManifest(manifest);
    // Children are reached through their index; a referrer is found only if index.json names it.
    if (manifest.subject !== undefined) await this.#addEntry(manifest, undefined);
  }

  async tagManifest(manifest: Manifest, tag: string): Promise<void> {
    await this.#storeManifest(manifest);
    await this.#addEntry(manifest, this.#nameOf(tag));
  }

  /** Lists a manifest that has no tag by its digest, so that whoever reads `index.json` finds it. */
  async nameManifest(manifest: Manifest): Promise<void> {
    await this.#addEntry(manifest, `${this.#repository ?? ''}@${manifest.descriptor.digest}`);
  }

  #nameOf(tag: string): string {
    return this.#repository === undefined ? tag : `${this.#repository}:${tag}`;
  }

  async #storeManifest(manifest: Manifest): Promise<void> {
    const { digest } = manifest.descriptor;
    if (digestOf(manifest.bytes, algorithmOf(digest)) !== digest)
      throw new TransferError('DigestMismatch', `${this.name}: manifest ${digest} has other content`);
    if ((await this.#files.size(pathOf(digest))) === manifest.bytes.length) return;
    await this.#begin();
    await this.#files.store(pathOf(digest), manifest.bytes.length, once(manifest.bytes), undefined);
  }

  async #addEntry(manifest: Manifest, name: string | undefined): Promise<void> {
    const update = async (): Promise<void> => {
      await this.#begin();
      const document = parseStrictJson(await this.#readIndexBytes(), `${this.name}, index.json`) as { manifests: readonly Descriptor[] };
      const entry = {
        ...manifest.descriptor,
        ...(manifest.subject === undefined || manifest.artifactType === undefined ? {} : { artifactType: manifest.artifactType }),
        ...(name === undefined ? {} : { annotations: { [refName]: name } }),
      };
      const kept = document.manifests.filter((other) => {
        const known = other.annotations?.[refName];
        return name === undefined ? other.digest !== entry.digest || known !== undefined : known !== name;
      });
      await this.#files.replace('index.json', Buffer.from(JSON.stringify({ ...document, manifests: [...kept, entry] })));
    };
    const after = this.#lock.then(update, update);
    this.#lock = after.catch(() => {});
    await after;
  }

  async #readIndex(): Promise<IndexDocument> {
    return { manifests: readLayoutIndex(await this.#readIndexBytes(), this.name) };
  }

  async #readIndexBytes(): Promise<Buffer> {
    if (this.#begun === undefined) return emptyIndex;
    const bytes = await this.#files.read('index.json', indexLimit);
    if (bytes === undefined)
      throw new TransferError('InvalidManifest', `${this.name} has no index.json`, { hint: 'The layout is incomplete: write it again.' });
    return bytes;
  }
}

/** `tag`, `repository:tag` or `repository@digest`; nothing is checked. */
function parseLayoutName(name: string): Omit<LayoutName, 'digest'> {
  const at = name.indexOf('@');
  if (at !== -1) return { name, repository: name.slice(0, at), tag: undefined };
  const colon = name.lastIndexOf(':');
  return colon === -1 ? { name, repository: undefined, tag: name } : { name, repository: name.slice(0, colon), tag: name.slice(colon + 1) };
}

function readLayoutIndex(bytes: Buffer, name: string): readonly Descriptor[] {
  const document = parseStrictJson(bytes, `${name}, index.json`) as { manifests?: unknown } | null;
  if (!Array.isArray(document?.manifests)) throw new TransferError('InvalidManifest', `${name}: index.json lists no manifests`);
  return document.manifests.map((entry, index) => readDescriptor(entry, `${name}, index.json, manifests[${index}]`));
}

function pathOf(digest: Digest): string {
  return `blobs/${algorithmOf(digest)}/${encodedOf(digest)}`;
}
