import { ArcError } from '@arc/kernel';

/** Tags of the ASN.1 types certificates are made of (X.690 section 8). */
const tag = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  objectIdentifier: 0x06,
  utf8String: 0x0c,
  ia5String: 0x16,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const;

/** One tag-length-value with the shortest length form, as DER demands. */
function tlv(type: number, ...contents: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(contents);
  return Buffer.concat([Buffer.from([type]), lengthOctets(body.length), body]);
}

function lengthOctets(length: number): Buffer {
  if (length < 0x80) return Buffer.from([length]);
  const octets: number[] = [];
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) octets.unshift(rest % 256);
  return Buffer.from([0x80 | octets.length, ...octets]);
}

export function sequence(...members: readonly Uint8Array[]): Buffer {
  return tlv(tag.sequence, ...members);
}

export function set(...members: readonly Uint8Array[]): Buffer {
  return tlv(tag.set, ...members);
}

/** A context-specific tag that wraps its content. */
export function explicit(number: number, content: Uint8Array): Buffer {
  return tlv(0xa0 | number, content);
}

/** A context-specific tag in place of the content's own primitive tag. */
export function implicit(number: number, content: Uint8Array): Buffer {
  return tlv(0x80 | number, content);
}

/** A non-negative INTEGER from its big-endian magnitude. */
export function unsignedInteger(magnitude: Uint8Array): Buffer {
  let start = 0;
  while (start < magnitude.length - 1 && magnitude[start] === 0) start++;
  const digits = magnitude.subarray(start);
  const needsSignOctet = digits.length === 0 || (digits[0] ?? 0) >= 0x80;
  return needsSignOctet ? tlv(tag.integer, Buffer.from([0]), digits) : tlv(tag.integer, digits);
}

export function boolean(value: boolean): Buffer {
  return tlv(tag.boolean, Buffer.from([value ? 0xff : 0]));
}

export function octetString(content: Uint8Array): Buffer {
  return tlv(tag.octetString, content);
}

export function bitString(content: Uint8Array, unusedBits = 0): Buffer {
  return tlv(tag.bitString, Buffer.from([unusedBits]), content);
}

export function utf8String(text: string): Buffer {
  return tlv(tag.utf8String, Buffer.from(text, 'utf8'));
}

/** An OBJECT IDENTIFIER from its dotted form. */
export function objectIdentifier(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  return tlv(tag.objectIdentifier, Buffer.from([first * 40 + second, ...rest.flatMap(base128)]));
}

function base128(arc: number): number[] {
  const octets = [arc % 128];
  for (let rest = Math.floor(arc / 128); rest > 0; rest = Math.floor(rest / 128)) octets.unshift(0x80 | (rest % 128));
  return octets;
}

/** UTCTime until 2049, GeneralizedTime from 2050 on (RFC 5280 section 4.1.2.5). Whole seconds. */
export function time(epochMs: number): Buffer {
  const digits = new Date(epochMs)
    .toISOString()
    .replace(/\.\d+Z$/, 'Z')
    .replaceAll(/[-:T]/g, '');
  return Number(digits.slice(0, 4)) < 2050 ? tlv(tag.utcTime, Buffer.from(digits.slice(2))) : tlv(tag.generalizedTime, Buffer.from(digits));
}

/** One element read from DER: `content` without and `raw` with tag and length. */
export interface DerElement {
  readonly type: number;
  readonly content: Buffer;
  readonly raw: Buffer;
}

/**
 * Splits the concatenation of DER elements.
 *
 * @throws ArcError `InvalidCertificate` when the bytes are cut short or use indefinite lengths
 */
export function readElements(bytes: Buffer): DerElement[] {
  const elements: DerElement[] = [];
  for (let at = 0; at < bytes.length;) {
    const { contentStart, length } = readHeader(bytes, at);
    const end = contentStart + length;
    if (end > bytes.length) throw malformed('an element is cut short');
    elements.push({ type: bytes[at] ?? 0, content: bytes.subarray(contentStart, end), raw: bytes.subarray(at, end) });
    at = end;
  }
  return elements;
}

function readHeader(bytes: Buffer, at: number): { contentStart: number; length: number } {
  const first = bytes[at + 1];
  if (first === undefined) throw malformed('a length is missing');
  if (first < 0x80) return { contentStart: at + 2, length: first };
  const count = first & 0x7f;
  if (count === 0 || count > 4 || at + 2 + count > bytes.length) throw malformed('a length is not definite');
  return { contentStart: at + 2 + count, length: bytes.readUIntBE(at + 2, count) };
}

function malformed(what: string): ArcError {
  return new ArcError('InvalidCertificate', `the certificate is not valid DER: ${what}`, {
    hint: 'Delete the file to have a new one issued, or restore it from a backup.',
  });
}
