import {
  apiVersionOf,
  type Decoded,
  decodeJson,
  decodeYaml,
  isObject,
  statusError,
  strictDecodingMessages,
  type UnstructuredObject,
} from '@arc/apimachinery';
import { messageOf } from '@arc/kernel';
import type { ServedResource } from '../registry/served-resource.ts';
import type { ApplyOptions } from '../request/write-options.ts';
import type { RequestContext } from '../server-context.ts';
import { maxBodyBytes } from './decode-body.ts';

/**
 * Reads the configuration an apply patch carries, of the kind and at the place of the URL (wire contract 5.1).
 * @throws ApiStatusError 400 or 413.
 */
export async function readConfig(resource: ServedResource, request: RequestContext, options: ApplyOptions): Promise<UnstructuredObject> {
  const { value, duplicates } = decodeConfig(await request.exchange.readBody(maxBodyBytes, request.signal));
  if (!isObject(value)) throw statusError.badRequest('error decoding YAML: the configuration is not an object');
  const messages = strictDecodingMessages({ unknown: [], duplicates });
  if (messages.length > 0 && options.fieldValidation === 'Strict') {
    throw statusError.badRequest(`error strict decoding YAML: ${messages.join(', ')}`);
  }
  if (options.fieldValidation === 'Warn') for (const message of messages) request.warn(message);
  const { apiVersion, kind } = value;
  const metadata = value['metadata'] ?? {};
  if (!isObject(metadata)) throw statusError.badRequest('metadata must be an object');
  assertType(resource, { apiVersion, kind });
  const config = { ...value, apiVersion: String(apiVersion), kind: String(kind), metadata };
  assertPlace(resource, request, config);
  return config;
}

/** Most clients send JSON, whose decoder is faster and which YAML includes. */
function decodeConfig(body: Uint8Array): Decoded {
  try {
    return decodeJson(body);
  } catch {
    try {
      return decodeYaml(body);
    } catch (error) {
      throw statusError.badRequest(`error decoding YAML: ${messageOf(error)}`);
    }
  }
}

function assertType({ definition }: ServedResource, { apiVersion, kind }: { readonly apiVersion: unknown; readonly kind: unknown }): void {
  const expected = apiVersionOf(definition);
  if (typeof apiVersion !== 'string' || apiVersion === '' || typeof kind !== 'string' || kind === '') {
    throw statusError.badRequest('invalid object type: apiVersion and kind must be set in an apply patch');
  }
  if (apiVersion !== expected) {
    throw statusError.badRequest(
      `Incorrect version specified in apply patch. Specified patch version: ${apiVersion}, expected: ${expected}`,
    );
  }
  if (kind !== definition.kind) {
    throw statusError.badRequest(`Incorrect kind specified in apply patch. Specified patch kind: ${kind}, expected: ${definition.kind}`);
  }
}

function assertPlace(resource: ServedResource, { info }: RequestContext, { metadata }: UnstructuredObject): void {
  metadata.name ??= info.name;
  if (metadata.name !== info.name) {
    throw statusError.badRequest(`the name of the object (${metadata.name}) does not match the name on the URL (${info.name})`);
  }
  if (!resource.type.namespaced) return;
  metadata.namespace ??= info.namespace;
  if (metadata.namespace !== info.namespace) {
    throw statusError.badRequest('the namespace of the provided object does not match the namespace sent on the request');
  }
}
