import type { Descriptor } from '../descriptor/descriptor.ts';
import type { Digest } from '../digest/digest.ts';

/** What a copy reports while it runs. Bytes count blobs: those found at the destination are done at once. */
export type CopyEvent =
  | { readonly kind: 'resolved'; readonly reference: string; readonly digest: Digest; readonly mediaType: string; readonly size: number }
  | { readonly kind: 'planned'; readonly manifests: number; readonly blobs: number; readonly totalBytes: number }
  | {
      readonly kind: 'progress';
      readonly doneBytes: number;
      readonly totalBytes: number;
      /** Each blob on its way. */
      readonly blobs: readonly BlobProgress[];
    }
  | { readonly kind: 'blob'; readonly digest: Digest; readonly size: number; readonly outcome: BlobOutcome }
  | { readonly kind: 'manifest'; readonly digest: Digest; readonly mediaType: string; readonly outcome: 'copied' | 'present' }
  | { readonly kind: 'tagged'; readonly reference: string; readonly digest: Digest }
  /** A destination tag that stands for something else and is left alone. */
  | { readonly kind: 'kept'; readonly reference: string; readonly digest: Digest }
  | { readonly kind: 'retry'; readonly operation: string; readonly reason: string; readonly delayMs: number }
  | { readonly kind: 'warning'; readonly message: string };

export type BlobOutcome = 'copied' | 'present' | 'mounted';

export interface BlobProgress {
  readonly digest: Digest;
  readonly doneBytes: number;
  readonly size: number;
}

/** Bytes between two reports of a blob on its way. */
const reportBytes = 256 * 1024;

/** Adds up the bytes of a copy; a blob that is begun anew counts from its beginning again. */
export class CopyProgress {
  readonly #emit: (event: CopyEvent) => void;
  #settled = 0;
  #total = 0;
  #copied = 0;
  #unreported = 0;
  readonly #running = new Map<Digest, { readonly size: number; doneBytes: number }>();

  constructor(emit: (event: CopyEvent) => void) {
    this.#emit = emit;
  }

  get totalBytes(): number {
    return this.#total;
  }

  /** Bytes of blobs that were sent to the destination completely. */
  get copiedBytes(): number {
    return this.#copied;
  }

  plan(totalBytes: number, presentBytes: number): void {
    this.#total += totalBytes;
    this.#settled += presentBytes;
    this.#report();
  }

  advance({ digest, size }: Descriptor, bytes: number): void {
    const running = this.#running.get(digest) ?? { size, doneBytes: 0 };
    running.doneBytes += bytes;
    this.#running.set(digest, running);
    this.#unreported += bytes;
    if (this.#unreported >= reportBytes) this.#report();
  }

  restart(digest: Digest): void {
    this.#running.delete(digest);
  }

  settle(digest: Digest, size: number, outcome: BlobOutcome): void {
    this.#running.delete(digest);
    this.#settled += size;
    if (outcome === 'copied') this.#copied += size;
    this.#emit({ kind: 'blob', digest, size, outcome });
    this.#report();
  }

  #report(): void {
    this.#unreported = 0;
    let doneBytes = this.#settled;
    for (const running of this.#running.values()) doneBytes += running.doneBytes;
    const blobs = [...this.#running].map(([digest, running]) => ({ digest, doneBytes: running.doneBytes, size: running.size }));
    this.#emit({ kind: 'progress', doneBytes, totalBytes: this.#total, blobs });
  }
}
