import { stringifyJson } from '@arc/apimachinery';

/**
 * Writes a JSON value so that equal values give equal text: members sorted by code unit, no white space, members that
 * are undefined left out. Numbers are written as JSON does, so `1.0` and `1` are the same.
 */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map((item) => canonicalJson(item ?? null)).join(',')}]`;
  if (typeof value !== 'object' || value === null) return stringifyJson(value ?? null);
  const members = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, member]) => `${JSON.stringify(name)}:${canonicalJson(member)}`);
  return `{${members.join(',')}}`;
}
