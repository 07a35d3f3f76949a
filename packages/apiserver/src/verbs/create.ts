import { randomInt } from 'node:crypto';
import { type ApiStatusError, failure, generateName, generateNameAttempts, statusError, type UnstructuredObject } from '@arc/apimachinery';
import type { StoredValue } from '@arc/storage';
import { admitIntoNamespace } from '../admission/namespace-lifecycle.ts';
import { readObject } from '../object/decode-body.ts';
import { prepareForCreate, validateForCreate } from '../object/prepare-create.ts';
import { storedBytes } from '../object/stored-object.ts';
import { type ServedResource, storeKey } from '../registry/served-resource.ts';
import { negotiateObject, objectReply } from '../representation/object-reply.ts';
import { parseBytes, viewOfObject } from '../representation/object-view.ts';
import { parseWriteOptions } from '../request/write-options.ts';
import type { RequestContext, ServerContext } from '../server-context.ts';
import type { VerbHandler } from './handler.ts';

/** POST to a collection (wire contract 2.6): decode, admit, default and validate, store, answer. */
export const create: VerbHandler = async (server, resource, request) => {
  const { definition } = resource;
  const options = parseWriteOptions(request.exchange.query, 'CreateOptions');
  const representation = negotiateObject(request.exchange);
  const object = await readObject(definition, request, options.fieldValidation);
  assertPlace(resource, request, object);

  const generated = prepareForCreate(definition, object, { now: server.clock.now(), warn: request.warn });
  await admitIntoNamespace(server, resource, request, object);
  validateForCreate(definition, object, request.warn);

  const created = options.dryRun
    ? await dryRun(server, resource, request, object)
    : await store(server, resource, request, { object, generated });
  return objectReply(201, request.exchange, resource, viewOfObject(resource, created), representation, server.clock.now());
};

/** Name and namespace of the body must agree with the URL; the namespace is filled in from it. */
function assertPlace(resource: ServedResource, request: RequestContext, object: UnstructuredObject): void {
  const { metadata } = object;
  if ((metadata.resourceVersion ?? '') !== '') {
    throw statusError.badRequest('resourceVersion should not be set on objects to be created');
  }
  if (!resource.type.namespaced) return;
  const { namespace } = request.info;
  if ((metadata.namespace ?? '') !== '' && metadata.namespace !== namespace) {
    throw statusError.badRequest('the namespace of the provided object does not match the namespace sent on the request');
  }
  metadata.namespace = namespace;
}

async function dryRun(
  server: ServerContext,
  resource: ServedResource,
  request: RequestContext,
  object: UnstructuredObject,
): Promise<UnstructuredObject> {
  await server.cache.waitUntilFresh(request.signal);
  const { namespace = '', name = '' } = object.metadata;
  if (resource.cache?.get(namespace, name) !== undefined) throw statusError.alreadyExists(resource.type, name);
  return object;
}

async function store(
  server: ServerContext,
  resource: ServedResource,
  request: RequestContext,
  { object, generated }: { readonly object: UnstructuredObject; readonly generated: boolean },
): Promise<UnstructuredObject> {
  const { metadata } = object;
  for (let attempt = 1; ; attempt++) {
    const { namespace = '', name = '' } = metadata;
    request.signal.throwIfAborted();
    const outcome = await server.writer.write({
      key: storeKey(resource, namespace, name),
      expect: 'absent',
      value: storedBytes(resource, object),
    });
    if (outcome.committed) {
      metadata.resourceVersion = String(outcome.revision);
      return object;
    }
    if (!generated) throw alreadyExists(resource, name, outcome.current);
    if (attempt === generateNameAttempts) throw noUniqueName(resource, name);
    metadata.name = generateName(metadata.generateName ?? '', randomInt);
    // What the strategy derives from the name has to follow it.
    resource.definition.strategy?.prepareForCreate?.(object);
  }
}

function alreadyExists({ type }: ServedResource, name: string, existing: StoredValue | undefined): ApiStatusError {
  const error = statusError.alreadyExists(type, name);
  const terminating = existing !== undefined && parseBytes(existing.value).metadata.deletionTimestamp !== undefined;
  return terminating ? failure(409, 'AlreadyExists', `object is being deleted: ${error.message}`, error.status.details) : error;
}

function noUniqueName({ type }: ServedResource, name: string): ApiStatusError {
  const error = statusError.alreadyExists(type, name);
  return failure(409, 'AlreadyExists', `${error.message}, the server was not able to generate a unique name for the object`, {
    ...error.status.details,
    retryAfterSeconds: 1,
  });
}
