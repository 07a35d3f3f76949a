import { closeSync, fstatSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { ArcError, messageOf } from '@arc/kernel';

export interface AuditLogFileOptions {
  /** A file that has grown to this many bytes is put aside as `<file>.1`; default 100 MiB. */
  readonly maxBytes?: number;
  /** Files kept aside, `<file>.1` being the newest; default 5. */
  readonly maxBackups?: number;
}

export interface AuditLogFile extends Disposable {
  /** Appends a line before it returns, so that what is answered is recorded. Throws what the file system does. */
  write(line: string): void;
}

/**
 * An audit log in a file only its owner can read.
 * @throws ArcError `AuditLogUnwritable`.
 */
export function openAuditLogFile(file: string, { maxBytes = 100 * 1024 * 1024, maxBackups = 5 }: AuditLogFileOptions = {}): AuditLogFile {
  let opened = open(file);
  return {
    write(line) {
      if (opened.size > 0 && opened.size + Buffer.byteLength(line) > maxBytes) {
        closeSync(opened.descriptor);
        rotate(file, maxBackups);
        opened = open(file);
      }
      opened.size += writeSync(opened.descriptor, line);
    },
    [Symbol.dispose]: () => closeSync(opened.descriptor),
  };
}

function open(file: string): { readonly descriptor: number; size: number } {
  try {
    const descriptor = openSync(file, 'a', 0o600);
    return { descriptor, size: fstatSync(descriptor).size };
  } catch (error) {
    throw new ArcError('AuditLogUnwritable', `the audit log ${file} cannot be written: ${messageOf(error)}`, {
      hint: 'Name a file in a directory that exists and that this user may write to.',
      cause: error,
    });
  }
}

function rotate(file: string, maxBackups: number): void {
  rmSync(`${file}.${maxBackups}`, { force: true });
  for (let index = maxBackups - 1; index >= 1; index--) moveIfThere(`${file}.${index}`, `${file}.${index + 1}`);
  if (maxBackups > 0) renameSync(file, `${file}.1`);
  else rmSync(file, { force: true });
}

function moveIfThere(from: string, to: string): void {
  try {
    renameSync(from, to);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}
