import { randomInt } from 'node:crypto';
import { type ApiStatusError, failure, generateName, generateNameAttempts, statusError, type UnstructuredObject } from '@arc/apimachinery';
import type { ManagedFieldsEntry } from '@arc/apimachinery';
import { assertDecodable, type StoredValue } from '@arc/storage';
import { admitIntoNamespace } from '../admission/namespace-lifecycle.ts';
import { admitWithinQuota } from '../admission/resource-quota.ts';
import { admitRoleGrant } from '../admission/role-grants.ts';
import { hintedMessage } from '../errors/to-status.ts';
import { type ServedResource, storeKey } from '../registry/served-resource.ts';
import { parseBytes } from '../representation/object-view.ts';
import type { RequestContext, ServerContext } from '../server-context.ts';
import { prepareForCreate, validateForCreate } from './prepare-create.ts';
import { storedBytes } from './stored-object.ts';

export interface CreateOptions {
  readonly dryRun: boolean;
  /**
   * Says who owns what in the new object, which is complete but for its managedFields.
   * @param sent the managedFields the object came with.
   */
  managedFields(object: UnstructuredObject, sent: ManagedFieldsEntry[] | undefined): ManagedFieldsEntry[] | undefined;
}

/**
 * Creates an object that is at its place: admits, defaults and validates, stores (wire contract 2.6). Changes it in place.
 * @throws ApiStatusError 403, 404 (its namespace), 409 when it exists, 422.
 */
export async function createObject(
  server: ServerContext,
  resource: ServedResource,
  request: RequestContext,
  { object, options }: { readonly object: UnstructuredObject; readonly options: CreateOptions },
): Promise<UnstructuredObject> {
  const { definition } = resource;
  const { metadata } = object;
  const sent = metadata.managedFields;
  delete metadata.managedFields;
  const generated = prepareForCreate(definition, object, { now: server.clock.now(), warn: request.warn });
  await admitIntoNamespace(server, resource, request, object);
  validateForCreate(definition, object, request.warn);
  await admitRoleGrant(server, resource, request, { object, old: undefined });
  await admitWithinQuota(server, resource, request, { name: metadata.name, namespace: metadata.namespace, dryRun: options.dryRun });
  const managedFields = options.managedFields(object, sent);
  if (managedFields !== undefined) metadata.managedFields = managedFields;
  return options.dryRun ? dryRun(server, resource, request, object) : store(server, resource, request, { object, generated });
}

async function dryRun(
  server: ServerContext,
  resource: ServedResource,
  request: RequestContext,
  object: UnstructuredObject,
): Promise<UnstructuredObject> {
  await server.cache.waitUntilFresh(request.signal);
  const { namespace = '', name = '' } = object.metadata;
  const { cache } = resource;
  const exists = cache !== undefined && (cache.undecodable({ namespace, name }).length > 0 || cache.get(namespace, name) !== undefined);
  if (exists) throw statusError.alreadyExists(resource.type, name);
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
    const outcome = await server.writer.write(
      {
        key: storeKey(resource, namespace, name),
        expect: 'absent',
        value: storedBytes(resource, object),
      },
      request.signal,
    );
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
  if (existing === undefined) return error;
  try {
    assertDecodable(existing);
  } catch (undecodable) {
    return failure(409, 'AlreadyExists', `${error.message}, but ${hintedMessage(undecodable)}`, error.status.details);
  }
  const terminating = parseBytes(existing.value).metadata.deletionTimestamp !== undefined;
  return terminating ? failure(409, 'AlreadyExists', `object is being deleted: ${error.message}`, error.status.details) : error;
}

function noUniqueName({ type }: ServedResource, name: string): ApiStatusError {
  const error = statusError.alreadyExists(type, name);
  return failure(409, 'AlreadyExists', `${error.message}, the server was not able to generate a unique name for the object`, {
    ...error.status.details,
    retryAfterSeconds: 1,
  });
}
