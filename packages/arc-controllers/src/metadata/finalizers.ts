import type { KubeObject, ResourceType } from '@arc/apimachinery';
import { isStatusReason } from '@arc/apimachinery';
import type { KubeClient } from '@arc/kube-client';
import { refOf } from './references.ts';

export function hasFinalizer(object: KubeObject, finalizer: string): boolean {
  return object.metadata.finalizers?.includes(finalizer) === true;
}

/** Adds a finalizer; a no-op when it is there. Throws Conflict when somebody else changed the object meanwhile. */
export async function addFinalizer(
  client: KubeClient,
  type: ResourceType,
  object: KubeObject,
  finalizer: string,
  signal: AbortSignal,
): Promise<void> {
  if (hasFinalizer(object, finalizer)) return;
  await writeFinalizers(client, type, object, [...(object.metadata.finalizers ?? []), finalizer], signal);
}

/** Removes a finalizer; a no-op when it, or the object, is gone. Throws Conflict like `addFinalizer`. */
export async function removeFinalizer(
  client: KubeClient,
  type: ResourceType,
  object: KubeObject,
  finalizer: string,
  signal: AbortSignal,
): Promise<void> {
  if (!hasFinalizer(object, finalizer)) return;
  const rest = (object.metadata.finalizers ?? []).filter((name) => name !== finalizer);
  try {
    await writeFinalizers(client, type, object, rest, signal);
  } catch (error) {
    if (!isStatusReason(error, 'NotFound')) throw error;
  }
}

async function writeFinalizers(
  client: KubeClient,
  type: ResourceType,
  object: KubeObject,
  finalizers: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  // A merge patch replaces the list, so it must not be applied to another one than was read.
  const { resourceVersion, uid } = object.metadata;
  await client.patch(type, refOf(object), { metadata: { resourceVersion, uid, finalizers } }, { signal });
}
