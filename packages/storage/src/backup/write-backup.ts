import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { createGzip } from 'node:zlib';
import { ResourceCounts } from '../moving/resource-counts.ts';
import type { StoreSnapshot } from '../moving/snapshot.ts';
import { encodeHeader, encodeObject, encodeTrailer, type BackupHeader, type BackupTrailer } from './format.ts';

export interface BackupOptions {
  readonly signal: AbortSignal;
  readonly onProgress?: (objects: number) => void;
  /** Called with the last line, when all of the others have been produced. */
  readonly onComplete?: (trailer: BackupTrailer & { readonly bytes: number }) => void;
}

/** The bytes of a backup, as docs/guide/moving-storage.md describes them. */
export function writeBackup(
  snapshot: StoreSnapshot,
  facts: Omit<BackupHeader, 'revision' | 'compactedRevision'>,
  options: BackupOptions,
): AsyncIterable<Uint8Array> {
  const lines = Readable.from(backupText(snapshot, facts, options), { objectMode: false });
  // Of 100,000 Orders level 3 takes 0.6 s, the default 1.3 s, and leaves 4 % more.
  const gzip = createGzip({ level: 3 });
  lines.on('error', (error) => gzip.destroy(error));
  return lines.pipe(gzip);
}

async function* backupText(
  snapshot: StoreSnapshot,
  facts: Omit<BackupHeader, 'revision' | 'compactedRevision'>,
  { signal, onProgress = () => {}, onComplete = () => {} }: BackupOptions,
): AsyncGenerator<Uint8Array, void, void> {
  const hash = createHash('sha256');
  const resources = new ResourceCounts();
  let objects = 0;
  let bytes = 0;
  const hashed = (text: string): Buffer => {
    const chunk = Buffer.from(text);
    hash.update(chunk);
    return chunk;
  };
  const { revision, compactedRevision } = snapshot;
  yield hashed(encodeHeader({ revision, compactedRevision, ...facts }));
  for await (const page of snapshot.objects(signal)) {
    for (const { key, value } of page) {
      resources.add(key);
      objects += 1;
      bytes += value.length;
    }
    yield hashed(page.map(encodeObject).join(''));
    onProgress(objects);
  }
  const trailer = { objects, resources: resources.toRecord(), sha256: hash.digest('hex') };
  yield Buffer.from(encodeTrailer(trailer));
  onComplete({ ...trailer, bytes });
}
