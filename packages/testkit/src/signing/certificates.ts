import { createHash, generateKeyPairSync, sign } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import {
  bitString,
  boolean,
  explicit,
  implicit,
  objectIdentifier,
  octetString,
  sequence,
  set,
  time,
  unsignedInteger,
  utf8String,
} from '@arc/pki/der';

/** A certificate with the keys it is of. */
export interface IssuedCertificate {
  readonly der: Buffer;
  readonly key: KeyObject;
  readonly publicKey: KeyObject;
  /** DER of its subject, its issuer's, and its serial number: signers of timestamps are named by the latter two. */
  readonly subject: Buffer;
  readonly issuer: Buffer;
  readonly serial: Buffer;
}

export interface CertificateRequest {
  /** Common name; none when empty. */
  readonly name: string;
  /** The issuer; itself when absent. */
  readonly by?: IssuedCertificate | undefined;
  /** Milliseconds since the epoch. */
  readonly notBefore: number;
  readonly notAfter: number;
  readonly authority?: boolean;
  /** OIDs of extended key usages. */
  readonly usages?: readonly string[];
  /** URI of the subjectAltName. */
  readonly uri?: string;
  /** Further extensions: OID and DER. */
  readonly extensions?: readonly (readonly [string, Buffer])[];
  /** Makes the extension with certificate timestamps from the certificate without it and the hash of the issuer's key (RFC 6962). */
  readonly timestamps?: ((tbs: Buffer, issuerKeyHash: Buffer) => Buffer) | undefined;
}

export const ecdsaWithSha256 = sequence(objectIdentifier('1.2.840.10045.4.3.2'));
const timestampsOid = '1.3.6.1.4.1.11129.2.4.2';
let serials = 0;

/** Issues an X.509 v3 certificate on P-256. */
export function issueCertificate(request: CertificateRequest): IssuedCertificate {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const subject = request.name === '' ? sequence() : nameOf(request.name);
  const issuer = request.by?.subject ?? subject;
  const issuerKey = request.by?.publicKey ?? publicKey;
  serials += 1;
  const serial = unsignedInteger(Buffer.from([0x10, serials >> 8, serials & 0xff]));
  const toBeSigned = (further: readonly Buffer[]): Buffer =>
    sequence(
      explicit(0, unsignedInteger(Buffer.from([2]))),
      serial,
      ecdsaWithSha256,
      issuer,
      sequence(time(request.notBefore), time(request.notAfter)),
      subject,
      spki(publicKey),
      explicit(3, sequence(...extensionsOf(request, publicKey, issuerKey), ...further)),
    );
  const issuerKeyHash = createHash('sha256').update(spki(issuerKey)).digest();
  const timestamps = request.timestamps?.(toBeSigned([]), issuerKeyHash);
  const tbs = toBeSigned(timestamps === undefined ? [] : [extension(timestampsOid, octetString(timestamps))]);
  const der = sequence(tbs, ecdsaWithSha256, bitString(sign('sha256', tbs, request.by?.key ?? privateKey)));
  return { der, key: privateKey, publicKey, subject, issuer, serial };
}

/** SubjectPublicKeyInfo in DER. */
export function spki(key: KeyObject): Buffer {
  return key.export({ type: 'spki', format: 'der' });
}

function nameOf(commonName: string): Buffer {
  return sequence(set(sequence(objectIdentifier('2.5.4.3'), utf8String(commonName))));
}

function extensionsOf(request: CertificateRequest, key: KeyObject, issuerKey: KeyObject): Buffer[] {
  const authority = request.authority === true;
  return [
    extension('2.5.29.19', authority ? sequence(boolean(true)) : sequence(), true),
    extension('2.5.29.15', authority ? bitString(Buffer.from([0x06]), 1) : bitString(Buffer.from([0x80]), 7), true),
    extension('2.5.29.14', octetString(identifier(key))),
    extension('2.5.29.35', sequence(implicit(0, identifier(issuerKey)))),
    ...(request.usages === undefined ? [] : [extension('2.5.29.37', sequence(...request.usages.map(objectIdentifier)))]),
    ...(request.uri === undefined ? [] : [extension('2.5.29.17', sequence(implicit(6, Buffer.from(request.uri))), true)]),
    ...(request.extensions ?? []).map(([oid, value]) => extension(oid, value)),
  ];
}

function extension(oid: string, value: Buffer, critical = false): Buffer {
  return sequence(objectIdentifier(oid), ...(critical ? [boolean(true)] : []), octetString(value));
}

function identifier(key: KeyObject): Buffer {
  return createHash('sha1').update(spki(key)).digest();
}
