import type { KubeObject, ResourceType } from '@arc/apimachinery';
import { isStatusReason } from '@arc/apimachinery';
import type { KubeClient } from '@arc/kube-client';
import { refOf } from './references.ts';

interface DeleteQuietlyOptions {
  /** True: only as it was seen. When it has changed since, its event leads to another look. */
  readonly unchanged?: boolean;
}

/** Deletes an object, this very one, and in the background what it owns; a no-op when it is gone or was replaced. */
export async function deleteQuietly(
  client: KubeClient,
  type: ResourceType,
  object: KubeObject,
  signal: AbortSignal,
  { unchanged = false }: DeleteQuietlyOptions = {},
): Promise<void> {
  const { uid, resourceVersion } = object.metadata;
  const preconditions = {
    ...(uid !== undefined && { uid }),
    ...(unchanged && resourceVersion !== undefined && { resourceVersion }),
  };
  try {
    await client.delete(type, refOf(object), { signal, propagationPolicy: 'Background', preconditions });
  } catch (error) {
    if (!isStatusReason(error, 'NotFound') && !isStatusReason(error, 'Conflict')) throw error;
  }
}
