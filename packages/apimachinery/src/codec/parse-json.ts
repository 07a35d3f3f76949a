import { holdsLongNumber } from '../json/exact-integer.ts';
import { decodeJson } from './decode-json.ts';

/**
 * `JSON.parse` that keeps int64 exact, as bigint where a double cannot hold it. For JSON a server wrote; `decodeJson`
 * also finds keys given twice.
 *
 * @throws SyntaxError, or DecodeError for texts with long numbers.
 */
export function parseJson(text: string): unknown {
  return holdsLongNumber(text) ? decodeJson(text).value : (JSON.parse(text) as unknown);
}
