import {
  apiVersionOf,
  type Decoded,
  decodeJson,
  decodeYaml,
  dropNulls,
  isObject,
  type JsonObject,
  type KindDefinition,
  objectMetaSchema,
  objectSchemaOf,
  type ProtobufDecoder,
  protobufDecoderOf,
  prune,
  readProtobufEnvelope,
  statusError,
  strictDecodingMessages,
  strictDecodingText,
  type UnstructuredObject,
  validateSchema,
} from '@arc/apimachinery';
import { messageOf } from '@arc/kernel';
import { bodyType, protobufType } from '../request/media-type.ts';
import type { FieldValidation } from '../request/write-options.ts';
import type { RequestContext } from '../server-context.ts';

/** Largest request body, bytes (wire contract 3.1, "size"). */
export const maxBodyBytes = 3 * 1024 * 1024;

/**
 * Reads the object a create or update carries: decoded, of the right kind, without unknown fields (wire contract 2.6).
 * Unknown and duplicate fields are warned about or refused, as `fieldValidation` says.
 * @throws ApiStatusError 400, 413 or 415.
 */
export async function readObject(
  definition: KindDefinition,
  request: RequestContext,
  fieldValidation: FieldValidation,
): Promise<UnstructuredObject> {
  const type = bodyType(request.exchange.header('content-type'));
  const accepted = acceptedBodyTypes(definition);
  if (!accepted.includes(type)) throw statusError.unsupportedMediaType(accepted);
  const body = await request.exchange.readBody(maxBodyBytes, request.signal);
  const { value, duplicates } = decodeAs(type, body, definition);
  if (!isObject(value)) throw unrecognized(definition, 'the body is not an object', body);
  const object = withTypeOf(definition, value);
  const messages = strictDecodingMessages({ unknown: pruneObject(definition, object), duplicates });
  if (messages.length > 0 && fieldValidation === 'Strict') throw statusError.badRequest(strictDecodingText(messages));
  if (fieldValidation === 'Warn') for (const message of messages) request.warn(message);
  assertMetadataTypes(definition, object);
  return object;
}

function acceptedBodyTypes(definition: KindDefinition): readonly string[] {
  const types = ['application/json', 'application/yaml'];
  return decoderOf(definition) === undefined ? types : [...types, protobufType];
}

function decoderOf(definition: KindDefinition): ProtobufDecoder | undefined {
  return definition.protobuf ?? protobufDecoderOf(apiVersionOf(definition), definition.kind);
}

function decodeAs(type: string, body: Uint8Array, definition: KindDefinition): Decoded {
  try {
    if (type === protobufType) return { value: decodeProtobuf(body, definition), duplicates: [] };
    return type === 'application/yaml' ? decodeYaml(body) : decodeJson(body);
  } catch (error) {
    throw unrecognized(definition, messageOf(error), body);
  }
}

function decodeProtobuf(body: Uint8Array, definition: KindDefinition): JsonObject {
  const { apiVersion, kind, raw } = readProtobufEnvelope(body);
  return { ...decoderOf(definition)?.(raw), apiVersion, kind };
}

function unrecognized({ kind }: KindDefinition, why: string, body: Uint8Array): Error {
  return statusError.badRequest(`the object provided is unrecognized (must be of type ${kind}): ${why} (${firstBytes(body)})`);
}

/** The first 30 bytes, as text when it looks like JSON. */
function firstBytes(body: Uint8Array): string {
  const head = Buffer.from(body.subarray(0, 30));
  const text = head[0] === 0x7b ? head.toString('utf8') : head.toString('hex');
  return body.length > head.length ? `${text} ...` : text;
}

function withTypeOf(definition: KindDefinition, value: JsonObject): UnstructuredObject {
  const expected = apiVersionOf(definition);
  const { apiVersion = '', kind = '' } = value;
  if (apiVersion !== '' && apiVersion !== expected) {
    throw statusError.badRequest(
      `the API version in the data (${String(apiVersion)}) does not match the expected API version (${expected})`,
    );
  }
  if (kind !== '' && kind !== definition.kind) {
    throw statusError.badRequest(
      `${String(kind)} in version ${JSON.stringify(definition.version)} cannot be handled as a ${definition.kind}: the kind in the data does not match the kind of the resource`,
    );
  }
  const { metadata } = value;
  return {
    ...value,
    apiVersion: expected,
    kind: definition.kind,
    metadata: isObject(metadata) ? metadata : metadataOf(definition, metadata),
  };
}

function metadataOf(definition: KindDefinition, metadata: unknown): JsonObject {
  if (metadata === undefined || metadata === null) return {};
  throw cannotBeHandled(definition, 'metadata must be an object');
}

/**
 * Removes what the schema of a kind does not know, and what this server keeps no record of (selfLink).
 * @returns the paths of the unknown fields.
 */
export function pruneObject(definition: KindDefinition, object: UnstructuredObject): string[] {
  const unknown = prune(object, objectSchemaOf(definition));
  // Core kinds are Go structs elsewhere: null and absent are the same to them.
  if (definition.strategicMergePatch === true) dropNulls(object);
  Reflect.deleteProperty(object.metadata, 'selfLink');
  return unknown;
}

/** Everything after this relies on metadata having the right shape. @throws ApiStatusError 400. */
export function assertMetadataTypes(definition: KindDefinition, object: UnstructuredObject): void {
  // Duplicates are no matter of shape; owner references given twice are even allowed.
  const error = validateSchema(object.metadata, objectMetaSchema, 'metadata').find(({ reason }) => reason !== 'FieldValueDuplicate');
  if (error !== undefined) throw cannotBeHandled(definition, `${error.field}: ${error.message}`);
}

function cannotBeHandled({ kind, version }: KindDefinition, why: string): Error {
  return statusError.badRequest(`${kind} in version ${JSON.stringify(version)} cannot be handled as a ${kind}: ${why}`);
}
