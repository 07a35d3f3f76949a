import type { Digest } from '../digest/digest.ts';
import type { RequestOptions } from '../oci/repository.ts';

/** What a source says about a file before it is read; as good as the source. */
export interface FileFacts {
  readonly size: number | undefined;
  /** Where the source computed it when it took the file, or names the file by it. */
  readonly digest: Digest | undefined;
  /** What the source calls the file, where that is not the end of its path. */
  readonly title: string | undefined;
}

/** One file at a source. */
export interface SourceFile {
  /** For messages and receipts. */
  readonly name: string;
  /** @throws TransferError `NotFound`, `TooLarge`, and what else says that it cannot be read */
  look(options?: RequestOptions): Promise<FileFacts>;
  /** The bytes, each once, however often a connection breaks. Not verified. */
  read(options?: RequestOptions): AsyncIterable<Buffer>;
  /** A small file. @throws TransferError `TooLarge` beyond `limit` bytes */
  readAll(limit: number, options?: RequestOptions): Promise<Buffer>;
}

/** A place that files come from: a web server, a bucket, a directory, a registry. */
export interface FileSource extends Disposable {
  readonly name: string;
  /** Opens a file by its path below the endpoint. @throws TransferError `InvalidReference` */
  file(path: string): SourceFile;
  /** Paths that begin with a prefix, in no order; undefined where the source cannot list. */
  readonly list: ((prefix: string, options: RequestOptions & { readonly limit: number }) => AsyncIterable<string>) | undefined;
}
