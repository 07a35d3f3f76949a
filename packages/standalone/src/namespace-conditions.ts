import type { ResourceType } from '@arc/apimachinery';

/** What a namespace that is being deleted still holds of one resource. */
export interface NamespaceContent {
  readonly type: ResourceType;
  readonly count: number;
  /** Of all objects together, repeated as often as they occur. */
  readonly finalizers: readonly string[];
  /** Why it could not be deleted or looked at. */
  readonly error?: unknown;
}

interface NamespaceCondition {
  type: string;
  status: string;
  lastTransitionTime?: string | null;
  reason?: string;
  message?: string;
}

/** The conditions with the types, reasons and messages of kube-controller-manager; other conditions stay as they are. */
export function deletionConditions(
  present: readonly NamespaceCondition[],
  contents: readonly NamespaceContent[],
  now: Date,
  messageOf: (error: unknown) => string,
): NamespaceCondition[] {
  const failures = contents.filter(({ error }) => error !== undefined);
  const remaining = contents.filter(({ count }) => count > 0);
  const counts = remaining.map(({ type, count }) => `${qualified(type)} has ${count} resource instances`);
  const held = Map.groupBy(
    contents.flatMap(({ finalizers }) => finalizers),
    (finalizer) => finalizer,
  );
  const holders = [...held].map(([finalizer, all]) => `${finalizer} in ${all.length} resource instances`);
  const wanted = [
    failures.length > 0
      ? {
          type: 'NamespaceDeletionContentFailure',
          status: 'True',
          reason: 'ContentDeletionFailed',
          message: `Failed to delete all resource types, ${failures.length} remaining: ${failures.map(({ error }) => messageOf(error)).join(', ')}`,
        }
      : {
          type: 'NamespaceDeletionContentFailure',
          status: 'False',
          reason: 'ContentDeleted',
          message: 'All content successfully deleted, may be waiting on finalization',
        },
    counts.length > 0
      ? {
          type: 'NamespaceContentRemaining',
          status: 'True',
          reason: 'SomeResourcesRemain',
          message: `Some resources are remaining: ${counts.join(', ')}`,
        }
      : { type: 'NamespaceContentRemaining', status: 'False', reason: 'ContentRemoved', message: 'All content successfully removed' },
    holders.length > 0
      ? {
          type: 'NamespaceFinalizersRemaining',
          status: 'True',
          reason: 'SomeFinalizersRemain',
          message: `Some content in the namespace has finalizers remaining: ${holders.join(', ')}`,
        }
      : {
          type: 'NamespaceFinalizersRemaining',
          status: 'False',
          reason: 'ContentHasNoFinalizers',
          message: 'All content-preserving finalizers finished',
        },
  ];
  const time = `${now.toISOString().slice(0, 19)}Z`;
  const ours = wanted.map((condition) => {
    const old = present.find(({ type }) => type === condition.type);
    return { ...condition, lastTransitionTime: old?.status === condition.status ? (old.lastTransitionTime ?? time) : time };
  });
  return [...present.filter(({ type }) => !ours.some((condition) => condition.type === type)), ...ours];
}

function qualified({ group, plural }: ResourceType): string {
  return group === '' ? `${plural}.` : `${plural}.${group}`;
}
