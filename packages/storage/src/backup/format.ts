import { isUtf8 } from 'node:buffer';
import { ArcError } from '@arc/kernel';
import type { StoredValue } from '../store.ts';

/** What the first line says, beside `format` and `version`. */
export interface BackupHeader {
  /** The newest revision of the storage it was taken of; nothing in it is newer. */
  readonly revision: number;
  readonly compactedRevision: number;
  /** RFC 3339. */
  readonly time: string;
  /** `sqlite`, `postgres` or `etcd`. */
  readonly backend: string;
  /** Of the ARC that wrote it. */
  readonly arcVersion: string;
}

/** What the last line says. */
export interface BackupTrailer {
  readonly objects: number;
  readonly resources: Readonly<Record<string, number>>;
  /** In hex, over all bytes before the last line, uncompressed. */
  readonly sha256: string;
}

const format = 'arc-storage-backup';
const formatVersion = 1;

export function encodeHeader(header: BackupHeader): string {
  return `${JSON.stringify({ format, version: formatVersion, ...header })}\n`;
}

export function encodeObject({ key, revision, value }: StoredValue): string {
  const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  const content = isUtf8(bytes) ? { value: bytes.toString('utf8') } : { base64: bytes.toString('base64') };
  return `${JSON.stringify({ key, revision, ...content })}\n`;
}

export function encodeTrailer(trailer: BackupTrailer): string {
  return `${JSON.stringify(trailer)}\n`;
}

/** @throws ArcError `BadBackup` */
export function decodeHeader(line: string): BackupHeader {
  const record = recordOf(line);
  if (record['format'] !== format) throw badBackup('it is not a backup of ARC');
  const { version, revision, compactedRevision, time, backend, arcVersion } = record;
  if (typeof version !== 'number' || version > formatVersion) {
    throw badBackup(`its format has version ${String(version)}, this ARC knows ${formatVersion} at most`);
  }
  if (!isRevision(revision) || !isRevision(compactedRevision)) throw badBackup('its first line names no revision');
  return { revision, compactedRevision, time: String(time), backend: String(backend), arcVersion: String(arcVersion) };
}

/** An object, or the trailer when it is the last line. */
export function decodeLine(line: string): StoredValue | BackupTrailer {
  const { key, revision, value, base64, objects, resources, sha256 } = recordOf(line);
  if (typeof sha256 === 'string' && typeof objects === 'number' && isCounts(resources)) return { objects, resources, sha256 };
  if (typeof key !== 'string' || !isRevision(revision)) throw badBackup('a line is neither an object nor the end');
  if (typeof value === 'string') return { key, revision, value: Buffer.from(value, 'utf8') };
  if (typeof base64 === 'string') return { key, revision, value: Buffer.from(base64, 'base64') };
  throw badBackup(`the object ${JSON.stringify(key)} has no value`);
}

export function badBackup(why: string, cause?: unknown): ArcError {
  return new ArcError('BadBackup', `the backup cannot be used: ${why}`, {
    hint: 'Take another backup, or fetch this one again from where it was kept. Nothing was changed.',
    ...(cause !== undefined && { cause }),
  });
}

function recordOf(line: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value === 'object' && value !== null) return value as Readonly<Record<string, unknown>>;
  } catch {
    // Not even JSON.
  }
  throw badBackup('a line of it is damaged');
}

function isRevision(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}

function isCounts(value: unknown): value is Readonly<Record<string, number>> {
  return typeof value === 'object' && value !== null && Object.values(value).every(isRevision);
}
