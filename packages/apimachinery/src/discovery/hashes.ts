/** Hash functions, given by the caller: this package computes nothing but values. */
export interface Hashes {
  readonly sha256: (text: string) => Uint8Array;
  /** Hexadecimal. */
  readonly sha512: (text: string) => string;
}

/** SHA-512 in upper-case hexadecimal, as Kubernetes writes entity tags and OpenAPI hashes. */
export function contentHash(text: string, hashes: Pick<Hashes, 'sha512'>): string {
  return hashes.sha512(text).toUpperCase();
}
