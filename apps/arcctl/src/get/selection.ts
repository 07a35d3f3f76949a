import type { ResourceType } from '@arc/apimachinery/client';

/** What `get` was asked for. */
export interface Selection {
  readonly type: ResourceType;
  /** Absent: all namespaces, or cluster-scoped. */
  readonly namespace: string | undefined;
  /** Empty: all objects the selectors match. */
  readonly names: readonly string[];
  readonly labelSelector: string | undefined;
  readonly fieldSelector: string | undefined;
}

/** The selection as options of the client. */
export function selectorsOf({ namespace, labelSelector, fieldSelector }: Selection): {
  namespace?: string;
  labelSelector?: string;
  fieldSelector?: string;
} {
  return {
    ...(namespace !== undefined && { namespace }),
    ...(labelSelector !== undefined && { labelSelector }),
    ...(fieldSelector !== undefined && { fieldSelector }),
  };
}
