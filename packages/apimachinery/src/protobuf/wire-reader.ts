import { statusError } from '../status/api-status-error.ts';
import type { ApiStatusError } from '../status/api-status-error.ts';

/** A field of a protobuf message as it is on the wire: an integer (varint or fixed) or length-delimited bytes. */
export interface WireField {
  readonly number: number;
  readonly value: bigint | Uint8Array;
}

/**
 * Reads the fields of one protobuf message in order. Every length is checked against what is there; bytes are views.
 *
 * @throws ApiStatusError 400 when the bytes are not a message.
 */
export function* readFields(message: Uint8Array): Generator<WireField> {
  const reader: Reader = { view: new DataView(message.buffer, message.byteOffset, message.byteLength), message, at: 0 };
  while (reader.at < message.length) {
    const tag = readVarint(reader);
    const number = Number(tag >> 3n);
    if (number === 0 || number > maxFieldNumber) throw malformed(reader, 'a field number is out of range');
    yield { number, value: readValue(reader, Number(tag & 7n)) };
  }
}

export function malformedProtobuf(what: string): ApiStatusError {
  return statusError.badRequest(`invalid protobuf: ${what}`);
}

interface Reader {
  readonly view: DataView;
  readonly message: Uint8Array;
  at: number;
}

const maxFieldNumber = 2 ** 29 - 1;

function readValue(reader: Reader, wireType: number): bigint | Uint8Array {
  switch (wireType) {
    case 0:
      return readVarint(reader);
    case 1: {
      const at = take(reader, 8);
      return reader.view.getBigUint64(at, true);
    }
    case 2: {
      const length = readVarint(reader);
      if (length > BigInt(reader.message.length)) throw malformed(reader, 'a length exceeds the message');
      const at = take(reader, Number(length));
      return reader.message.subarray(at, reader.at);
    }
    case 5: {
      const at = take(reader, 4);
      return BigInt(reader.view.getUint32(at, true));
    }
    default:
      throw malformed(reader, `wire type ${wireType} is not supported`);
  }
}

function readVarint(reader: Reader): bigint {
  let value = 0n;
  for (let shift = 0n; shift < 70n; shift += 7n) {
    const byte = reader.view.getUint8(take(reader, 1));
    value |= BigInt(byte & 0x7f) << shift;
    if (byte < 0x80) return BigInt.asUintN(64, value);
  }
  throw malformed(reader, 'a varint is too long');
}

/** Moves on by `length` and returns where it was. */
function take(reader: Reader, length: number): number {
  const at = reader.at;
  if (at + length > reader.message.length) throw malformed(reader, 'unexpected end');
  reader.at = at + length;
  return at;
}

function malformed(reader: Reader, what: string): ApiStatusError {
  return malformedProtobuf(`${what} at byte ${reader.at}`);
}
