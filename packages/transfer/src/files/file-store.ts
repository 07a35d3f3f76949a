import type { Digest } from '../digest/digest.ts';
import type { RequestOptions } from '../oci/repository.ts';
import { TransferError } from '../transfer-error.ts';

/** Bytes to be stored, and what they have to be. */
export interface FileContent {
  readonly digest: Digest;
  readonly size: number;
  /** The bytes from their beginning, again when a try failed. */
  open(): AsyncIterable<Buffer>;
}

/** A small file as it was read, and what tells whether it is still the same. */
export interface VersionedFile {
  readonly bytes: Buffer;
  readonly version: string;
}

/** A place that files are delivered to by their path: a directory, a bucket, a web server that takes PUT. */
export interface FileStore {
  /** For messages and receipts; with a slash and a path it names a file. */
  readonly name: string;
  /** What is not as good as it should be, for the receipt; known after writing. */
  readonly warnings?: readonly string[];
  /**
   * The digest of a file there, of the algorithm of `like`; undefined when there is none, or none that may be read. What the
   * place computed itself when it took the file is believed unless `readAgain` is set.
   */
  digest(path: string, like: Digest, options?: RequestOptions & { readonly readAgain?: boolean }): Promise<Digest | undefined>;
  /**
   * Writes a file, which appears under its name only when complete and of the right digest.
   *
   * @throws TransferError `TagConflict` when there is another and `overwrite` is not set; `DigestMismatch`, `SizeMismatch`,
   * `StorageFull`, `Forbidden`, `InvalidReference`
   */
  write(path: string, content: FileContent, options?: RequestOptions & { readonly overwrite?: boolean }): Promise<void>;
  /** A whole file of at most `limit` bytes, or undefined when there is none. */
  readVersioned(path: string, limit: number, options?: RequestOptions): Promise<VersionedFile | undefined>;
  /** Writes a whole file if it is still at that version, or still missing; false when somebody else was faster. */
  replace(path: string, bytes: Buffer, version: string | undefined, options?: RequestOptions): Promise<boolean>;
}

/** Says that the place of a file, which was free before, is taken by another one. */
export function writtenMeanwhile(file: string, cause?: unknown): TransferError {
  return new TransferError('TagConflict', `${file} was written by somebody else meanwhile`, {
    ...(cause === undefined ? {} : { cause }),
    retryable: true,
    hint: 'Run the order again; what is there is then compared first.',
  });
}
