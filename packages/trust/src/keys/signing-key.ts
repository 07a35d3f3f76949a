import { createPrivateKey, createPublicKey, sign } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { ArcError } from '@arc/kernel';
import { trustedKey } from './public-key.ts';
import type { TrustedKey } from './public-key.ts';

/** What receipts are signed with. */
export interface SigningKey {
  readonly publicKey: TrustedKey;
  sign(data: Buffer): Buffer;
}

/**
 * Reads a private key in PEM (PKCS #8, encrypted or not; SEC 1; PKCS #1) of a kind whose signatures are trusted.
 *
 * @throws ArcError `InvalidKey`; its message holds nothing of the key
 */
export function parseSigningKey(pem: string, where: string, passphrase?: string): SigningKey {
  if (/BEGIN ENCRYPTED (?:COSIGN|SIGSTORE) PRIVATE KEY/.test(pem)) {
    throw new ArcError('InvalidKey', `${where}: it is encrypted as only cosign does it`, {
      hint: 'Use a key in PKCS #8, encrypted or not: openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256.',
    });
  }
  let key: KeyObject;
  try {
    key = createPrivateKey({ key: pem, format: 'pem', ...(passphrase === undefined ? {} : { passphrase }) });
  } catch {
    throw new ArcError(
      'InvalidKey',
      `${where}: it is no private key in PEM${pem.includes('ENCRYPTED') ? ', or its passphrase is another' : ''}`,
      {
        hint: 'Make one with openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256.',
      },
    );
  }
  const publicKey = trustedKey(createPublicKey(key), where);
  const digest = key.asymmetricKeyType === 'ed25519' ? null : key.asymmetricKeyDetails?.namedCurve === 'secp384r1' ? 'sha384' : 'sha256';
  return { publicKey, sign: (data) => sign(digest, data, key) };
}
