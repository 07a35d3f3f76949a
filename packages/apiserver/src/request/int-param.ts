import { statusError } from '@arc/apimachinery';

/**
 * Reads an integer query parameter; absent and empty are undefined.
 * @throws ApiStatusError 400 when it is not a number.
 */
export function intParam(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name);
  if (text === null || text === '') return undefined;
  const value = Number(text);
  if (!/^-?\d+$/.test(text) || !Number.isSafeInteger(value)) {
    throw statusError.badRequest(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`);
  }
  return value;
}
