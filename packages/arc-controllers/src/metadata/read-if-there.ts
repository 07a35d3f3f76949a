import type { KubeObject, ResourceType } from '@arc/apimachinery';
import { isStatusReason } from '@arc/apimachinery';
import type { KubeClient, ObjectRef } from '@arc/kube-client';

/** An object as the server has it now, for informers may be late; undefined when there is none. */
export async function readIfThere<T extends KubeObject>(
  client: KubeClient,
  type: ResourceType,
  ref: ObjectRef,
  signal: AbortSignal,
): Promise<T | undefined> {
  try {
    return await client.get<T>(type, ref, { signal });
  } catch (error) {
    if (isStatusReason(error, 'NotFound')) return undefined;
    throw error;
  }
}
