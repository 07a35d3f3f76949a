import { applyConfiguration, cloneJson, type FieldWrite, isStatusReason, statusError, type UnstructuredObject } from '@arc/apimachinery';
import { forbidden } from '../authz/forbidden.ts';
import { createObject } from '../object/create-object.ts';
import { assertMetadataTypes, pruneObject } from '../object/decode-body.ts';
import { fieldWrite } from '../object/field-management.ts';
import type { UpdateScope } from '../object/prepare-update.ts';
import { readConfig } from '../object/read-config.ts';
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
