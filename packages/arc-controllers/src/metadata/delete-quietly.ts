import type { KubeObject, ResourceType } from '@arc/apimachinery';
import { isStatusReason } from '@arc/apimachinery';
import type { KubeClient } from '@arc/kube-client';
import { refOf } from './references.ts';

/** Deletes an object, this very one, and in the background what it owns; a no-op when it is gone or was replaced. */
export async function deleteQuietly(client: KubeClient, type: ResourceType, object: KubeObject, signal: AbortSignal): Promise<void> {
  const { uid } = object.metadata;
  try {
    await client.delete(type, refOf(object), {
      signal,
      propagationPolicy: 'Background',
      ...(uid !== undefined && { preconditions: { uid } }),
    });
  } catch (error) {
    if (!isStatusReason(error, 'NotFound') && !isStatusReason(error, 'Conflict')) throw error;
  }
}
