import type { ArtifactWorkflow } from '@arc/api/arc';
import type { KueueVersion, Workload } from '@arc/api/kueue';
import { workloadsOf } from '@arc/api/kueue';
import { readIfThere } from '@arc/kube-client';
import type { Informer, KubeClient } from '@arc/kube-client';
import { workflowName } from '../identity/names.ts';
import type { WorkloadRecord } from '../informers/workload-record.ts';
import { isControlledBy } from '../metadata/owner.ts';

/** The Kueue of a cluster whose quota runs wait for. */
export interface Kueue {
  /** In which its Workloads are read and written. */
  readonly version: KueueVersion;
  /** With the index `namespace`. */
  readonly workloads: Informer<WorkloadRecord>;
}

/** The Workload of a run as it was seen last. It is named as the Workflow. */
export function workloadOf({ workloads }: Kueue, run: ArtifactWorkflow): WorkloadRecord | undefined {
  const known = workloads.get(run.metadata.namespace, workflowName(run.metadata.name ?? ''));
  return known !== undefined && isControlledBy(known, run) ? known : undefined;
}

/** The Workload of this name as the server has it now; undefined when there is none. */
export async function readWorkload(
  client: KubeClient,
  { version }: Kueue,
  { metadata }: ArtifactWorkflow,
  signal: AbortSignal,
): Promise<Workload | undefined> {
  const ref = { namespace: metadata.namespace ?? '', name: workflowName(metadata.name ?? '') };
  return await readIfThere<Workload>(client, workloadsOf(version), ref, signal);
}
