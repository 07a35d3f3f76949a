import type { ResourceType } from '@arc/apimachinery';
import { deepEqual, isStatusReason } from '@arc/apimachinery';
import { autoupdateAnnotation, clusterRoleBindings, clusterRoles, defaultClusterRoleBindings, defaultClusterRoles } from '@arc/api/rbac';
import type { ClusterRole, ClusterRoleBinding } from '@arc/api/rbac';
import type { KubeClient } from '@arc/kube-client';

/**
 * Creates the default ClusterRoles and bindings that are missing and adds what the existing ones lack, as kube-apiserver
 * does at every start. What was added to them stays; one with the annotation autoupdate "false" is left alone.
 * @param client must be allowed to grant everything.
 */
export async function ensureDefaultRbac(client: KubeClient, signal?: AbortSignal): Promise<void> {
  const options = signal === undefined ? {} : { signal };
  for (const role of defaultClusterRoles()) {
    await ensure<ClusterRole>(client, clusterRoles, role, completedRole, options);
  }
  for (const binding of defaultClusterRoleBindings()) {
    await ensure<ClusterRoleBinding>(client, clusterRoleBindings, binding, completedBinding, options);
  }
}

async function ensure<T extends ClusterRole | ClusterRoleBinding>(
  client: KubeClient,
  type: ResourceType,
  wanted: T,
  completed: (present: T, wanted: T) => T,
  options: { readonly signal?: AbortSignal },
): Promise<void> {
  try {
    await client.create<T>(type, wanted, options);
    return;
  } catch (error) {
    if (!isStatusReason(error, 'AlreadyExists')) throw error;
  }
  const present = await client.get<T>(type, { name: wanted.metadata.name ?? '' }, options);
  if (present.metadata.annotations?.[autoupdateAnnotation] === 'false') return;
  const next = completed(present, wanted);
  if (!deepEqual(next, present)) await client.update<T>(type, next, options);
}

/** The rules of an aggregated role are gathered by its controller. */
function completedRole(present: ClusterRole, wanted: ClusterRole): ClusterRole {
  const labels = { ...present.metadata.labels, ...wanted.metadata.labels };
  const metadata = { ...present.metadata, labels };
  if (wanted.aggregationRule !== undefined) return { ...present, metadata, aggregationRule: wanted.aggregationRule };
  return { ...present, metadata, rules: withMissing(present.rules, wanted.rules) };
}

/** @returns unchanged one that was bound to another role: that was done on purpose, and cannot be changed. */
function completedBinding(present: ClusterRoleBinding, wanted: ClusterRoleBinding): ClusterRoleBinding {
  if (!deepEqual(present.roleRef, wanted.roleRef)) return present;
  return { ...present, subjects: withMissing(present.subjects, wanted.subjects) };
}

function withMissing<T>(present: readonly T[] = [], wanted: readonly T[] = []): T[] {
  return [...present, ...wanted.filter((item) => !present.some((known) => deepEqual(known, item)))];
}
