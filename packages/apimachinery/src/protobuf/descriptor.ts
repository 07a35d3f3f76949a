import { exactInteger } from '../json/exact-integer.ts';
import { getOwn, isObject, setOwn } from '../json/object.ts';
import type { JsonObject } from '../json/object.ts';
import { malformedProtobuf, readFields } from './wire-reader.ts';

/**
 * How one field becomes JSON. `read` gets the value on the wire and what earlier occurrences of the field gave, and
 * returns the new value; undefined leaves the field out.
 */
export interface FieldType {
  /** What the absence of a value on the wire stands for, where there is such a thing. */
  readonly zero?: unknown;
  read(value: bigint | Uint8Array, before: unknown): unknown;
}

/** A message: its fields by number, with their JSON names. Fields it does not name are skipped. */
export interface MessageType extends FieldType {
  decode(message: Uint8Array): JsonObject;
}

/** The name of a message whose fields JSON shows as those of the message it is in, as it does with embedded structs of Go. */
export const inline = '';

type Fields = Readonly<Record<number, readonly [name: string, type: FieldType]>>;

/*
 * Go writes every field that is no pointer, zero or not, and its JSON leaves zero out (`omitempty`). The plain scalars
 * below do the same; `present` is for pointers and for fields whose JSON shows zero.
 */

export const string: FieldType = scalar((value) => textOf(value), '');
export const bool: FieldType = scalar((value) => integerOf(value) !== 0n, false);
export const int: FieldType = scalar<number | bigint>((value) => exactInteger(BigInt.asIntN(64, integerOf(value))), 0);

/** Bytes, in base64. Shown even when empty: they occur as values of maps. */
export const bytes: FieldType = {
  zero: '',
  read: (value) => Buffer.from(bytesOf(value)).toString('base64'),
};

/** A JSON value carried as bytes, wrapped in a message of its own (FieldsV1). */
export function rawJson(parse: (text: string) => unknown): FieldType {
  return {
    read(value) {
      for (const { number, value: raw } of readFields(bytesOf(value))) if (number === 1) return parse(textOf(raw));
      return undefined;
    },
  };
}

/** A scalar that is shown whenever it is on the wire, zero too. */
export function present(type: FieldType): FieldType {
  return { read: (value, before) => type.read(value, before) ?? type.zero };
}

export function list(type: FieldType): FieldType {
  return {
    read: (value, before) => [...(Array.isArray(before) ? (before as unknown[]) : []), present(type).read(value, undefined)],
  };
}

/** A map with text keys. */
export function map(type: FieldType): FieldType {
  const entry = message({ 1: ['key', string], 2: ['value', present(type)] });
  return {
    read(value, before) {
      const result: JsonObject = isObject(before) ? before : {};
      const { key = '', value: content = type.zero } = entry.decode(bytesOf(value));
      setOwn(result, String(key), content);
      return result;
    },
  };
}

export function message(fields: Fields): MessageType {
  const byNumber = new Map(Object.entries(fields).map(([number, field]) => [Number(number), field]));
  const decodeInto = (object: JsonObject, encoded: Uint8Array): JsonObject => {
    for (const { number, value } of readFields(encoded)) {
      const field = byNumber.get(number);
      if (field === undefined) continue;
      const [name, type] = field;
      if (name === inline) {
        type.read(value, object);
        continue;
      }
      const content = type.read(value, getOwn(object, name));
      if (content === undefined) delete object[name];
      else setOwn(object, name, content);
    }
    return object;
  };
  return {
    decode: (encoded) => decodeInto({}, encoded),
    read: (value, before) => decodeInto(isObject(before) ? before : {}, bytesOf(value)),
  };
}

function scalar<T>(convert: (value: bigint | Uint8Array) => T, zero: T): FieldType {
  return {
    zero,
    read(value) {
      const converted = convert(value);
      return converted === zero ? undefined : converted;
    },
  };
}

function textOf(value: bigint | Uint8Array): string {
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytesOf(value));
}

function bytesOf(value: bigint | Uint8Array): Uint8Array {
  if (typeof value === 'bigint') throw malformedProtobuf('a number where bytes are expected');
  return value;
}

function integerOf(value: bigint | Uint8Array): bigint {
  if (typeof value !== 'bigint') throw malformedProtobuf('bytes where a number is expected');
  return value;
}
