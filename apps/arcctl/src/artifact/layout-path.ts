import { lstat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { codeOf } from '@arc/kernel';
import { ArchiveFiles, DirectoryFiles, type LayoutFiles } from '@arc/transfer';

/** A layout on a disk, opened. */
export interface OpenLayout extends AsyncDisposable {
  readonly files: LayoutFiles;
  /** Makes what was written readable for others. */
  finish(): Promise<void>;
}

/** A directory, or an archive when its name ends with .tar. */
export async function openLayoutToWrite(path: string): Promise<OpenLayout> {
  const absolute = resolve(path);
  if (!absolute.endsWith('.tar')) return directory(absolute);
  const files = await ArchiveFiles.create(absolute);
  return { files, finish: () => files.finish(), [Symbol.asyncDispose]: () => files[Symbol.asyncDispose]() };
}

/** A directory, or an archive when it is a file. */
export async function openLayoutToRead(path: string): Promise<OpenLayout> {
  const absolute = resolve(path);
  if (await isDirectory(absolute)) return directory(absolute);
  const files = await ArchiveFiles.open(absolute);
  return { files, finish: async () => {}, [Symbol.asyncDispose]: () => files[Symbol.asyncDispose]() };
}

function directory(path: string): OpenLayout {
  return { files: new DirectoryFiles(path), finish: async () => {}, [Symbol.asyncDispose]: async () => {} };
}

async function isDirectory(path: string): Promise<boolean> {
  try {
    return (await lstat(path)).isDirectory();
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return false;
    throw error;
  }
}
