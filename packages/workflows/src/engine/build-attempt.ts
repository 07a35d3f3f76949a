import type { Workflow, WorkflowSpec } from '@arc/api/argo';
import type { KubeClient } from '@arc/kube-client';
import { WorkflowError } from '../model/workflow-error.ts';
import type { PodPlan } from '../planner/planning.ts';
import type { Attempt } from '../runner/runner.ts';
import { podMetadata } from './pod-object.ts';
import { References } from './references.ts';
import { expandVariables, stepEnvironment } from './step-environment.ts';
import { stepVolumes } from './step-volumes.ts';

export interface BuildAttemptContext {
  readonly client: KubeClient;
  readonly workflow: Workflow;
  readonly spec: WorkflowSpec;
  readonly hostName: string;
  readonly signal: AbortSignal;
}

/**
 * Settles everything a step needs: environment, volumes, command line.
 *
 * @throws MissingReferenceError when the step has to wait for a Secret or ConfigMap
 */
export async function buildAttempt(pod: PodPlan, context: BuildAttemptContext): Promise<Attempt> {
  const { client, workflow, spec, hostName, signal } = context;
  const { template } = pod;
  const container = template.script ?? template.container;
  if (container === undefined) throw new WorkflowError('NotRunnable', `template ${JSON.stringify(template.name)} has no container`);
  const namespace = workflow.metadata.namespace ?? '';
  const references = new References(client, namespace, signal);
  const { labels = {}, annotations = {} } = podMetadata(workflow, spec, pod);
  const fields = {
    name: pod.podName,
    namespace,
    uid: workflow.metadata.uid ?? '',
    labels,
    annotations,
    nodeName: hostName,
    serviceAccountName: spec.serviceAccountName ?? 'default',
  };
  const env = await stepEnvironment(container, fields, references);
  const mounts = container.volumeMounts ?? [];
  const volumes = await stepVolumes(
    new Set(mounts.map((mount) => mount.name)),
    { volumes: pod.volumes, claims: spec.volumeClaimTemplates ?? [] },
    references,
  );
  const expand = (text: string): string => expandVariables(text, env);
  return {
    workflowUid: workflow.metadata.uid ?? '',
    nodeId: pod.nodeId,
    namespace,
    workflowName: workflow.metadata.name ?? '',
    nodeName: pod.nodeName,
    podName: pod.podName,
    templateName: template.name,
    image: container.image,
    command: (container.command ?? []).map(expand),
    args: (container.args ?? []).map(expand),
    ...(template.script !== undefined && { script: template.script.source }),
    ...(container.workingDir !== undefined && container.workingDir !== '' && { workingDir: container.workingDir }),
    env: [...env].map(([name, value]) => ({ name, value })),
    volumes,
    mounts: mounts.map(({ name, mountPath, subPath, readOnly = false }) => ({
      volume: name,
      mountPath: mountPath.length > 1 ? mountPath.replace(/\/+$/, '') : mountPath,
      readOnly,
      ...(subPath !== undefined && subPath !== '' && { subPath }),
    })),
    outputs: (template.outputs?.parameters ?? []).flatMap(({ name, valueFrom }) =>
      valueFrom?.path === undefined ? [] : [{ name, path: valueFrom.path }],
    ),
    captureResult: pod.captureResult,
  };
}
