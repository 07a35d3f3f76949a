import { createHash, createPublicKey, verify } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { ArcError, messageOf } from '@arc/kernel';

/** A key that signatures are checked with. */
export interface TrustedKey {
  /** `SHA256:` and the base64 digest of its SubjectPublicKeyInfo: names the key in messages and receipts. */
  readonly id: string;
  readonly key: KeyObject;
  /** True when `signature` is one of exactly these bytes. */
  verify(data: Buffer, signature: Buffer): boolean;
}

/** Smallest RSA modulus, bits (NIST SP 800-131A). */
const leastRsaBits = 2048;

/** Digests a key's signatures may be over; the first is what cosign uses. SHA-1 and MD5 are in no list. */
const curves: Readonly<Record<string, readonly string[]>> = { prime256v1: ['sha256'], secp384r1: ['sha256', 'sha384'] };

/**
 * Reads one public key in PEM: ECDSA on P-256 or P-384, RSA of 2048 bits and more (PKCS #1 v1.5), Ed25519.
 *
 * @throws ArcError `InvalidKey` naming `where`; a private key is refused, because it should not be there
 */
export function parsePublicKey(pem: string, where: string): TrustedKey {
  if (/PRIVATE KEY/.test(pem)) throw invalid(where, 'it is a private key', 'Put the public key there, and keep the private one secret.');
  if (!/^-----BEGIN (?:RSA )?PUBLIC KEY-----$/m.test(pem)) throw invalid(where, 'it is no public key in PEM', hint);
  if ((pem.match(/-----BEGIN /g) ?? []).length > 1)
    throw invalid(where, 'it holds more than one key', 'Give each key an entry of its own.');
  let key: KeyObject;
  try {
    key = createPublicKey(pem);
  } catch (error) {
    throw invalid(where, `it cannot be read: ${messageOf(error)}`, hint);
  }
  return trustedKey(key, where);
}

/** @throws ArcError `InvalidKey` for kinds and sizes that are not trusted */
export function trustedKey(key: KeyObject, where: string): TrustedKey {
  const digests = digestsOf(key, where);
  const id = `SHA256:${createHash('sha256')
    .update(key.export({ type: 'spki', format: 'der' }))
    .digest('base64')}`;
  return {
    id,
    key,
    verify: (data, signature) => digests.some((digest) => verifies(digest, data, key, signature)),
  };
}

function digestsOf(key: KeyObject, where: string): readonly (string | undefined)[] {
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = key;
  if (type === 'ed25519') return [undefined];
  if (type === 'ec') {
    const digests = curves[details?.namedCurve ?? ''];
    if (digests !== undefined) return digests;
    throw invalid(where, `its curve ${details?.namedCurve ?? ''} is not supported`, hint);
  }
  if (type === 'rsa') {
    const bits = details?.modulusLength ?? 0;
    if (bits >= leastRsaBits) return ['sha256'];
    throw invalid(where, `an RSA key of ${bits} bits is too weak`, `Use one of at least ${leastRsaBits} bits.`);
  }
  throw invalid(where, `keys of type ${type ?? 'unknown'} are not supported`, hint);
}

/** OpenSSL throws for what is no signature at all. */
function verifies(digest: string | undefined, data: Buffer, key: KeyObject, signature: Buffer): boolean {
  try {
    return verify(digest ?? null, data, key, signature);
  } catch {
    return false;
  }
}

const hint = 'Use a public key in PEM: ECDSA on P-256 or P-384, RSA of at least 2048 bits, or Ed25519. `cosign public-key` prints one.';

function invalid(where: string, problem: string, hint: string): ArcError {
  return new ArcError('InvalidKey', `${where}: ${problem}`, { hint });
}
