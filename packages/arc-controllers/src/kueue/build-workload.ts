import type { ArtifactWorkflow } from '@arc/api/arc';
import { artifactWorkflowLabel, endpointsAnnotation, kueuePriorityClassLabel, kueueQueueLabel } from '@arc/api/arc';
import { kueueGroup, workloadPriorityClassesOf, workloadsOf } from '@arc/api/kueue';
import type { KueueVersion, Workload, WorkloadPriorityClass, WorkloadSpec } from '@arc/api/kueue';
import { apiVersionOf } from '@arc/apimachinery';
import { readIfThere } from '@arc/kube-client';
import { endpointNames } from '../artifact-workflow/build-workflow.ts';
import type { RunContext } from '../artifact-workflow/context.ts';
import type { HandOver } from '../artifact-workflow/hand-over.ts';
import { readTemplate } from '../artifact-workflow/read-template.ts';
import { workflowName } from '../identity/names.ts';
import { controllerReference } from '../metadata/owner.ts';
import { podRequestsOf } from './pod-requests.ts';

/**
 * The Workload that waits for the quota of a run. How many pods its Workflow will have at a time is not known before it runs: it asks for one,
 * as large as the largest of the template.
 *
 * @returns the name of the WorkloadPriorityClass instead when there is none of it
 */
export async function buildWorkload(
  context: RunContext,
  version: KueueVersion,
  { run, handOver }: { readonly run: ArtifactWorkflow; readonly handOver: HandOver },
  signal: AbortSignal,
): Promise<Workload | string> {
  const { [kueueQueueLabel]: queueName = '', [kueuePriorityClassLabel]: priorityClass } = handOver.queueLabels;
  const priority =
    priorityClass === undefined ? { priority: handOver.priority } : await priorityOf(context, version, priorityClass, signal);
  if (priority === undefined) return priorityClass ?? '';
  const requests = podRequestsOf((await readTemplate(context, run, signal))?.spec);
  const endpoints = endpointNames(run);
  const type = workloadsOf(version);
  const name = workflowName(run.metadata.name ?? '');
  return {
    apiVersion: apiVersionOf(type),
    kind: type.kind,
    metadata: {
      name,
      namespace: run.metadata.namespace ?? '',
      labels: { [artifactWorkflowLabel]: name },
      ...(endpoints.length > 0 && { annotations: { [endpointsAnnotation]: endpoints.join(',') } }),
      ownerReferences: [controllerReference(run)],
    },
    spec: {
      queueName,
      ...priority,
      active: true,
      podSets: [
        {
          name: 'main',
          count: 1,
          // The image is never pulled: of this template only what is requested matters.
          template: { spec: { containers: [{ name: 'main', image: 'workflow', ...(hasAny(requests) && { resources: { requests } }) }] } },
        },
      ],
    },
  };
}

async function priorityOf(
  { client }: RunContext,
  version: KueueVersion,
  name: string,
  signal: AbortSignal,
): Promise<Partial<WorkloadSpec> | undefined> {
  const type = workloadPriorityClassesOf(version);
  const found = await readIfThere<WorkloadPriorityClass>(client, type, { name }, signal);
  if (found === undefined) return undefined;
  const priority = found.value;
  return version === 'v1beta1'
    ? { priority, priorityClassName: name, priorityClassSource: `${kueueGroup}/workloadpriorityclass` }
    : { priority, priorityClassRef: { group: kueueGroup, kind: type.kind, name } };
}

function hasAny(map: Readonly<Record<string, string>>): boolean {
  return Object.keys(map).length > 0;
}
