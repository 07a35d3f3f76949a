/** The generator polynomial of CRC-32 without its highest term, bits reversed: bit 31 is the coefficient of x^0. */
const polynomial = 0xedb8_8320;
const one = 0x8000_0000;

/** The product of two polynomials over GF(2), modulo the generator. */
function multiply(a: number, b: number): number {
  let product = 0;
  let shifted = b;
  for (let bit = one; bit !== 0; bit >>>= 1) {
    if ((a & bit) !== 0) product ^= shifted;
    shifted = (shifted & 1) !== 0 ? (shifted >>> 1) ^ polynomial : shifted >>> 1;
  }
  return product >>> 0;
}

/** x^(8 * 2^n) for n from 0: what 2^n bytes after a text multiply its checksum with. */
const powers: readonly number[] = (() => {
  const squares = [one >>> 8];
  while (squares.length < 53) {
    const last = squares.at(-1) ?? 0;
    squares.push(multiply(last, last));
  }
  return squares;
})();

/** What `length` bytes that follow a text do to its CRC-32; to be given to `appendCrc32`. */
export function crc32Shift(length: number): number {
  let shift = one;
  for (let rest = length, n = 0; rest > 0; rest = Math.floor(rest / 2), n += 1) {
    if (rest % 2 === 1) shift = multiply(powers[n] ?? 0, shift);
  }
  return shift;
}

/** The CRC-32 (RFC 1952, 8) of two texts one after the other, from those of each and the shift of the second's length. */
export function appendCrc32(first: number, second: number, shift: number): number {
  return (multiply(shift, first) ^ second) >>> 0;
}
