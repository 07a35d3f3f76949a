import { deepEqual, isObject, type ManagedFieldsEntry, sameManagers, statusError, type UnstructuredObject } from '@arc/apimachinery';
import { admitRoleGrant } from '../admission/role-grants.ts';
import { isNamespaceKind, type ServedResource } from '../registry/served-resource.ts';
import type { RequestContext, ServerContext } from '../server-context.ts';
import { prepareForUpdate, type UpdateScope } from './prepare-update.ts';
import { type Decision, readModifyWrite } from './read-modify-write.ts';
import { type CurrentObject, storedBytes } from './stored-object.ts';

export interface UpdateOptions {
  readonly scope: UpdateScope;
  readonly dryRun: boolean;
  /** Without a resourceVersion in the result of `desired`: true = refuse (PUT), false = last write wins, retried. */
  readonly requireResourceVersion: boolean;
  /**
   * Builds the wanted object from a copy of the current one; called again after every lost race. Its
   * `metadata.resourceVersion` and `metadata.uid`, where present, are preconditions.
   */
  desired(current: UnstructuredObject): UnstructuredObject;
  /**
   * Says who owns what after the write, given both objects as they are but for `next`'s managedFields.
   * @param sent the managedFields that the wanted object came with.
   */
  managedFields(
    old: UnstructuredObject,
    next: UnstructuredObject,
    sent: ManagedFieldsEntry[] | undefined,
  ): ManagedFieldsEntry[] | undefined;
}

/**
 * The read-modify-write cycle behind PUT and PATCH (wire contract 2.6, 3.1, 3.2 step 7). Answers the object as it is
 * now; when nothing changes nothing is written.
 * @throws ApiStatusError 404, 409, 422, or what `desired` throws.
 */
export async function updateObject(
  server: ServerContext,
  resource: ServedResource,
  request: RequestContext,
  options: UpdateOptions,
): Promise<UnstructuredObject> {
  const decide = async (current: CurrentObject): Promise<Decision> => {
    const old = current.parse();
    const wanted = options.desired(current.parse());
    // A wanted resourceVersion that no longer fits is answered with 409 here, also after a lost race.
    assertPreconditions(resource, wanted, old, options);
    const sent = wanted.metadata.managedFields;
    prepareForUpdate(resource.definition, { scope: options.scope, desired: wanted, old, warn: request.warn });
    const released = isReleased(resource, wanted);
    if (isUnchanged(old, wanted, { sent, options }) && !released) return { object: old, value: undefined };
    await admitRoleGrant(server, resource, request, { object: wanted, old });
    if (options.dryRun) return { object: wanted, value: undefined };
    return { object: wanted, value: released ? null : storedBytes(resource, wanted) };
  };
  const { namespace, name } = request.info;
  const { object } = await readModifyWrite(server, resource, request, { namespace, name, decide });
  return object;
}

/**
 * Records who owns what in `next`; true when nothing is left to be written. Times alone are no change (wire contract 2.6).
 */
function isUnchanged(
  old: UnstructuredObject,
  next: UnstructuredObject,
  { sent, options }: { readonly sent: ManagedFieldsEntry[] | undefined; readonly options: UpdateOptions },
): boolean {
  const { managedFields: before, ...oldMetadata } = old.metadata;
  delete next.metadata.managedFields;
  const same = deepEqual({ ...next }, { ...old, metadata: oldMetadata });
  if (same && (sent === undefined || deepEqual(sent, before))) return true;
  const after = options.managedFields(old, next, sent);
  if (after !== undefined) next.metadata.managedFields = after;
  return same && sameManagers(before, after);
}

/** Checks what the client says it knows of the object. */
function assertPreconditions(
  resource: ServedResource,
  wanted: UnstructuredObject,
  old: UnstructuredObject,
  { requireResourceVersion }: UpdateOptions,
): void {
  const { type, definition } = resource;
  const { uid = '', resourceVersion = '' } = wanted.metadata;
  const name = old.metadata.name ?? '';
  if (uid !== '' && uid !== old.metadata.uid) {
    throw statusError.conflict(type, name, `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${old.metadata.uid}`);
  }
  if (resourceVersion === '') {
    if (requireResourceVersion && definition.strategy?.allowUnconditionalUpdate !== true) {
      throw statusError.invalid(definition, name, [
        { reason: 'FieldValueInvalid', field: 'metadata.resourceVersion', message: 'Invalid value: 0: must be specified for an update' },
      ]);
    }
    return;
  }
  if (resourceVersion !== old.metadata.resourceVersion) throw statusError.conflict(type, name);
}

/** True when an object that is being deleted has nothing left that holds it: the write that released it deletes it. */
function isReleased(resource: ServedResource, object: UnstructuredObject): boolean {
  const { deletionTimestamp, finalizers = [] } = object.metadata;
  return deletionTimestamp !== undefined && finalizers.length === 0 && specFinalizers(resource, object).length === 0;
}

/** A namespace has finalizers in its spec too; they go when its content has gone. */
export function specFinalizers(resource: ServedResource, object: UnstructuredObject): readonly unknown[] {
  const { spec } = object;
  if (!isNamespaceKind(resource.definition) || !isObject(spec)) return [];
  return Array.isArray(spec['finalizers']) ? spec['finalizers'] : [];
}
