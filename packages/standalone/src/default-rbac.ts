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
  await ensureAll<ClusterRole>(client, clusterRoles, defaultClusterRoles(), completedRole, options);
  await ensureAll<ClusterRoleBinding>(client, clusterRoleBindings, defaultClusterRoleBindings(), completedBinding, options);
}

/** Few, as each of them makes a connection; at once, as each of them waits for the disk. */
const createsAtOnce = 4;

/** One list tells of each start but the first that nothing is missing: asking for each took 130 ms of CPU time. */
async function ensureAll<T extends ClusterRole | ClusterRoleBinding>(
  client: KubeClient,
  type: ResourceType,
  wanted: readonly T[],
  completed: (present: T, wanted: T) => T,
  options: { readonly signal?: AbortSignal },
): Promise<void> {
  const { items } = await client.list<T>(type, options);
  const present = new Map(items.map((item) => [item.metadata.name, item]));
  const remaining = wanted.values();
  const lane = async (): Promise<void> => {
    for (const one of remaining) {
      const known = present.get(one.metadata.name) ?? (await createdElsewhere(client, type, one, options));
      if (known === undefined || known.metadata.annotations?.[autoupdateAnnotation] === 'false') continue;
      await complete(client, type, known, (present) => completed(present, one), options);
    }
  };
  await Promise.all(Array.from({ length: createsAtOnce }, lane));
}

/** Servers of a new version that start together complete the same role. */
async function complete<T extends ClusterRole | ClusterRoleBinding>(
  client: KubeClient,
  type: ResourceType,
  known: T,
  completed: (present: T) => T,
  options: { readonly signal?: AbortSignal },
): Promise<void> {
  for (let present = known; ; present = await client.get<T>(type, { name: known.metadata.name ?? '' }, options)) {
    const next = completed(present);
    if (deepEqual(next, present)) return;
    try {
      await client.update<T>(type, next, options);
      return;
    } catch (error) {
      if (!isStatusReason(error, 'Conflict')) throw error;
    }
  }
}

/** Creates it, and returns what somebody else has created since the list. */
async function createdElsewhere<T extends ClusterRole | ClusterRoleBinding>(
  client: KubeClient,
  type: ResourceType,
  wanted: T,
  options: { readonly signal?: AbortSignal },
): Promise<T | undefined> {
  try {
    await client.create<T>(type, wanted, options);
    return undefined;
  } catch (error) {
    if (!isStatusReason(error, 'AlreadyExists')) throw error;
    return await client.get<T>(type, { name: wanted.metadata.name ?? '' }, options);
  }
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
