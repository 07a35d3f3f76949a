import type { KubeObject, ResourceType } from '@arc/apimachinery';
import { deepEqual, isStatusReason } from '@arc/apimachinery';
import type { KubeClient } from '@arc/kube-client';
import { refOf } from './references.ts';

/**
 * Writes what differs between the status an object has and the one it should have, as a merge patch; nothing when they
 * are equal. An object that is gone, or was replaced by another of its name, is left alone.
 *
 * @returns the object as written; undefined when nothing was
 */
export async function writeStatus(
  client: KubeClient,
  type: ResourceType,
  object: KubeObject & { readonly status?: object | undefined },
  status: object,
  signal: AbortSignal,
): Promise<KubeObject | undefined> {
  const patch = mergePatchBetween(object.status ?? {}, status);
  if (patch === undefined) return undefined;
  try {
    const body = { metadata: { uid: object.metadata.uid }, status: patch };
    return await client.patch(type, refOf(object), body, { signal, subresource: 'status' });
  } catch (error) {
    if (isStatusReason(error, 'NotFound')) return undefined;
    throw error;
  }
}

/** The JSON merge patch (RFC 7396) that turns `from` into `to`; undefined when they are equal. Undefined counts as absent. */
export function mergePatchBetween(from: object, to: object): Record<string, unknown> | undefined {
  const before = from as Record<string, unknown>;
  const after = to as Record<string, unknown>;
  const patch: Record<string, unknown> = {};
  for (const name of new Set([...Object.keys(before), ...Object.keys(after)])) {
    const old = ownValue(before, name);
    const next = ownValue(after, name);
    if (next === undefined) {
      if (old !== undefined) patch[name] = null;
    } else if (isPlainObject(old) && isPlainObject(next)) {
      const nested = mergePatchBetween(old, next);
      if (nested !== undefined) patch[name] = nested;
    } else if (!deepEqual(old, next)) {
      patch[name] = next;
    }
  }
  return Object.keys(patch).length === 0 ? undefined : patch;
}

function isPlainObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Reads an own property: maps of a status are keyed by names of objects, and an Endpoint may be named `constructor`. */
export function ownValue<T>(map: Readonly<Record<string, T>> | undefined, name: string): T | undefined {
  return map !== undefined && Object.hasOwn(map, name) ? map[name] : undefined;
}
