import { EvidenceError } from '../evidence/untrusted.ts';

/** One packet: its type (RFC 9580, section 5) and content. */
export interface Packet {
  readonly type: number;
  readonly body: Buffer;
}

export const packetTypes = { signature: 2, publicKey: 6, userId: 13, publicSubkey: 14, userAttribute: 17 } as const;

/** Most packets that are read of one keyring or signature block. */
const packetLimit = 10_000;

/** Splits packets with definite lengths, in the old and the new format. @throws EvidenceError */
export function readPackets(bytes: Buffer): readonly Packet[] {
  const packets: Packet[] = [];
  for (let at = 0; at < bytes.length;) {
    if (packets.length >= packetLimit) throw malformed('there are too many packets');
    const first = bytes[at] ?? 0;
    if ((first & 0x80) === 0) throw malformed('a packet does not begin as one');
    const { start, length } = (first & 0x40) === 0 ? oldLength(bytes, at + 1, first & 3) : newLength(bytes, at + 1);
    if (start + length > bytes.length) throw malformed('a packet is cut short');
    packets.push({ type: (first & 0x40) === 0 ? (first >> 2) & 0xf : first & 0x3f, body: bytes.subarray(start, start + length) });
    at = start + length;
  }
  return packets;
}

function oldLength(bytes: Buffer, at: number, kind: number): { start: number; length: number } {
  const octets = [1, 2, 4][kind];
  if (octets === undefined || at + octets > bytes.length) throw malformed('a packet has no length');
  return { start: at + octets, length: bytes.readUIntBE(at, octets) };
}

/** The length forms of packets and subpackets. @throws EvidenceError for partial lengths */
export function newLength(bytes: Buffer, at: number, partial = true): { start: number; length: number } {
  const first = bytes[at];
  if (first === undefined) throw malformed('a length is missing');
  if (first < 192) return { start: at + 1, length: first };
  if (first === 255) {
    if (at + 5 > bytes.length) throw malformed('a length is cut short');
    return { start: at + 5, length: bytes.readUInt32BE(at + 1) };
  }
  if (partial && first >= 224) throw malformed('a packet comes in parts');
  const second = bytes[at + 1];
  if (second === undefined) throw malformed('a length is cut short');
  return { start: at + 2, length: ((first - 192) << 8) + second + 192 };
}

/** Reads a multiprecision integer and what follows it. @throws EvidenceError */
export function readInteger(bytes: Buffer): { value: Buffer; rest: Buffer } {
  if (bytes.length < 2) throw malformed('a number is cut short');
  const length = (bytes.readUInt16BE(0) + 7) >> 3;
  if (2 + length > bytes.length) throw malformed('a number is cut short');
  return { value: bytes.subarray(2, 2 + length), rest: bytes.subarray(2 + length) };
}

/** A number with leading zeros, `length` octets long. @throws EvidenceError when it is longer */
export function padded(value: Buffer, length: number): Buffer {
  if (value.length > length) throw malformed('a number is too long');
  return Buffer.concat([Buffer.alloc(length - value.length), value]);
}

export function malformed(problem: string): EvidenceError {
  return new EvidenceError(`the OpenPGP data is malformed: ${problem}`);
}
