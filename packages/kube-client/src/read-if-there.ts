import type { KubeObject, ResourceType } from '@arc/apimachinery/client';
import { isStatusReason } from '@arc/apimachinery/client';
import type { KubeClient, ObjectRef } from './client.ts';

/** An object as the server has it now; undefined when there is none. */
export async function readIfThere<T extends KubeObject>(
  client: Pick<KubeClient, 'get'>,
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
