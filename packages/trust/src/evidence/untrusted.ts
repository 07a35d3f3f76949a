import { parseStrictJson } from '@arc/transfer';

/** Says why evidence cannot be used. It is never an outage: the evidence is there, and is not good enough. */
export class EvidenceError extends Error {}

export type JsonObject = Readonly<Record<string, unknown>>;

/** Reads an object from JSON of somebody else's; a key that comes twice is refused. @throws EvidenceError */
export function readObject(bytes: Buffer, what: string): JsonObject {
  let value: unknown;
  try {
    value = parseStrictJson(bytes, what);
  } catch (error) {
    throw new EvidenceError(error instanceof Error ? error.message : `${what} is not valid JSON`, { cause: error });
  }
  return asObject(value, what);
}

/** @throws EvidenceError */
export function asObject(value: unknown, what: string): JsonObject {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as JsonObject;
  throw new EvidenceError(`${what} is not an object`);
}

/** @throws EvidenceError */
export function asText(value: unknown, what: string): string {
  if (typeof value === 'string' && value !== '') return value;
  throw new EvidenceError(`${what} is missing`);
}

/** Decodes canonical base64 of either alphabet. @throws EvidenceError for anything that would not be encoded the same again */
export function asBase64(value: unknown, what: string): Buffer {
  const text = asText(value, what);
  const bytes = Buffer.from(text, 'base64');
  const standard = text.replaceAll('-', '+').replaceAll('_', '/');
  const again = bytes.toString('base64');
  if (standard === again || standard === again.replace(/=+$/, '')) return bytes;
  throw new EvidenceError(`${what} is not base64`);
}
