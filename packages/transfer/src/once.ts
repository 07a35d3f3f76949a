/** Bytes at hand as a stream. */
export async function* once(bytes: Buffer): AsyncGenerator<Buffer> {
  yield bytes;
}
