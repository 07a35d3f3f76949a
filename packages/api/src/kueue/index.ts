export { kueueGroup, kueueVersions, workloadPriorityClassesOf, workloadsOf } from './workload.ts';
export type { KueueVersion, Workload, WorkloadPriorityClass, WorkloadSpec, WorkloadStatus } from './workload.ts';
