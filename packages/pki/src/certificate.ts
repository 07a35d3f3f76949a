import { createHash, randomBytes, sign } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { ArcError } from '@arc/kernel';
import {
  bitString,
  boolean,
  explicit,
  implicit,
  objectIdentifier,
  octetString,
  readElements,
  sequence,
  time,
  unsignedInteger,
} from './der.ts';

type Usage = 'authority' | 'server' | 'client';

export interface CertificateTemplate {
  readonly usage: Usage;
  /** DER of the distinguished names. */
  readonly subject: Buffer;
  readonly issuer: Buffer;
  readonly subjectKey: KeyObject;
  /** Public key of the issuer; its identifier links the certificate to its authority. */
  readonly issuerKey: KeyObject;
  readonly notBefore: number;
  readonly notAfter: number;
  /** The SEQUENCE of a subjectAltName extension. */
  readonly alternativeNames?: Buffer;
}

const oid = {
  ecdsaWithSha256: '1.2.840.10045.4.3.2',
  subjectKeyIdentifier: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  authorityKeyIdentifier: '2.5.29.35',
  extendedKeyUsage: '2.5.29.37',
  serverAuth: '1.3.6.1.5.5.7.3.1',
  clientAuth: '1.3.6.1.5.5.7.3.2',
} as const;

const algorithm = sequence(objectIdentifier(oid.ecdsaWithSha256));

/** Returns the PEM of an X.509 v3 certificate (RFC 5280) signed with ECDSA and SHA-256. */
export function signCertificate(template: CertificateTemplate, signingKey: KeyObject): string {
  const toBeSigned = sequence(
    explicit(0, unsignedInteger(Buffer.from([2]))),
    unsignedInteger(serialNumber()),
    algorithm,
    template.issuer,
    sequence(time(template.notBefore), time(template.notAfter)),
    template.subject,
    publicKeyInfo(template.subjectKey),
    explicit(3, sequence(...extensionsOf(template))),
  );
  const signature = sign('sha256', toBeSigned, { key: signingKey, dsaEncoding: 'der' });
  return pem('CERTIFICATE', sequence(toBeSigned, algorithm, bitString(signature)));
}

/** 126 random bits, never zero: unique without a register, at most 20 octets (RFC 5280 section 4.1.2.2). */
function serialNumber(): Buffer {
  const octets = randomBytes(16);
  octets[0] = ((octets[0] ?? 0) & 0x7f) | 0x40;
  return octets;
}

function extensionsOf(template: CertificateTemplate): Buffer[] {
  const isAuthority = template.usage === 'authority';
  const extensions = [
    extension(oid.basicConstraints, isAuthority ? sequence(boolean(true), unsignedInteger(Buffer.from([0]))) : sequence(), true),
    // Bits count from the left: digitalSignature is bit 0, keyCertSign bit 5, cRLSign bit 6.
    extension(oid.keyUsage, isAuthority ? bitString(Buffer.from([0x06]), 1) : bitString(Buffer.from([0x80]), 7), true),
    extension(oid.subjectKeyIdentifier, octetString(keyIdentifier(template.subjectKey))),
    extension(oid.authorityKeyIdentifier, sequence(implicit(0, keyIdentifier(template.issuerKey)))),
  ];
  if (!isAuthority) {
    const purpose = template.usage === 'server' ? oid.serverAuth : oid.clientAuth;
    extensions.push(extension(oid.extendedKeyUsage, sequence(objectIdentifier(purpose))));
  }
  if (template.alternativeNames !== undefined) extensions.push(extension(oid.subjectAltName, template.alternativeNames));
  return extensions;
}

function extension(type: string, value: Buffer, critical = false): Buffer {
  return sequence(objectIdentifier(type), ...(critical ? [boolean(true)] : []), octetString(value));
}

function publicKeyInfo(key: KeyObject): Buffer {
  return key.export({ type: 'spki', format: 'der' });
}

/** SHA-1 over the key's bits: an identifier, not a signature (RFC 5280 section 4.2.1.2, method 1). */
function keyIdentifier(key: KeyObject): Buffer {
  const [info] = readElements(publicKeyInfo(key));
  const bits = info === undefined ? undefined : readElements(info.content)[1];
  if (bits === undefined) throw new ArcError('InvalidCertificate', 'the public key has no key bits');
  return createHash('sha1').update(bits.content.subarray(1)).digest();
}

/** The DER of the subject of a certificate, byte for byte, as the issuer field of what it signs must repeat it. */
export function subjectOf(certificate: Buffer): Buffer {
  const [whole] = readElements(certificate);
  const toBeSigned = whole === undefined ? undefined : readElements(whole.content)[0];
  // version, serialNumber, signature, issuer, validity, subject
  const subject = toBeSigned === undefined ? undefined : readElements(toBeSigned.content)[5];
  if (subject === undefined) throw new ArcError('InvalidCertificate', 'the certificate has no subject');
  return subject.raw;
}

function pem(label: string, der: Buffer): string {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}
