import { createHash, verify } from 'node:crypto';
import { EvidenceError } from '../evidence/untrusted.ts';
import { malformed, newLength, padded, readInteger } from './packets.ts';
import { algorithms, type PublicKey } from './public-key.ts';

/** A signature of version 4. Everything but `issuer` and `embedded` is of its hashed part. */
export interface Signature {
  readonly type: number;
  /** Name of the digest, as `node:crypto` has it. */
  readonly digest: string;
  /** Seconds since the epoch. */
  readonly created: number;
  /** Seconds after `created`; 0 for never. */
  readonly lifetime: number;
  /** Seconds after the key was made, in signatures about keys; 0 for never. */
  readonly keyLifetime: number;
  /** What the key is for; undefined when it does not say. */
  readonly flags: number | undefined;
  /** Ends of fingerprints or key ids that it says it is by; a hint. */
  readonly issuers: readonly string[];
  /** Signatures inside it, by which a subkey says whose it is. */
  readonly embedded: readonly Buffer[];
  /** True when `data` is what was signed by `key`. */
  verify(data: Buffer, key: PublicKey): boolean;
}

export const signatureTypes = {
  text: 0x01,
  certifications: [0x10, 0x11, 0x12, 0x13] as readonly number[],
  subkeyBinding: 0x18,
  primaryBinding: 0x19,
  directKey: 0x1f,
  keyRevocation: 0x20,
  subkeyRevocation: 0x28,
} as const;

/** SHA-2 alone: signatures over MD5, SHA-1 and RIPEMD are refused. */
const digests: Readonly<Record<number, string>> = { 8: 'sha256', 9: 'sha384', 10: 'sha512' };

/** Subpackets that may be marked as critical: those that are understood, or that forbid nothing. */
const known = new Set([2, 3, 9, 11, 16, 21, 22, 23, 25, 27, 30, 32, 33, 34]);

/** Reads the content of a signature packet. @throws EvidenceError */
export function readSignature(body: Buffer): Signature {
  if (body[0] !== 4) throw new EvidenceError(`signatures of version ${body[0] ?? 0} are not supported`);
  if (body.length < 8) throw malformed('a signature is cut short');
  const [, type = 0, algorithm = 0, hash = 0] = body;
  const digest = digests[hash];
  if (digest === undefined) throw new EvidenceError(`the signature is over digest ${hash}, which is weak or not supported`);
  const hashedEnd = 6 + body.readUInt16BE(4);
  if (hashedEnd + 2 > body.length) throw malformed('a signature is cut short');
  const unhashedEnd = hashedEnd + 2 + body.readUInt16BE(hashedEnd);
  if (unhashedEnd + 2 > body.length) throw malformed('a signature is cut short');
  const hashed = readSubpackets(body.subarray(6, hashedEnd));
  const unhashed = readSubpackets(body.subarray(hashedEnd + 2, unhashedEnd));
  const strange = hashed.find((subpacket) => subpacket.critical && !known.has(subpacket.type));
  if (strange !== undefined) throw new EvidenceError(`the signature demands something that is not supported (${strange.type})`);
  const number = (wanted: number): number | undefined => {
    const found = hashed.filter((subpacket) => subpacket.type === wanted);
    if (found.length > 1) throw malformed('a signature says something twice');
    return found[0]?.data.length === 4 ? found[0].data.readUInt32BE(0) : undefined;
  };
  const created = number(2);
  if (created === undefined) throw malformed('a signature does not say when it was made');
  const head = body.subarray(0, hashedEnd);
  const trailer = Buffer.from([4, 0xff, 0, 0, 0, 0]);
  trailer.writeUInt32BE(head.length, 2);
  const material = body.subarray(unhashedEnd + 2);
  const leading = body.subarray(unhashedEnd, unhashedEnd + 2);
  const all = [...hashed, ...unhashed];
  return {
    type,
    digest,
    created,
    lifetime: number(3) ?? 0,
    keyLifetime: number(9) ?? 0,
    flags: hashed.find((subpacket) => subpacket.type === 27)?.data[0],
    issuers: all.flatMap((subpacket) => issuerOf(subpacket)),
    embedded: all.filter((subpacket) => subpacket.type === 32).map(({ data }) => data),
    verify: (data, key) => {
      const signed = Buffer.concat([data, head, trailer]);
      const value = createHash(digest).update(signed).digest();
      if (!value.subarray(0, 2).equals(leading) || !sameAlgorithm(algorithm, key.algorithm)) return false;
      if (algorithm === algorithms.rsa || algorithm === algorithms.rsaSign) {
        const { value: number, rest } = readInteger(material);
        return rest.length === 0 && verify(digest, signed, key.key, padded(number, key.modulusLength));
      }
      return verify(null, value, key.key, edSignature(algorithm, material));
    },
  };
}

/** RSA has two numbers for the same. */
function sameAlgorithm(signature: number, key: number): boolean {
  const plain = (algorithm: number): number => (algorithm === algorithms.rsaSign ? algorithms.rsa : algorithm);
  return plain(signature) === plain(key);
}

function edSignature(algorithm: number, material: Buffer): Buffer {
  if (algorithm === algorithms.ed25519) return material;
  const r = readInteger(material);
  const s = readInteger(r.rest);
  if (s.rest.length > 0) throw malformed('a signature is longer than it says');
  return Buffer.concat([padded(r.value, 32), padded(s.value, 32)]);
}

interface Subpacket {
  readonly type: number;
  readonly critical: boolean;
  readonly data: Buffer;
}

function readSubpackets(bytes: Buffer): readonly Subpacket[] {
  const subpackets: Subpacket[] = [];
  for (let at = 0; at < bytes.length;) {
    const { start, length } = newLength(bytes, at, false);
    if (length === 0 || start + length > bytes.length) throw malformed('a part of a signature is cut short');
    const type = bytes[start] ?? 0;
    subpackets.push({ type: type & 0x7f, critical: (type & 0x80) !== 0, data: bytes.subarray(start + 1, start + length) });
    at = start + length;
  }
  return subpackets;
}

function issuerOf({ type, data }: Subpacket): string[] {
  if (type === 16) return [data.toString('hex').toUpperCase()];
  return type === 33 ? [data.subarray(1).toString('hex').toUpperCase()] : [];
}
