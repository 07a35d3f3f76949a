import type { Descriptor } from '../descriptor/descriptor.ts';
import type { FileFacts, FileSource, SourceFile } from '../files/file-source.ts';
import { TransferError } from '../transfer-error.ts';
import type { OpenEndpoint } from './open-repository.ts';
import type { ReadableRepository, RequestOptions } from './repository.ts';

const titleAnnotation = 'org.opencontainers.image.title';

/**
 * A registry or OCI layout as a source of files: the path is `repository:tag` or `repository@digest` of an artifact with one
 * layer, followed by `#TITLE` where it has several.
 */
export class ArtifactFileSource implements FileSource {
  readonly list = undefined;
  readonly #endpoint: OpenEndpoint;
  readonly #maxBytes: number | undefined;

  constructor(endpoint: OpenEndpoint, options: { readonly maxBytes?: number | undefined } = {}) {
    this.#endpoint = endpoint;
    this.#maxBytes = options.maxBytes;
  }

  get name(): string {
    const { location } = this.#endpoint;
    if (location.kind === 'layout') return location.directory;
    return location.kind === 'archive' ? location.file : `${location.origin.host}/${location.prefix}`.replace(/\/$/, '');
  }

  [Symbol.dispose](): void {
    this.#endpoint[Symbol.dispose]();
  }

  file(path: string): SourceFile {
    const parts = /^([^@:#]+)(?::([^@:#/]+)|@(sha\d+:[0-9a-f]+))(?:#(.+))?$/.exec(path);
    if (parts === null)
      throw new TransferError('InvalidReference', `${JSON.stringify(path.slice(0, 300))} does not name an artifact`, {
        hint: 'Write repository:tag or repository@digest, and #TITLE behind it where the artifact has several files.',
      });
    const [, repositoryName = '', tag, digest, title] = parts;
    const reference = tag ?? digest ?? '';
    let opened: Promise<{ readonly repository: ReadableRepository; readonly layer: Descriptor }> | undefined;
    const open = (options: RequestOptions = {}): NonNullable<typeof opened> =>
      (opened ??= this.#open(repositoryName, { reference, title, signal: options.signal }));
    const look = async (options?: RequestOptions): Promise<FileFacts> => {
      const { layer } = await open(options);
      if (this.#maxBytes !== undefined && layer.size > this.#maxBytes)
        throw new TransferError('TooLarge', `${path} has more than the ${this.#maxBytes} bytes that are allowed`);
      return { size: layer.size, digest: layer.digest, title: layer.annotations?.[titleAnnotation] };
    };
    const read = async function* (options: RequestOptions = {}): AsyncGenerator<Buffer> {
      const { repository, layer } = await open(options);
      yield* repository.fetchBlob(layer, options);
    };
    const readAll = async (limit: number, options: RequestOptions = {}): Promise<Buffer> => {
      const { layer } = await open(options);
      if (layer.size > limit) throw new TransferError('TooLarge', `${path} is larger than ${limit} bytes`);
      return Buffer.concat(await Array.fromAsync(read(options)));
    };
    return { name: `${this.name}/${path}`, look, read, readAll };
  }

  async #open(
    name: string,
    {
      reference,
      title,
      signal,
    }: { readonly reference: string; readonly title: string | undefined; readonly signal: AbortSignal | undefined },
  ): Promise<{ readonly repository: ReadableRepository; readonly layer: Descriptor }> {
    const repository = await this.#endpoint.source(name);
    const manifest = await repository.fetchManifest(reference, { signal });
    if (manifest === undefined)
      throw new TransferError('NotFound', `${repository.name} has no ${reference}`, { status: 404, hint: 'Check spec.path.' });
    const layers = manifest.config === undefined ? [] : manifest.blobs.slice(1);
    const matching = title === undefined ? layers : layers.filter(({ annotations }) => annotations?.[titleAnnotation] === title);
    const [layer, ...others] = matching;
    if (layer !== undefined && others.length === 0) return { repository, layer };
    const titles = layers.flatMap(({ annotations }) => annotations?.[titleAnnotation] ?? []).slice(0, 20);
    throw new TransferError('InvalidReference', `${repository.name}: ${reference} has ${matching.length} files that could be meant`, {
      hint:
        titles.length === 0
          ? 'Order an artifact with one file; images are of type oci.'
          : `Write #TITLE behind it; there are ${titles.join(', ')}.`,
    });
  }
}
