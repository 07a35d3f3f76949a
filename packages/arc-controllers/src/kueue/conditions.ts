import type { Condition } from '@arc/apimachinery';
import type { WorkloadRecord } from '../informers/workload-record.ts';

/** The types of conditions by which Kueue and whoever makes the pods tell each other about a Workload. */
type WorkloadCondition = 'QuotaReserved' | 'Admitted' | 'Evicted' | 'Requeued' | 'PodsReady' | 'Finished';

/** A condition of a Workload that is true. */
export function conditionOf({ conditions }: WorkloadRecord, type: WorkloadCondition): Condition | undefined {
  return conditions.find((condition) => condition.type === type && condition.status === 'True');
}

/** True when what a Workload stands for may run: it has its quota, and nobody wants that back. */
export function mayRun(workload: WorkloadRecord): boolean {
  return conditionOf(workload, 'Admitted') !== undefined && conditionOf(workload, 'Evicted') === undefined && !isFinished(workload);
}

export function isFinished(workload: WorkloadRecord): boolean {
  return conditionOf(workload, 'Finished') !== undefined;
}

/** True when Kueue wants its quota back and has not got it yet. */
export function isToBeGivenBack(workload: WorkloadRecord): boolean {
  return conditionOf(workload, 'Evicted') !== undefined && conditionOf(workload, 'QuotaReserved') !== undefined;
}

/** Why a Workload has no quota, as Kueue says it; nothing until it has looked at it. */
export function whyPending({ conditions }: WorkloadRecord): string {
  return conditions.find(({ type, status }) => type === 'QuotaReserved' && status === 'False')?.message ?? '';
}
