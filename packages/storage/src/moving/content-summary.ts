import { createHash } from 'node:crypto';
import type { StoredValue } from '../store.ts';
import { ResourceCounts } from './resource-counts.ts';

/** What a store holds, in numbers that two stores can be compared by. */
export interface ContentSummary {
  readonly objects: number;
  /** Of all values together. */
  readonly bytes: number;
  /** Objects by resource, as in `orders.arc.opendefense.cloud`. */
  readonly resources: Readonly<Record<string, number>>;
  /** SHA-256 in hex over keys and values in the order of keys, each preceded by its length as 4 bytes, big-endian. */
  readonly sha256: string;
  /** The same for their revisions, too. */
  readonly fingerprint: string;
}

/** Reads everything once. `onProgress` is told the number of objects read so far. */
export async function summarise(
  pages: AsyncIterable<readonly StoredValue[]>,
  onProgress: (objects: number) => void = () => {},
): Promise<ContentSummary> {
  const counter = contentCounter();
  for await (const page of pages) {
    for (const item of page) counter.add(item);
    onProgress(counter.objects);
  }
  return counter.summary();
}

/** Counts objects that come in the order of their keys. */
function contentCounter(): { readonly objects: number; add(item: StoredValue): void; summary(): ContentSummary } {
  const content = createHash('sha256');
  const revisions = createHash('sha256');
  const resources = new ResourceCounts();
  let objects = 0;
  let bytes = 0;
  return {
    get objects() {
      return objects;
    },
    add({ key, revision, value }) {
      const name = Buffer.from(key);
      content.update(lengthOf(name)).update(name).update(lengthOf(value)).update(value);
      revisions.update(`${revision} `);
      resources.add(key);
      objects += 1;
      bytes += value.length;
    },
    summary() {
      const sha256 = content.digest('hex');
      return { objects, bytes, resources: resources.toRecord(), sha256, fingerprint: revisions.update(sha256).digest('hex') };
    },
  };
}

function lengthOf(bytes: Uint8Array): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return length;
}
