import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { isDeepStrictEqual } from 'node:util';
import { createGunzip } from 'node:zlib';
import { codeOf, messageOf } from '@arc/kernel';
import { compareKeys } from '../key-order.ts';
import { ResourceCounts } from '../moving/resource-counts.ts';
import type { StoreSnapshot } from '../moving/snapshot.ts';
import type { StoredValue } from '../store.ts';
import { badBackup, decodeHeader, decodeLine, type BackupHeader, type BackupTrailer } from './format.ts';

/** Begins to read the bytes of a backup from the start; called once for every reading. */
export type OpenBytes = () => AsyncIterable<Uint8Array>;

/**
 * A backup as a snapshot. Reading its objects to the end checks it: every line, the order of keys, the counts and the
 * checksum.
 *
 * @throws ArcError `BadBackup` here and while reading; what `open` fails with
 */
export async function readBackup(open: OpenBytes): Promise<StoreSnapshot & { readonly header: BackupHeader }> {
  for await (const lines of linesOf(open)) {
    const header = decodeHeader(lines[0]?.toString('utf8') ?? '');
    return { header, revision: header.revision, compactedRevision: header.compactedRevision, objects: (signal) => objectsOf(open, signal) };
  }
  throw badBackup('it is empty');
}

const lineFeed = Buffer.from('\n');

async function* objectsOf(open: OpenBytes, signal: AbortSignal): AsyncGenerator<readonly StoredValue[], void, void> {
  const hash = createHash('sha256');
  let header: BackupHeader | undefined;
  let trailer: BackupTrailer | undefined;
  const resources = new ResourceCounts();
  let objects = 0;
  let last: string | undefined;
  for await (const lines of linesOf(open)) {
    signal.throwIfAborted();
    const page: StoredValue[] = [];
    for (const line of lines) {
      if (trailer !== undefined) throw badBackup('there is more after its end');
      if (header === undefined) {
        header = decodeHeader(line.toString('utf8'));
      } else {
        const decoded = decodeLine(line.toString('utf8'));
        if ('sha256' in decoded) {
          trailer = decoded;
          continue;
        }
        if (last !== undefined && compareKeys(last, decoded.key) >= 0) throw badBackup('its objects are not in order');
        if (decoded.revision > header.revision) throw badBackup(`the object ${JSON.stringify(decoded.key)} is newer than it`);
        last = decoded.key;
        objects += 1;
        resources.add(last);
        page.push(decoded);
      }
      hash.update(line).update(lineFeed);
    }
    if (page.length > 0) yield page;
  }
  if (trailer === undefined) throw badBackup('it ends too early');
  const counted: BackupTrailer = { objects, resources: resources.toRecord(), sha256: hash.digest('hex') };
  if (!isDeepStrictEqual(counted, trailer)) throw badBackup('its counts or its checksum are not those of its content');
}

/** Lines without their line feeds, as many at a time as there are. */
async function* linesOf(open: OpenBytes): AsyncGenerator<readonly Buffer[], void, void> {
  const source = Readable.from(open(), { objectMode: false });
  const gunzip = createGunzip();
  source.on('error', (error) => gunzip.destroy(error));
  source.pipe(gunzip);
  let rest: Buffer[] = [];
  try {
    for await (const chunk of gunzip as AsyncIterable<Buffer>) {
      const end = chunk.lastIndexOf(0x0a);
      if (end < 0) {
        rest.push(chunk);
        continue;
      }
      yield splitLines(Buffer.concat([...rest, chunk.subarray(0, end)]));
      rest = [chunk.subarray(end + 1)];
    }
  } catch (error) {
    if (messageOf(error) === 'incorrect header check') throw badBackup('it is not a backup of ARC, or damaged at its beginning', error);
    if (codeOf(error)?.startsWith('Z_') === true) throw badBackup(`it is truncated, damaged or no gzip file (${messageOf(error)})`, error);
    throw error;
  } finally {
    source.destroy();
  }
  if (rest.some(({ length }) => length > 0)) throw badBackup('it ends in the middle of a line');
}

function splitLines(bytes: Buffer): Buffer[] {
  const lines: Buffer[] = [];
  let from = 0;
  for (let end = bytes.indexOf(0x0a); end >= 0; end = bytes.indexOf(0x0a, from)) {
    lines.push(bytes.subarray(from, end));
    from = end + 1;
  }
  lines.push(bytes.subarray(from));
  return lines;
}
