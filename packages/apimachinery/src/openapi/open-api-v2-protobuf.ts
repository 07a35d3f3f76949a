import { isObject, type JsonObject } from '../json/object.ts';

/** Encodes an OpenAPI v2 document as gnostic's `openapi.v2.Document`, the form kubectl below 1.29 asks for (wire contract 1.3). */
export function encodeOpenApiV2(document: JsonObject): Uint8Array {
  const info = objectOf(document['info']);
  return message(
    text(1, document['swagger']),
    bytes(2, message(text(1, info['title']), text(2, info['version']))),
    bytes(8, message(...Object.entries(objectOf(document['paths'])).map(([path, item]) => named(2, path, pathItem(objectOf(item)))))),
    bytes(9, namedSchemas(document['definitions'])),
  );
}

type Bytes = Uint8Array;

const operationFields = [
  ['get', 2],
  ['put', 3],
  ['post', 4],
  ['delete', 5],
  ['options', 6],
  ['head', 7],
  ['patch', 8],
] as const;

function pathItem(item: JsonObject): Bytes {
  return message(
    ...operationFields.map(([method, field]) => (isObject(item[method]) ? bytes(field, operation(item[method])) : empty)),
    ...listOf(item['parameters']).map((entry) => bytes(9, parameter(objectOf(entry)))),
  );
}

function operation(value: JsonObject): Bytes {
  return message(
    ...texts(1, value['tags']),
    text(3, value['description']),
    text(5, value['operationId']),
    ...texts(6, value['produces']),
    ...texts(7, value['consumes']),
    ...listOf(value['parameters']).map((entry) => bytes(8, parameter(objectOf(entry)))),
    bytes(9, message(...Object.entries(objectOf(value['responses'])).map(([code, entry]) => named(1, code, response(objectOf(entry)))))),
    ...extensions(13, value),
  );
}

function parameter(value: JsonObject): Bytes {
  const { in: place } = value;
  if (place === 'body') {
    const body = message(
      text(1, value['description']),
      text(2, value['name']),
      text(3, place),
      flag(4, value['required']),
      bytes(5, schema(objectOf(value['schema']))),
    );
    return bytes(1, bytes(1, body));
  }
  const shared = message(flag(1, value['required']), text(2, place), text(3, value['description']), text(4, value['name']));
  const own = place === 'path' ? bytes(4, message(shared, text(5, value['type']))) : bytes(3, message(shared, text(6, value['type'])));
  return bytes(1, bytes(2, own));
}

function response(value: JsonObject): Bytes {
  const described = text(1, value['description']);
  const shown = isObject(value['schema']) ? bytes(2, bytes(1, schema(value['schema']))) : empty;
  return bytes(1, message(described, shown));
}

function schema(value: JsonObject): Bytes {
  const { additionalProperties, items, properties, type } = value;
  return message(
    text(1, value['$ref']),
    text(2, value['format']),
    text(3, value['title']),
    text(4, value['description']),
    value['default'] === undefined ? empty : bytes(5, any(value['default'])),
    double(7, value['maximum']),
    double(9, value['minimum']),
    count(11, value['maxLength']),
    count(12, value['minLength']),
    text(13, value['pattern']),
    count(14, value['maxItems']),
    count(15, value['minItems']),
    ...texts(19, value['required']),
    ...listOf(value['enum']).map((entry) => bytes(20, any(entry))),
    isObject(additionalProperties) ? bytes(21, bytes(1, schema(additionalProperties))) : empty,
    typeof type === 'string' ? bytes(22, text(1, type)) : empty,
    isObject(items) ? bytes(23, bytes(1, schema(items))) : empty,
    isObject(properties) ? bytes(25, namedSchemas(properties)) : empty,
    ...extensions(31, value),
  );
}

function namedSchemas(value: unknown): Bytes {
  return message(...Object.entries(objectOf(value)).map(([name, entry]) => named(1, name, schema(objectOf(entry)))));
}

/** JSON is YAML. */
function any(value: unknown): Bytes {
  return text(2, JSON.stringify(value));
}

function extensions(field: number, value: JsonObject): Bytes[] {
  return Object.entries(value)
    .filter(([name]) => name.startsWith('x-'))
    .map(([name, entry]) => named(field, name, any(entry)));
}

function named(field: number, name: string, value: Bytes): Bytes {
  return bytes(field, message(text(1, name), bytes(2, value)));
}

const empty = new Uint8Array();
const encoder = new TextEncoder();

function message(...parts: readonly Bytes[]): Bytes {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

function bytes(field: number, value: Bytes): Bytes {
  return message(varint(field * 8 + 2), varint(value.length), value);
}

function text(field: number, value: unknown): Bytes {
  return typeof value === 'string' && value !== '' ? bytes(field, encoder.encode(value)) : empty;
}

function texts(field: number, values: unknown): Bytes[] {
  return listOf(values).map((value) => text(field, value));
}

function flag(field: number, value: unknown): Bytes {
  return value === true ? message(varint(field * 8), varint(1)) : empty;
}

function count(field: number, value: unknown): Bytes {
  return typeof value === 'number' && value > 0 ? message(varint(field * 8), varint(value)) : empty;
}

function double(field: number, value: unknown): Bytes {
  if (typeof value !== 'number' || value === 0) return empty;
  const encoded = new Uint8Array(8);
  new DataView(encoded.buffer).setFloat64(0, value, true);
  return message(varint(field * 8 + 1), encoded);
}

function varint(value: number): Bytes {
  const encoded: number[] = [];
  let rest = value;
  while (rest > 127) {
    encoded.push((rest % 128) + 128);
    rest = Math.floor(rest / 128);
  }
  encoded.push(rest);
  return Uint8Array.from(encoded);
}

function objectOf(value: unknown): JsonObject {
  return isObject(value) ? value : {};
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
