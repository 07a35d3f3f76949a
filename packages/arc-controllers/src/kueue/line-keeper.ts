import { arcApiVersion } from '@arc/api/arc';
import type { InformerHandler } from '@arc/kube-client';
import type { Admission } from '../admission/admission.ts';
import { isEnded } from '../artifact-workflow/slot-keeper.ts';
import type { ArcInformers } from '../informers/arc-informers.ts';
import type { WorkloadRecord } from '../informers/workload-record.ts';
import { controllerOf } from '../metadata/owner.ts';
import { isDeleting, keyOf } from '../metadata/references.ts';
import { isFinished } from './conditions.ts';

/** Keeps the admission in step with the Workloads that exist: a run that waits for quota has had its turn in ARC's line. */
export function lineKeeper(admission: Admission, { workflows }: Pick<ArcInformers, 'workflows'>): InformerHandler<WorkloadRecord> {
  const keyOfRun = (workload: WorkloadRecord): string | undefined => {
    const owner = controllerOf(workload);
    return owner?.apiVersion === arcApiVersion ? keyOf(workload.metadata.namespace, owner.name) : undefined;
  };
  return {
    added: (workload) => {
      const key = keyOfRun(workload);
      if (key === undefined || isFinished(workload) || isDeleting(workload) || !workload.isActive) return;
      const { namespace = '' } = workload.metadata;
      admission.entered({ key, namespace, endpoints: workload.endpoints.map((name) => keyOf(namespace, name)) });
    },
    deleted: (workload) => {
      const key = keyOfRun(workload);
      if (key === undefined) return;
      const workflow = workflows.get(workload.metadata.namespace, workload.metadata.name ?? '');
      if (workflow === undefined || isEnded(workflow.phase)) admission.leave(key);
    },
  };
}
