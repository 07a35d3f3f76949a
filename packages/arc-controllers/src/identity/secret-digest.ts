import { createHmac } from 'node:crypto';

/** What of a Secret decides whether a transfer has to run again. */
export interface SecretContent {
  readonly type?: string | undefined;
  /** Values in base64, as the API has them. */
  readonly data?: Readonly<Record<string, string>> | null | undefined;
}

/**
 * A keyed digest (HMAC-SHA-256, hex) of a Secret's type and data. Depends on nothing else: not on the order of the keys,
 * not on metadata, not on how the base64 is written. Tells nothing about the values to those without the key.
 */
export function secretDigest(key: Uint8Array, secret: SecretContent): string {
  const hmac = createHmac('sha256', key);
  const add = (bytes: Uint8Array): void => {
    // Lengths first, or {a: 'bc'} and {ab: 'c'} would be the same bytes.
    hmac.update(`${bytes.length}:`).update(bytes);
  };
  add(Buffer.from(secret.type === undefined || secret.type === '' ? 'Opaque' : secret.type));
  for (const [name, value] of Object.entries(secret.data ?? {}).sort(([a], [b]) => (a < b ? -1 : 1))) {
    add(Buffer.from(name));
    add(Buffer.from(value, 'base64'));
  }
  return hmac.digest('hex');
}

/**
 * The form in which a digest may be written into a status: bound to where the Secret is, so that equal Secrets of
 * different namespaces cannot be told to be equal.
 */
export function recordedDigest(key: Uint8Array, where: { readonly namespace: string; readonly name: string }, digest: string): string {
  return createHmac('sha256', key).update(`recorded\n${where.namespace}/${where.name}\n${digest}`).digest('hex').slice(0, 16);
}
