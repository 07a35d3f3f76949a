import { createHash, createPublicKey } from 'node:crypto';
import type { JsonWebKey, KeyObject } from 'node:crypto';
import { EvidenceError } from '../evidence/untrusted.ts';
import { malformed, padded, readInteger } from './packets.ts';

/** A public key or subkey of version 4. */
export interface PublicKey {
  readonly algorithm: number;
  readonly key: KeyObject;
  /** Octets of an RSA modulus, of a signature by it. */
  readonly modulusLength: number;
  /** Seconds since the epoch. */
  readonly created: number;
  /** 40 hexadecimal digits, upper case. */
  readonly fingerprint: string;
  /** Its packet's content, which signatures about it are over. */
  readonly body: Buffer;
}

/** Algorithms (RFC 9580, section 9.1). */
export const algorithms = { rsa: 1, rsaSign: 3, eddsaLegacy: 22, ed25519: 27 } as const;

const ed25519Legacy = Buffer.from('2b06010401da470f01', 'hex');
const leastRsaBits = 2048;

/** Reads a key whose signatures can be checked here: RSA of 2048 bits and more, Ed25519. @throws EvidenceError for others */
export function readPublicKey(body: Buffer): PublicKey {
  if (body.length < 6) throw malformed('a key is cut short');
  if (body[0] !== 4) throw new EvidenceError(`keys of version ${body[0] ?? 0} are not supported`);
  const algorithm = body[5] ?? 0;
  const fingerprint = createHash('sha1')
    .update(Buffer.concat([Buffer.from([0x99, body.length >> 8, body.length & 0xff]), body]))
    .digest('hex')
    .toUpperCase();
  const common = { algorithm, created: body.readUInt32BE(1), fingerprint, body };
  const material = body.subarray(6);
  switch (algorithm) {
    case algorithms.rsa:
    case algorithms.rsaSign: {
      const modulus = readInteger(material);
      const exponent = readInteger(modulus.rest);
      const key = fromJwk({ kty: 'RSA', n: modulus.value.toString('base64url'), e: exponent.value.toString('base64url') });
      const bits = key.asymmetricKeyDetails?.modulusLength ?? 0;
      if (bits < leastRsaBits) throw new EvidenceError(`the RSA key ${fingerprint} of ${bits} bits is too weak`);
      return { ...common, key, modulusLength: (bits + 7) >> 3 };
    }
    case algorithms.eddsaLegacy: {
      const oid = material.subarray(1, 1 + (material[0] ?? 0));
      if (!oid.equals(ed25519Legacy)) throw new EvidenceError(`the curve of key ${fingerprint} is not supported`);
      const point = readInteger(material.subarray(1 + oid.length)).value;
      if (point.length !== 33 || point[0] !== 0x40) throw malformed('a key is no point of its curve');
      return { ...common, key: ed25519(point.subarray(1)), modulusLength: 0 };
    }
    case algorithms.ed25519:
      return { ...common, key: ed25519(padded(material, 32)), modulusLength: 0 };
    default:
      throw new EvidenceError(`keys of algorithm ${algorithm} are not supported`);
  }
}

function ed25519(x: Buffer): KeyObject {
  return fromJwk({ kty: 'OKP', crv: 'Ed25519', x: x.toString('base64url') });
}

function fromJwk(key: JsonWebKey): KeyObject {
  try {
    return createPublicKey({ format: 'jwk', key });
  } catch {
    throw malformed('a key is none');
  }
}
