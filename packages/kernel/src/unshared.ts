/**
 * The bytes in memory of their own, for what is kept: Node cuts small buffers from pools of 64 KB, each of which lives as
 * long as any part of it. Encodings that were kept as they were held 80 MB after 15,000 requests of the fuzzer, and 20 MB in memory
 * of their own.
 */
export function unshared(bytes: Uint8Array): Uint8Array {
  return bytes.buffer.byteLength === bytes.byteLength ? bytes : new Uint8Array(bytes);
}
