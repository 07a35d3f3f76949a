import type { NodeStatus, Volume, Workflow, WorkflowSpec } from '@arc/api/argo';
import { argoGroup, argoVersion } from '@arc/api/argo';
import type { Pod } from '@arc/api/core';
import type { ObjectMeta } from '@arc/apimachinery';
import { textOf } from '../model/any-string.ts';
import { isFulfilled } from '../planner/planning.ts';
import type { PodPlan } from '../planner/planning.ts';
import { completedLabel, nodeIdAnnotation, nodeNameAnnotation, workflowLabel } from './labels.ts';

/** Metadata of the Pod object that stands for a step. */
export function podMetadata(workflow: Workflow, spec: WorkflowSpec, pod: PodPlan): ObjectMeta {
  const { name = '', namespace = '', uid = '' } = workflow.metadata;
  const own = pod.template['metadata'] as { labels?: Record<string, string>; annotations?: Record<string, string> } | undefined;
  return {
    name: pod.podName,
    namespace,
    labels: { ...spec.podMetadata?.labels, ...own?.labels, [workflowLabel]: name, [completedLabel]: 'false' },
    annotations: {
      ...spec.podMetadata?.annotations,
      ...own?.annotations,
      [nodeIdAnnotation]: pod.nodeId,
      [nodeNameAnnotation]: pod.nodeName,
    },
    ownerReferences: [
      { apiVersion: `${argoGroup}/${argoVersion}`, kind: 'Workflow', name, uid, controller: true, blockOwnerDeletion: true },
    ],
  };
}

/** The Pod object of a step as it is created. Values of Secrets stay references. */
export function podObject(workflow: Workflow, spec: WorkflowSpec, pod: PodPlan, hostName: string): Pod {
  const container = pod.template.script ?? pod.template.container;
  const { image = '', command, args = [], workingDir, env, envFrom, volumeMounts } = container ?? {};
  const allArgs = pod.template.script === undefined ? args : [...args, '/argo/staging/script'];
  const mounted = new Set((volumeMounts ?? []).map((mount) => mount.name));
  const claims: Volume[] = (spec.volumeClaimTemplates ?? []).map((claim) => {
    const name = claim.metadata?.name ?? '';
    return { name, persistentVolumeClaim: { claimName: `${workflow.metadata.name ?? ''}-${name}` } };
  });
  const volumes = new Map([...claims, ...pod.volumes].filter((volume) => mounted.has(volume.name)).map((volume) => [volume.name, volume]));
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: podMetadata(workflow, spec, pod),
    spec: {
      containers: [
        {
          name: 'main',
          image,
          ...(command !== undefined && { command }),
          ...(allArgs.length > 0 && { args: allArgs }),
          ...(workingDir !== undefined && { workingDir }),
          ...(envFrom !== undefined && { envFrom }),
          ...(env !== undefined && {
            env: uniqueByName(env).map(({ name, value, valueFrom }) => ({
              name,
              ...(value !== undefined && { value: textOf(value) ?? '' }),
              ...(valueFrom !== undefined && { valueFrom: { ...valueFrom } }),
            })),
          }),
          ...(volumeMounts !== undefined && { volumeMounts }),
        },
      ],
      ...(volumes.size > 0 && { volumes: [...volumes.values()] }),
      nodeName: hostName,
      restartPolicy: 'Never',
      serviceAccountName: spec.serviceAccountName ?? 'default',
    },
  };
}

/** The status of the Pod object, from its node. */
export function podStatus(node: NodeStatus, image: string): NonNullable<Pod['status']> {
  const phase = podPhase(node);
  const { startedAt, finishedAt, message } = node;
  const exitCode = Number(node.outputs?.exitCode ?? (node.phase === 'Succeeded' ? 0 : 1));
  const state = isFulfilled(node.phase)
    ? {
        terminated: {
          exitCode,
          reason: node.phase === 'Succeeded' ? 'Completed' : 'Error',
          ...(startedAt !== undefined && { startedAt }),
          ...(finishedAt !== undefined && { finishedAt }),
          ...(message !== undefined && { message }),
        },
      }
    : node.phase === 'Running'
      ? { running: { ...(startedAt !== undefined && { startedAt }) } }
      : { waiting: { reason: 'Waiting', ...(message !== undefined && { message }) } };
  const isRunning = node.phase === 'Running';
  return {
    phase,
    ...(message !== undefined && { message }),
    ...(startedAt !== undefined && { startTime: startedAt }),
    containerStatuses: [{ name: 'main', image, ready: isRunning, started: isRunning, restartCount: 0, state }],
  };
}

function podPhase(node: NodeStatus): string {
  if (node.phase === 'Succeeded') return 'Succeeded';
  if (isFulfilled(node.phase)) return 'Failed';
  return node.phase === 'Running' ? 'Running' : 'Pending';
}

function uniqueByName<T extends { readonly name: string }>(entries: readonly T[]): readonly T[] {
  return [...new Map(entries.map((entry) => [entry.name, entry])).values()];
}
