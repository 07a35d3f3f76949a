import { failure, isObject, statusError, type UnstructuredObject } from '@arc/apimachinery';
import { isNamespaceKind, type ServedResource } from '../registry/served-resource.ts';
import type { DeleteOptions } from '../request/delete-options.ts';
import type { RequestContext, ServerContext } from '../server-context.ts';
import { hasGeneration } from './prepare-create.ts';
import { timestamp } from './prepare-metadata.ts';
import { type Decision, readModifyWrite } from './read-modify-write.ts';
import { type CurrentObject, storedBytes } from './stored-object.ts';
import { specFinalizers } from './update-object.ts';

export interface DeleteResult extends Decision {
  /** True: the object is gone. False: something still holds it, and `object` says what. */
  readonly gone: boolean;
}

const garbageCollectionFinalizers = ['orphan', 'foregroundDeletion'];
const immortalNamespaces = new Set(['default', 'kube-system', 'kube-public', 'kube-node-lease']);

/**
 * Deletes one object, or marks it as being deleted while finalizers hold it (wire contract 3.2).
 * @throws ApiStatusError 404, 409 when a precondition does not hold, 403 for namespaces that may not go.
 */
export async function deleteObject(
  server: ServerContext,
  resource: ServedResource,
  request: RequestContext,
  target: { readonly namespace: string; readonly name: string; readonly options: DeleteOptions },
): Promise<DeleteResult> {
  const { namespace, name, options } = target;
  if (isNamespaceKind(resource.definition) && immortalNamespaces.has(name)) throw mayNotBeDeleted(name);
  const decide = (current: CurrentObject): DeleteResult => {
    const old = current.parse();
    assertPreconditions(resource, old, options);
    const finalizers = finalizersFor(old.metadata.finalizers ?? [], options);
    const held = finalizers.length > 0 || specFinalizers(resource, old).length > 0;
    const object = held ? terminating(resource, current.parse(), finalizers, server.clock.now()) : old;
    if (options.dryRun || (held && isUnchanged(old, object))) return { gone: !held, object, value: undefined };
    return { gone: !held, object, value: held ? storedBytes(resource, object) : null };
  };
  return await readModifyWrite(server, resource, request, { namespace, name, decide });
}

function mayNotBeDeleted(name: string): Error {
  return failure(403, 'Forbidden', `namespaces ${JSON.stringify(name)} is forbidden: this namespace may not be deleted`, {
    name,
    kind: 'namespaces',
  });
}

function assertPreconditions(resource: ServedResource, old: UnstructuredObject, { preconditions }: DeleteOptions): void {
  const { uid, resourceVersion } = preconditions;
  const { metadata } = old;
  const refuse = (what: string, wanted: string, actual: string | undefined): Error =>
    statusError.conflict(
      resource.type,
      metadata.name ?? '',
      `the ${what} in the precondition (${wanted}) does not match the ${what} in record (${actual ?? ''}). The object might have been deleted and then recreated`,
    );
  if (uid !== undefined && uid !== metadata.uid) throw refuse('UID', uid, metadata.uid);
  if (resourceVersion !== undefined && resourceVersion !== metadata.resourceVersion) {
    throw refuse('ResourceVersion', resourceVersion, metadata.resourceVersion);
  }
}

/** The finalizers an object keeps when it is deleted this way; the garbage collector acts on the two it owns. */
function finalizersFor(present: readonly string[], { propagation }: DeleteOptions): string[] {
  if (propagation === undefined) return [...present];
  const others = present.filter((finalizer) => !garbageCollectionFinalizers.includes(finalizer));
  if (propagation === 'Orphan') return [...others, 'orphan'];
  return propagation === 'Foreground' ? [...others, 'foregroundDeletion'] : others;
}

function terminating(resource: ServedResource, object: UnstructuredObject, finalizers: string[], now: number): UnstructuredObject {
  const { metadata } = object;
  if (finalizers.length > 0) metadata.finalizers = finalizers;
  else delete metadata.finalizers;
  if (metadata.deletionTimestamp === undefined) {
    metadata.deletionTimestamp = timestamp(now);
    metadata.deletionGracePeriodSeconds = 0;
    if (hasGeneration(resource.definition)) metadata.generation = (metadata.generation ?? 0) + 1;
  }
  if (isNamespaceKind(resource.definition)) {
    object['status'] = { ...(isObject(object['status']) ? object['status'] : {}), phase: 'Terminating' };
  }
  return object;
}

function isUnchanged(old: UnstructuredObject, next: UnstructuredObject): boolean {
  return (
    old.metadata.deletionTimestamp !== undefined &&
    JSON.stringify(old.metadata.finalizers ?? []) === JSON.stringify(next.metadata.finalizers ?? [])
  );
}
