import { codeOf } from '@arc/kernel';
import { TransferError } from '../transfer-error.ts';

/** The files of an OCI layout by their path in it, in a directory or in an archive. */
export interface LayoutFiles {
  /** For messages: `oci-layout:///dir`, `oci-archive:///file.tar`. */
  readonly name: string;
  /** The whole file; undefined when there is none. @throws TransferError `TooLarge` beyond `limit` bytes */
  read(path: string, limit: number): Promise<Buffer | undefined>;
  size(path: string): Promise<number | undefined>;
  stream(path: string, signal: AbortSignal | undefined): AsyncIterable<Buffer>;
  /** Stores a file of `size` bytes, complete or not at all. A stream that ends earlier, or goes on, fails it. */
  store(path: string, size: number, stream: AsyncIterable<Buffer>, signal: AbortSignal | undefined): Promise<void>;
  /** Stores a small file, or replaces it in one step. */
  replace(path: string, bytes: Buffer): Promise<void>;
}

export function tooLarge(name: string, path: string, size: number, limit: number): TransferError {
  return new TransferError('TooLarge', `${name}: ${path} has ${size} bytes, more than the ${limit} that are read`);
}

/** Runs what writes, and says of a full or forbidden disk that it is one. */
export async function storing<T>(where: string, write: () => Promise<T>): Promise<T> {
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
