import { message, string } from './descriptor.ts';
import type { JsonObject } from '../json/object.ts';
import { malformedProtobuf, readFields } from './wire-reader.ts';

/** What Kubernetes wraps every protobuf body in: four magic bytes and a `runtime.Unknown` (wire contract 4.3). */
export interface ProtobufEnvelope {
  readonly apiVersion: string;
  readonly kind: string;
  /** The message itself. */
  readonly raw: Uint8Array;
}

const magic = [0x6b, 0x38, 0x73, 0x00];
const typeMeta = message({ 1: ['apiVersion', string], 2: ['kind', string] });

/** True when the bytes begin as a Kubernetes protobuf body does. */
export function isProtobufEnvelope(body: Uint8Array): boolean {
  return magic.every((byte, index) => body[index] === byte);
}

/** @throws ApiStatusError 400. */
export function readProtobufEnvelope(body: Uint8Array): ProtobufEnvelope {
  if (!isProtobufEnvelope(body)) throw malformedProtobuf('the body does not begin with the bytes 6b 38 73 00');
  let type: JsonObject = {};
  let raw: Uint8Array = new Uint8Array();
  for (const { number, value } of readFields(body.subarray(magic.length))) {
    if (number === 3 || number === 4) {
      if (typeof value !== 'bigint' && value.length > 0) throw malformedProtobuf('the message inside must be plain protobuf');
    } else if (number === 1 || number === 2) {
      if (typeof value === 'bigint') throw malformedProtobuf('a number where bytes are expected');
      if (number === 1) type = typeMeta.decode(value);
      else raw = value;
    }
  }
  const { apiVersion = '', kind = '' } = type;
  return { apiVersion: String(apiVersion), kind: String(kind), raw };
}
