import { endpointsAnnotation } from '@arc/api/arc';
import type { Workload } from '@arc/api/kueue';
import type { Condition, KubeObject } from '@arc/apimachinery';

/** What the controllers keep of a Workload of Kueue: what its pods request is read by Kueue only. */
export interface WorkloadRecord extends KubeObject {
  readonly queueName: string;
  /** False: somebody, or Kueue itself, wants it to get no quota. */
  readonly isActive: boolean;
  readonly conditions: readonly Condition[];
  /** Admission checks that are not ready, each with what it says. */
  readonly openChecks: readonly string[];
  /** Names of the Endpoints its run uses. */
  readonly endpoints: readonly string[];
}

/** Reduces Workloads as they arrive. */
export function workloadRecord(workload: Workload): WorkloadRecord {
  const { name, namespace, uid, resourceVersion, generation, deletionTimestamp, ownerReferences, annotations } = workload.metadata;
  const { conditions, admissionChecks } = workload.status ?? {};
  return {
    apiVersion: workload.apiVersion,
    kind: workload.kind,
    metadata: {
      ...(name !== undefined && { name }),
      ...(namespace !== undefined && { namespace }),
      ...(uid !== undefined && { uid }),
      ...(resourceVersion !== undefined && { resourceVersion }),
      ...(generation !== undefined && { generation }),
      ...(deletionTimestamp !== undefined && { deletionTimestamp }),
      ...(ownerReferences !== undefined && { ownerReferences }),
    },
    queueName: workload.spec?.queueName ?? '',
    isActive: workload.spec?.active !== false,
    conditions: conditions ?? [],
    openChecks: (admissionChecks ?? [])
      .filter(({ state }) => state !== 'Ready')
      .map(({ name: check, message = '' }) => (message === '' ? check : `${check}: ${message}`)),
    endpoints: (annotations?.[endpointsAnnotation] ?? '').split(',').filter((endpoint) => endpoint !== ''),
  };
}
