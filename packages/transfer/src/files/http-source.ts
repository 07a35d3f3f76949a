import type { HttpTransport } from '../http/http-transport.ts';
import { resolveBelow } from './base-url.ts';
import type { FileSource, SourceFile } from './file-source.ts';
import { HttpFile, type HttpFileOptions } from './http-file.ts';

/** A web server as a source of files; disposing it closes the connections. Paths are as URLs have them. */
export class HttpSource implements FileSource {
  readonly list = undefined;
  readonly #transport: HttpTransport;
  readonly #base: URL;
  readonly #options: HttpFileOptions;

  /** `base` ends with a slash. */
  constructor(transport: HttpTransport, base: URL, options: HttpFileOptions = {}) {
    this.#transport = transport;
    this.#base = base;
    this.#options = options;
  }

  get name(): string {
    return `${this.#base.host}${this.#base.pathname.replace(/\/$/, '')}`;
  }

  [Symbol.dispose](): void {
    this.#transport[Symbol.dispose]();
  }

  file(path: string): SourceFile {
    const file = new HttpFile(this.#transport, resolveBelow(this.#base, path), this.#options);
    return {
      name: file.name,
      look: async (options) => ({ size: await file.size(options), digest: undefined, title: undefined }),
      read: (options) => file.read(options),
      readAll: (limit, options) => file.readAll(limit, options),
    };
  }
}
