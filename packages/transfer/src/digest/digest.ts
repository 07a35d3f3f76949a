import { createHash, type Hash } from 'node:crypto';
import { TransferError } from '../transfer-error.ts';

/** `sha256:<64 hex>` or `sha512:<128 hex>`, lower case. Only `parseDigest` and `digestOf` make one. */
export type Digest = `${'sha256' | 'sha512'}:${string}`;

const pattern = /^(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/;

export function isDigest(text: string): text is Digest {
  return pattern.test(text);
}

/**
 * Checks a digest (distribution-spec, image-spec "Digests"); other algorithms are refused because they could not be verified.
 *
 * @throws TransferError `InvalidDigest`
 */
export function parseDigest(text: string): Digest {
  if (isDigest(text)) return text;
  throw new TransferError('InvalidDigest', `not a digest: ${JSON.stringify(text.slice(0, 160))}`, {
    hint: 'A digest is sha256: and 64, or sha512: and 128, lower-case hexadecimal characters.',
  });
}

export function digestOf(bytes: Uint8Array, algorithm: 'sha256' | 'sha512' = 'sha256'): Digest {
  return `${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}`;
}

export function algorithmOf(digest: Digest): 'sha256' | 'sha512' {
  return digest.startsWith('sha256:') ? 'sha256' : 'sha512';
}

/** The part after the colon. */
export function encodedOf(digest: Digest): string {
  return digest.slice(digest.indexOf(':') + 1);
}

/** Checks a stream against the digest and size it was announced with, as it passes. */
export class DigestVerifier {
  readonly #digest: Digest;
  readonly #size: number;
  readonly #what: string;
  readonly #hash: Hash;
  #received = 0;

  constructor(digest: Digest, size: number, what: string) {
    this.#digest = digest;
    this.#size = size;
    this.#what = what;
    this.#hash = createHash(algorithmOf(digest));
  }

  get received(): number {
    return this.#received;
  }

  /** @throws TransferError `SizeMismatch` as soon as there is more than announced */
  update(chunk: Uint8Array): void {
    this.#received += chunk.length;
    if (this.#received > this.#size) {
      throw new TransferError('SizeMismatch', `${this.#what} is longer than the ${this.#size} bytes its manifest says`, mismatchHint);
    }
    this.#hash.update(chunk);
  }

  /** @throws TransferError `SizeMismatch` or `DigestMismatch`; the verifier cannot be used afterwards */
  finish(): void {
    if (this.#received !== this.#size) {
      throw new TransferError('SizeMismatch', `${this.#what} ended after ${this.#received} of ${this.#size} bytes`, mismatchHint);
    }
    const actual = `${algorithmOf(this.#digest)}:${this.#hash.digest('hex')}`;
    if (actual !== this.#digest) {
      throw new TransferError(
        'DigestMismatch',
        `${this.#what} has wrong content: expected ${this.#digest}, received ${actual}`,
        mismatchHint,
      );
    }
  }
}

const mismatchHint = {
  hint: 'The registry, or a cache in front of it, serves damaged or substituted content; nothing was taken over.',
} as const;
