/** The seed of this run: `FAULT_SEED`, which a failure prints, or a new one. */
export const seed = Number(process.env['FAULT_SEED'] ?? Math.floor(Math.random() * 2 ** 31));

/** Whole numbers below `limit`, evenly spread, the same for the same seed and stream (mulberry32). */
export function randomNumbers(stream: number): (limit: number) => number {
  let state = (seed + Math.imul(stream, 0x9e3779b9)) | 0;
  return (limit) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % limit;
  };
}
