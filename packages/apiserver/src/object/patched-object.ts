import {
  applyJsonPatch,
  applyMergePatch,
  applyStrategicMergePatch,
  type Decoded,
  decodeJson,
  fieldError,
  isObject,
  type JsonObject,
  objectSchemaOf,
  statusError,
  strictDecodingMessages,
  strictDecodingText,
  type UnstructuredObject,
} from '@arc/apimachinery';
import { messageOf } from '@arc/kernel';
import type { ServedResource } from '../registry/served-resource.ts';
import { bodyType } from '../request/media-type.ts';
import type { WriteOptions } from '../request/write-options.ts';
import type { RequestContext } from '../server-context.ts';
import { assertMetadataTypes, maxBodyBytes, pruneObject } from './decode-body.ts';

const jsonPatchType = 'application/json-patch+json';
const mergePatchType = 'application/merge-patch+json';
const strategicMergePatchType = 'application/strategic-merge-patch+json';
export const applyPatchType = 'application/apply-patch+yaml';

/** A patch as it was sent, decoded. */
interface Patch {
  readonly type: string;
  readonly text: string;
  readonly decoded: Decoded;
}

/**
 * The media type of the patch a request carries, one of those its resource takes.
 * @throws ApiStatusError 415.
 */
export function patchType({ definition }: ServedResource, { exchange }: RequestContext): string {
  const accepted = [
    jsonPatchType,
    mergePatchType,
    ...(definition.strategicMergePatch === true ? [strategicMergePatchType] : []),
    applyPatchType,
  ];
  const type = bodyType(exchange.header('content-type'));
  if (!accepted.includes(type)) throw statusError.unsupportedMediaType(accepted);
  return type;
}

/** @throws ApiStatusError 413 or 400. */
export async function readPatch(type: string, { exchange, signal }: RequestContext): Promise<Patch> {
  const body = await exchange.readBody(maxBodyBytes, signal);
  try {
    return { type, text: Buffer.from(body).toString(), decoded: decodeJson(body) };
  } catch (error) {
    throw statusError.badRequest(`error decoding patch: ${messageOf(error)}`);
  }
}

/**
 * What a patch, other than an apply patch, makes of an object: of the same identity, without unknown fields.
 * @throws ApiStatusError 400, 413 or 422.
 */
export function patched(
  resource: ServedResource,
  request: RequestContext,
  { patch, current, options }: { readonly patch: Patch; readonly current: UnstructuredObject; readonly options: WriteOptions },
): UnstructuredObject {
  const { definition } = resource;
  const result = applied(resource, patch, current);
  if (!isObject(result) || !isObject(result['metadata'])) throw statusError.badRequest('the patched object is not an object with metadata');
  const object = { ...result, apiVersion: current.apiVersion, kind: current.kind, metadata: result['metadata'] };
  assertSameIdentity(result, current);
  const messages = strictDecodingMessages({ unknown: pruneObject(definition, object), duplicates: patch.decoded.duplicates });
  if (messages.length > 0 && options.fieldValidation === 'Strict') throw strictError(patch, messages);
  if (options.fieldValidation === 'Warn') for (const message of messages) request.warn(message);
  assertMetadataTypes(definition, object);
  return object;
}

function applied({ definition }: ServedResource, { type, decoded }: Patch, current: UnstructuredObject): unknown {
  if (type === jsonPatchType) return applyJsonPatch(current, decoded.value);
  if (!isObject(decoded.value)) throw statusError.badRequest('error decoding patch: the patch is not an object');
  if (type === mergePatchType) return applyMergePatch(current, decoded.value);
  return applyStrategicMergePatch(current, decoded.value, objectSchemaOf(definition));
}

/** A patch cannot turn an object into another one. */
function assertSameIdentity(result: JsonObject, current: UnstructuredObject): void {
  const metadata = isObject(result['metadata']) ? result['metadata'] : {};
  if (metadata['name'] !== current.metadata.name) {
    throw statusError.badRequest(
      `the name of the object (${String(metadata['name'] ?? '')}) does not match the name on the URL (${current.metadata.name ?? ''})`,
    );
  }
  if ((metadata['namespace'] ?? '') !== (current.metadata.namespace ?? '')) {
    throw statusError.badRequest('the namespace of the provided object does not match the namespace sent on the request');
  }
  if (result['apiVersion'] !== current.apiVersion || result['kind'] !== current.kind) {
    throw statusError.badRequest(
      `the API version in the data (${String(result['apiVersion'])}, ${String(result['kind'])}) does not match the expected API version (${current.apiVersion}, ${current.kind})`,
    );
  }
}

/** 422 on the field `patch` for JSON and merge patches, 400 for strategic ones (wire contract 2.4). */
function strictError(patch: Patch, messages: readonly string[]): Error {
  const text = strictDecodingText(messages);
  if (patch.type === strategicMergePatchType) return statusError.badRequest(text);
  return statusError.invalid({ group: '', kind: '' }, '', [fieldError.invalid('patch', patch.text, text)]);
}
