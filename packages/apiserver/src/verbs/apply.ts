import {
  apiVersionOf,
  applyConfiguration,
  cloneJson,
  type Decoded,
  decodeJson,
  decodeYaml,
  type FieldWrite,
  isObject,
  isStatusReason,
  statusError,
  strictDecodingMessages,
  type UnstructuredObject,
} from '@arc/apimachinery';
import { messageOf } from '@arc/kernel';
import { forbidden } from '../authz/forbidden.ts';
import { createObject } from '../object/create-object.ts';
import { assertMetadataTypes, maxBodyBytes, pruneObject } from '../object/decode-body.ts';
import { fieldWrite } from '../object/field-management.ts';
import type { UpdateScope } from '../object/prepare-update.ts';
import { updateObject } from '../object/update-object.ts';
import type { ServedResource } from '../registry/served-resource.ts';
import { negotiateObject, objectReply } from '../representation/object-reply.ts';
import { viewOfObject } from '../representation/object-view.ts';
import { type ApplyOptions, parseApplyOptions } from '../request/write-options.ts';
import type { RequestContext, ServerContext } from '../server-context.ts';
import type { VerbHandler } from './handler.ts';

interface Apply {
  readonly scope: UpdateScope;
  readonly options: ApplyOptions;
  readonly config: UnstructuredObject;
  readonly write: FieldWrite;
}

/** How often an object may come and go between the attempts to update and to create it. */
const maxAttempts = 8;

/**
 * PATCH with a configuration (wire contract 5): merged into the object by its schema, or creates it (201). What others
 * own and would change is 409 unless forced.
 */
export function apply(scope: UpdateScope): VerbHandler {
  return async (server, resource, request) => {
    const options = parseApplyOptions(request.exchange.query);
    const representation = negotiateObject(request.exchange);
    const config = await readConfig(resource, request, options);
    const write = fieldWrite(server, resource, request, { ...options, scope });
    const { code, object } = await applied(server, resource, request, { scope, options, config, write });
    return objectReply(code, request.exchange, resource, viewOfObject(resource, object), representation, server.clock.now());
  };
}

/** The configuration, of the kind and at the place of the URL. @throws ApiStatusError 400 or 413. */
async function readConfig(resource: ServedResource, request: RequestContext, options: ApplyOptions): Promise<UnstructuredObject> {
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

async function applied(
  server: ServerContext,
  resource: ServedResource,
  request: RequestContext,
  apply: Apply,
): Promise<{ readonly code: number; readonly object: UnstructuredObject }> {
  for (let attempt = 1; ; attempt++) {
    try {
      return { code: 200, object: await update(server, resource, request, apply) };
    } catch (error) {
      if (apply.scope !== 'main' || !isStatusReason(error, 'NotFound')) throw error;
    }
    try {
      return { code: 201, object: await create(server, resource, request, apply) };
    } catch (error) {
      if (attempt === maxAttempts || !isStatusReason(error, 'AlreadyExists')) throw error;
    }
  }
}

function update(server: ServerContext, resource: ServedResource, request: RequestContext, apply: Apply): Promise<UnstructuredObject> {
  const { scope, options, config, write } = apply;
  return updateObject(server, resource, request, {
    scope,
    dryRun: options.dryRun,
    requireResourceVersion: false,
    desired: (current) => checked(resource, applyConfiguration(current, cloneJson(config), { ...write, force: options.force })),
    managedFields: (_old, _next, managedFields) => managedFields,
  });
}

async function create(
  server: ServerContext,
  resource: ServedResource,
  request: RequestContext,
  { options, config, write }: Apply,
): Promise<UnstructuredObject> {
  const { uid, resourceVersion } = config.metadata;
  const { name } = request.info;
  if ((uid ?? '') !== '') {
    throw statusError.conflict(resource.type, name, `Precondition failed: UID in precondition: ${uid}, UID in object meta: `);
  }
  if ((resourceVersion ?? '') !== '') throw statusError.conflict(resource.type, name);
  const attributes = { ...request.info, verb: 'create' };
  const answer = await server.authorizer.authorize(attributes, request.user, request.signal);
  if (answer.decision !== 'allow') throw forbidden(attributes, request.user, answer.reason);
  const object = checked(resource, applyConfiguration(undefined, cloneJson(config), { ...write, force: options.force }));
  return createObject(server, resource, request, {
    object,
    options: { dryRun: options.dryRun, managedFields: (_next, managedFields) => managedFields },
  });
}

/** The merged object in the shape that everything after relies on. @throws ApiStatusError 400. */
function checked({ definition }: ServedResource, object: UnstructuredObject): UnstructuredObject {
  pruneObject(definition, object);
  assertMetadataTypes(definition, object);
  return object;
}
