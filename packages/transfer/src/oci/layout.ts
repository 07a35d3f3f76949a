import { randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { codeOf } from '@arc/kernel';
import { type Descriptor, readDescriptor } from '../descriptor/descriptor.ts';
import { isManifestType, mediaTypes } from '../descriptor/media-types.ts';
import { type Manifest, manifestLimit, parseManifest } from '../descriptor/manifest.ts';
import { parseStrictJson } from '../descriptor/strict-json.ts';
import { algorithmOf, type Digest, DigestVerifier, digestOf, encodedOf, isDigest } from '../digest/digest.ts';
import { TransferError } from '../transfer-error.ts';
import type { RequestOptions, WritableRepository } from './repository.ts';

const refName = 'org.opencontainers.image.ref.name';
const emptyIndex = JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: [] });

interface IndexDocument {
  readonly manifests: readonly Descriptor[];
}

/**
 * An OCI image layout directory (image-spec "Image Layout") as one repository: blobs are files named by digest, tags are
 * entries of `index.json`. Files appear under their final name only when complete. One process writes at a time.
 */
export class OciLayout implements WritableRepository {
  readonly name: string;
  readonly #directory: string;
  #lock: Promise<unknown> = Promise.resolve();
  /** Undefined until a layout that was not there before is begun. */
  #begun: Promise<void> | undefined = Promise.resolve();

  private constructor(directory: string) {
    this.name = `oci-layout://${directory}`;
    this.#directory = directory;
  }

  /** @throws TransferError `NotFound` when there is no layout; `UnexpectedAnswer` when it is of an unknown version */
  static async open(directory: string): Promise<OciLayout> {
    const bytes = await readIfExists(join(directory, 'oci-layout'));
    if (bytes === undefined) {
      throw new TransferError('NotFound', `${directory} is not an OCI layout: it has no file oci-layout`, {
        hint: 'Check the directory in remoteURL and the repository of the image.',
      });
    }
    const document = parseStrictJson(bytes, `${directory}/oci-layout`) as { imageLayoutVersion?: unknown };
    if (document.imageLayoutVersion !== '1.0.0') {
      throw new TransferError(
        'UnexpectedAnswer',
        `${directory} is an OCI layout of the unknown version ${JSON.stringify(document.imageLayoutVersion)}`,
      );
    }
    return new OciLayout(directory);
  }

  /** Opens a layout; where there is none, an empty one that is written to the disk with the first thing stored in it. */
  static async create(directory: string): Promise<OciLayout> {
    if ((await readIfExists(join(directory, 'oci-layout'))) !== undefined) return OciLayout.open(directory);
    const layout = new OciLayout(directory);
    layout.#begun = undefined;
    return layout;
  }

  /** Makes the files every layout has, once, before anything is stored. */
  #begin(): Promise<void> {
    this.#begun ??= storing(this.name, async () => {
      const directory = this.#directory;
      await mkdir(join(directory, 'blobs', 'sha256'), { recursive: true });
      if ((await readIfExists(join(directory, 'index.json'))) === undefined) await writeFile(join(directory, 'index.json'), emptyIndex);
      await writeFile(join(directory, 'oci-layout'), JSON.stringify({ imageLayoutVersion: '1.0.0' }));
    });
    return this.#begun;
  }

  async resolve(reference: string): Promise<Descriptor | undefined> {
    if (!isDigest(reference)) {
      const { manifests } = await this.#readIndex();
      const named = (test: (name: string) => boolean): Descriptor | undefined =>
        manifests.findLast(({ annotations }) => annotations?.[refName] !== undefined && test(annotations[refName]));
      const found = named((name) => name === reference) ?? named((name) => name.endsWith(`:${reference}`));
      return found === undefined ? undefined : { mediaType: found.mediaType, digest: found.digest, size: found.size };
    }
    return (await this.fetchManifest(reference))?.descriptor;
  }

  async fetchManifest(reference: string): Promise<Manifest | undefined> {
    const entry = isDigest(reference) ? { digest: reference, mediaType: '' } : await this.resolve(reference);
    if (entry === undefined) return undefined;
    const path = this.#path(entry.digest);
    const size = await sizeOf(path);
    if (size === undefined) {
      if (isDigest(reference)) return undefined;
      throw new TransferError('NotFound', `${this.name}: index.json names ${entry.digest}, but there is no such file`);
    }
    if (size > manifestLimit)
      throw new TransferError('TooLarge', `${this.name}: manifest ${entry.digest} is larger than ${manifestLimit} bytes`);
    const manifest = parseManifest(await readFile(path), entry.mediaType, algorithmOf(entry.digest));
    if (manifest.descriptor.digest !== entry.digest) {
      throw new TransferError('DigestMismatch', `${this.name}: file ${entry.digest} has the content ${manifest.descriptor.digest}`, {
        hint: 'The layout is damaged: write it again.',
      });
    }
    return manifest;
  }

  async *fetchBlob(descriptor: Descriptor, options: RequestOptions = {}): AsyncGenerator<Buffer> {
    const path = this.#path(descriptor.digest);
    if ((await sizeOf(path)) === undefined)
      throw new TransferError('NotFound', `${this.name} has no blob ${descriptor.digest}`, {
        hint: 'The layout is incomplete: write it again.',
      });
    const verifier = new DigestVerifier(descriptor.digest, descriptor.size, `blob ${descriptor.digest} of ${this.name}`);
    let held: Buffer | undefined;
    for await (const chunk of createReadStream(path, { highWaterMark: 256 * 1024, signal: options.signal }) as AsyncIterable<Buffer>) {
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
      const manifest = await this.fetchManifest(entry.digest);
      if (manifest?.subject?.digest === subject.digest) found.set(entry.digest, manifest.descriptor);
    }
    return [...found.values()];
  }

  async *listTags(): AsyncGenerator<string> {
    const { manifests } = await this.#readIndex();
    const names = manifests.map(({ annotations }) => annotations?.[refName]).filter((name) => name !== undefined);
    yield* new Set(names.map((name) => name.slice(name.lastIndexOf(':') + 1)));
  }

  async hasBlob(descriptor: Descriptor): Promise<boolean> {
    return (await sizeOf(this.#path(descriptor.digest))) === descriptor.size;
  }

  async pushBlob(descriptor: Descriptor, stream: AsyncIterable<Buffer>, options: RequestOptions = {}): Promise<void> {
    await this.#store(descriptor.digest, async (path) => {
      // Opened before the stream begins: one that fails at once would otherwise be opened after the file was removed.
      const file = await open(path, 'wx', 0o644);
      await pipeline(stream, file.createWriteStream({ highWaterMark: 1024 * 1024, flush: true }), { signal: options.signal });
    });
  }

  async pushManifest(manifest: Manifest): Promise<void> {
    await this.#storeManifest(manifest);
    // Children are reached through their index; a referrer is found only if index.json names it.
    if (manifest.subject !== undefined) await this.#addEntry(manifest, undefined);
  }

  async tagManifest(manifest: Manifest, tag: string): Promise<void> {
    await this.#storeManifest(manifest);
    await this.#addEntry(manifest, tag);
  }

  async #storeManifest(manifest: Manifest): Promise<void> {
    const { digest } = manifest.descriptor;
    if (digestOf(manifest.bytes, algorithmOf(digest)) !== digest)
      throw new TransferError('DigestMismatch', `${this.name}: manifest ${digest} has other content`);
    if ((await sizeOf(this.#path(digest))) === manifest.bytes.length) return;
    await this.#store(digest, (path) => writeFile(path, manifest.bytes, { flag: 'wx', flush: true }));
  }

  async #addEntry(manifest: Manifest, tag: string | undefined): Promise<void> {
    const update = async (): Promise<void> => {
      await this.#begin();
      const document = parseStrictJson(await this.#readIndexBytes(), `${this.name}/index.json`) as { manifests: readonly Descriptor[] };
      const entry = {
        ...manifest.descriptor,
        ...(manifest.subject === undefined || manifest.artifactType === undefined ? {} : { artifactType: manifest.artifactType }),
        ...(tag === undefined ? {} : { annotations: { [refName]: tag } }),
      };
      const kept = document.manifests.filter((other) => {
        const name = other.annotations?.[refName];
        return tag === undefined ? other.digest !== entry.digest || name !== undefined : name !== tag;
      });
      const temporary = join(this.#directory, `.index-${randomUUID()}`);
      await writeFile(temporary, JSON.stringify({ ...document, manifests: [...kept, entry] }), { flush: true });
      await rename(temporary, join(this.#directory, 'index.json'));
    };
    const after = this.#lock.then(update, update);
    this.#lock = after.catch(() => {});
    await storing(this.name, () => after);
  }

  async #store(digest: Digest, write: (path: string) => Promise<void>): Promise<void> {
    const path = this.#path(digest);
    const temporary = join(this.#directory, 'blobs', algorithmOf(digest), `.partial-${randomUUID()}`);
    await this.#begin();
    await storing(this.name, async () => {
      await mkdir(join(this.#directory, 'blobs', algorithmOf(digest)), { recursive: true });
      try {
        await write(temporary);
        await rename(temporary, path);
      } catch (error) {
        await rm(temporary, { force: true });
        throw error;
      }
    });
  }

  async #readIndex(): Promise<IndexDocument> {
    const document = parseStrictJson(await this.#readIndexBytes(), `${this.name}/index.json`) as { manifests?: unknown };
    if (!Array.isArray(document.manifests)) throw new TransferError('InvalidManifest', `${this.name}/index.json lists no manifests`);
    return { manifests: document.manifests.map((entry, index) => readDescriptor(entry, `${this.name}/index.json, manifests[${index}]`)) };
  }

  async #readIndexBytes(): Promise<Buffer> {
    if (this.#begun === undefined) return Buffer.from(emptyIndex);
    const bytes = await readIfExists(join(this.#directory, 'index.json'));
    if (bytes === undefined)
      throw new TransferError('InvalidManifest', `${this.name} has no index.json`, { hint: 'The layout is incomplete: write it again.' });
    return bytes;
  }

  #path(digest: Digest): string {
    return join(this.#directory, 'blobs', algorithmOf(digest), encodedOf(digest));
  }
}

async function readIfExists(path: string): Promise<Buffer | undefined> {
  try {
    return await readFile(path);
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return undefined;
    throw error;
  }
}

async function sizeOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return undefined;
    throw error;
  }
}

async function storing<T>(where: string, write: () => Promise<T>): Promise<T> {
  try {
    return await write();
  } catch (error) {
    const code = codeOf(error);
    if (code === 'ENOSPC' || code === 'EDQUOT') {
      throw new TransferError('StorageFull', `${where}: no space left`, {
        cause: error,
        hint: 'Free some space or choose another volume.',
      });
    }
    if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') {
      throw new TransferError('Forbidden', `${where}: may not be written (${code})`, {
        cause: error,
        hint: 'Give the account that runs this write access to the directory.',
      });
    }
    throw error;
  }
}
