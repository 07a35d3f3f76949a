import { resolveDerivedURL } from '../http/url-rules.ts';
import type { HttpTransport } from '../http/http-transport.ts';
import { HttpFile } from '../files/http-file.ts';
import type { FileSource } from '../files/file-source.ts';
import type { RequestOptions } from '../oci/repository.ts';
import { isTransferError, TransferError } from '../transfer-error.ts';

/** One file of a chart repository. */
interface RepositoryFile {
  readonly name: string;
  /** @throws TransferError `NotFound`, `TooLarge` */
  readAll(limit: number, options?: RequestOptions): Promise<Buffer>;
  readIfThere(limit: number, options?: RequestOptions): Promise<Buffer | undefined>;
}

/** Where a classic chart repository keeps its files. */
export interface RepositoryFiles {
  readonly name: string;
  /** A file by its address as index.yaml has it, relative or absolute, with `suffix` behind its path. @throws TransferError */
  open(address: string, options: { readonly what: string; readonly suffix?: string; readonly maxBytes: number }): RepositoryFile;
}

/** A chart repository on a web server; `base` ends with a slash. Charts may be on other hosts, which are sent no credentials. */
export function filesOfServer(transport: HttpTransport, base: URL): RepositoryFiles {
  return {
    name: `${base.host}${base.pathname.replace(/\/$/, '')}`,
    open: (address, { what, suffix = '', maxBytes }) => {
      const url = resolveDerivedURL(base, address, what);
      url.pathname += suffix;
      return new HttpFile(transport, url, { maxBytes });
    },
  };
}

/** A chart repository in a bucket or directory, whose charts are below its index. */
export function filesOfSource(source: FileSource): RepositoryFiles {
  return {
    name: source.name,
    open: (address, { what, suffix = '' }) => {
      const path = address.replace(/^\.\//, '');
      if (/^[a-z][a-z0-9+.-]*:/i.test(path) || path.startsWith('/') || path.split('/').includes('..')) {
        throw new TransferError(
          'InvalidManifest',
          `${source.name} gives ${JSON.stringify(address.slice(0, 300))} as ${what}, which is not below it`,
          {
            hint: 'Let its index.yaml name charts by their path.',
          },
        );
      }
      const file = source.file(`${path}${suffix}`);
      return {
        name: file.name,
        readAll: (limit, options) => file.readAll(limit, options),
        readIfThere: async (limit, options) => {
          try {
            return await file.readAll(limit, options);
          } catch (error) {
            // Whoever may not list a bucket is told so of objects that are not there.
            if (isTransferError(error, 'NotFound', 'Forbidden')) return undefined;
            throw error;
          }
        },
      };
    },
  };
}
