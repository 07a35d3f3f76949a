import { messageOf } from '@arc/kernel';
import { StorageError, type StorageErrorCode } from '@arc/storage';
import type { Failure } from './protocol.ts';

/** A failure of the database thread, already classified. */
export class DatabaseFailure extends Error {
  readonly failure: Failure;

  constructor(failure: Failure, cause?: unknown) {
    super(failure.message, { cause });
    this.name = 'DatabaseFailure';
    this.failure = failure;
  }
}

interface Class {
  readonly code: StorageErrorCode;
  readonly what: string;
  readonly hint: string;
}

const damaged: Class = {
  code: 'BadDatabase',
  what: 'is damaged or is not a database of ARC',
  hint: 'Restore the file from a backup, or move it away together with its -wal and -shm files to start empty.',
};

const inaccessible: Class = {
  code: 'Unavailable',
  what: 'cannot be opened or written',
  hint: 'Check that the directory exists and that this user may write to it.',
};

/** No result code of SQLite: a fault of this program, which says nothing about the file. */
const unexpected: Class = {
  code: 'Unavailable',
  what: 'could not be used',
  hint: 'This is a fault of ARC, not of the file. Start it again, and report the message if it comes back.',
};

/** By SQLite's primary result codes (sqlite.org/rescode.html). */
const classes: Readonly<Record<number, Class>> = {
  3: inaccessible,
  5: { code: 'Unavailable', what: 'is busy', hint: 'Close other programs that have the file open.' },
  8: inaccessible,
  10: { code: 'Unavailable', what: 'cannot be read or written', hint: 'Check the disk and the system log.' },
  13: { code: 'Full', what: 'has no room left', hint: 'Free space on the volume, raise the size limit, or delete objects.' },
  14: inaccessible,
};

/** Classifies anything the database threw; what is classified already passes through. */
export function failureOf(error: unknown, file: string): Failure {
  if (error instanceof DatabaseFailure) return error.failure;
  if (error instanceof StorageError)
    return { code: error.code, message: error.message, ...(error.hint !== undefined && { hint: error.hint }) };
  const result = resultCode(error) & 0xff;
  const { code, what, hint } = result === 0 ? unexpected : (classes[result] ?? damaged);
  return { code, message: `the database ${file} ${what}: ${messageOf(error)}`, hint };
}

/** True when the disk failed, after which only reading the file again tells what it holds. */
export function isIoError(error: unknown): boolean {
  return (resultCode(error) & 0xff) === 10;
}

export function isBusy(error: unknown): boolean {
  return (resultCode(error) & 0xff) === 5;
}

function resultCode(error: unknown): number {
  if (typeof error !== 'object' || error === null) return 0;
  if ('errcode' in error && typeof error.errcode === 'number') return error.errcode;
  // A directory that cannot be made or read is SQLITE_CANTOPEN by another name.
  return 'syscall' in error ? 14 : 0;
}
