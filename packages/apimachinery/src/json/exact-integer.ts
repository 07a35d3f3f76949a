/** Shorter numbers are exact in a double: the first integer that is not has 16 digits. */
const shortestInexactInteger = 16;

const minInt64 = -(2n ** 63n);
const maxInt64 = 2n ** 63n - 1n;

/**
 * The value of a JSON number: a double, but a bigint for an integer that a double cannot hold and an int64 can. The same
 * split as in Kubernetes, where such a number is an int64 and all others beyond it are float64 (ADR 0012).
 *
 * @param text a number in JSON's spelling.
 */
export function exactNumber(text: string): number | bigint {
  const value = Number(text);
  if (text.length < shortestInexactInteger || Number.isSafeInteger(value) || !/^-?[0-9]+$/.test(text)) return value;
  const integer = BigInt(text);
  return integer >= minInt64 && integer <= maxInt64 ? integer : value;
}

/** A bigint as `exactNumber` would give it: a number where that is exact, or where int64 ends. */
export function exactInteger(integer: bigint): number | bigint {
  return exactNumber(integer.toString());
}

/**
 * Whether a text holds as many digits in a row as the shortest integer that a double may not hold has. Looks at every
 * 16th character as long as there are none: 0.2 us for an object of 1.3 KB, whose `JSON.parse` takes 5.5 us.
 */
export function holdsLongNumber(text: string): boolean {
  const last = shortestInexactInteger - 1;
  for (let end = last; end < text.length;) {
    let start = end;
    while (end - start <= last && isDigit(text.charCodeAt(start))) start--;
    if (end - start > last) return true;
    // At `start` is no digit, so the next run that is long enough ends no earlier than this.
    end = start + shortestInexactInteger;
  }
  return false;
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}
