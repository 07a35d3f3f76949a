/**
 * `JSON.stringify` for values that may hold bigints (`exactNumber`), which it writes as JSON integers.
 *
 * @param indent as for `JSON.stringify`.
 */
export function stringifyJson(value: unknown, indent?: number): string {
  try {
    return JSON.stringify(value, undefined, indent);
  } catch (error) {
    // Bigints are rare and this is how they show: no other value pays for the second pass, which takes about five times as long.
    if (!(error instanceof TypeError)) throw error;
    return JSON.stringify(value, writeBigint, indent);
  }
}

/** ECMAScript's "JSON.parse source text access", which the type library does not have yet. */
type WithRawJson = JSON & { rawJSON(text: string): unknown };

function writeBigint(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? (JSON as WithRawJson).rawJSON(value.toString()) : value;
}
