import type { Condition, KubeObject, ResourceType } from '@arc/apimachinery';

export const kueueGroup = 'kueue.x-k8s.io';

/** The versions of Workloads that ARC writes, the preferred one first. Kueue has the second since 0.15 and calls the first deprecated. */
export const kueueVersions = ['v1beta2', 'v1beta1'] as const;
export type KueueVersion = (typeof kueueVersions)[number];

/** What waits for quota in a LocalQueue: its pods are described, and made by whoever has made it once it is admitted. */
export function workloadsOf(version: KueueVersion): ResourceType {
  return { group: kueueGroup, version, plural: 'workloads', kind: 'Workload', namespaced: true };
}

export function workloadPriorityClassesOf(version: KueueVersion): ResourceType {
  return { group: kueueGroup, version, plural: 'workloadpriorityclasses', kind: 'WorkloadPriorityClass', namespaced: false };
}

export interface WorkloadPriorityClass extends KubeObject {
  /** Higher goes first. */
  value: number;
}

interface PodSet {
  name: string;
  count: number;
  /** Of a pod: only what its containers request is read. */
  template: { spec: { containers: { name: string; image: string; resources?: { requests?: Record<string, string> } }[] } };
}

export interface WorkloadSpec {
  podSets?: PodSet[];
  /** The LocalQueue. It must not be changed while quota is reserved. */
  queueName?: string;
  priority?: number;
  /** v1beta2; `priority` is its value then. */
  priorityClassRef?: { group: string; kind: string; name: string };
  /** The same in v1beta1. */
  priorityClassName?: string;
  priorityClassSource?: string;
  /** False: it gets no quota, and loses what it has. Default true. */
  active?: boolean;
}

export interface WorkloadStatus {
  conditions?: Condition[] | null;
  /** Where its quota is reserved; null gives it back. */
  admission?: { clusterQueue?: string; [field: string]: unknown } | null;
  admissionChecks?: { name: string; state: string; message?: string }[] | null;
}

export interface Workload extends KubeObject {
  spec?: WorkloadSpec;
  status?: WorkloadStatus;
}
