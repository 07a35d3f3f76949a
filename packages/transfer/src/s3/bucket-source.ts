import type { FileSource, SourceFile } from '../files/file-source.ts';
import type { HttpFileOptions } from '../files/http-file.ts';
import type { RequestOptions } from '../oci/repository.ts';
import { TransferError } from '../transfer-error.ts';
import type { Bucket } from './bucket.ts';
import { listObjects } from './list-objects.ts';

/** A bucket as a source of files; disposing it closes the connections. Paths are keys, as they are. */
export class BucketSource implements FileSource {
  readonly #bucket: Bucket;
  readonly #options: HttpFileOptions;

  constructor(bucket: Bucket, options: HttpFileOptions = {}) {
    this.#bucket = bucket;
    this.#options = options;
  }

  get name(): string {
    return this.#bucket.name;
  }

  [Symbol.dispose](): void {
    this.#bucket[Symbol.dispose]();
  }

  file(path: string): SourceFile {
    const bucket = this.#bucket;
    const { maxBytes } = this.#options;
    // Refuses what is no key before anything is asked.
    bucket.file(path);
    return {
      name: `${bucket.name}/${path}`,
      look: async (options) => {
        const { size, sha256 } = await bucket.requireObject(path, options);
        if (maxBytes !== undefined && size > maxBytes)
          throw new TransferError('TooLarge', `${bucket.name}/${path} has more than the ${maxBytes} bytes that are allowed`, {
            hint: 'Raise the limit if the object is meant to be so large.',
          });
        return { size, digest: sha256, title: undefined };
      },
      // The file is opened when it is read: by then the region of the bucket is known.
      read: (options) => bucket.file(path, this.#options).read(options),
      readAll: async (limit, options) => {
        await bucket.requireObject(path, options);
        return bucket.file(path, this.#options).readAll(limit, options);
      },
    };
  }

  async *list(prefix: string, options: RequestOptions & { readonly limit: number }): AsyncGenerator<string> {
    // Keys that end with a slash are how consoles make folders.
    for await (const { key } of listObjects(this.#bucket, prefix, options)) if (!key.endsWith('/')) yield key;
  }
}
