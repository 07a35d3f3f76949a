import type { Workflow, WorkflowSpec } from '@arc/api/argo';
import { argoGroup, argoVersion, instanceIdLabel } from '@arc/api/argo';
import type { ArtifactWorkflow } from '@arc/api/arc';
import {
  artifactWorkflowLabel,
  configVolume,
  configSecretParameter,
  destinationSecretParameter,
  destinationSecretVolume,
  endpointsAnnotation,
  kueuePriorityClassLabel,
  kueueQueueLabel,
  priorityClassParameter,
  queueNameParameter,
  referenceName,
  secretDigestsAnnotation,
  sourceSecretParameter,
  sourceSecretVolume,
  workloadAnnotation,
} from '@arc/api/arc';
import { configSecretName, isLabelValue, workflowName } from '../identity/names.ts';
import { controllerReference } from '../metadata/owner.ts';
import type { HandOver } from './hand-over.ts';

/** A volume that holds a Secret of a run: its name, the parameter that names the Secret instead, and the Secret, if any. */
type SecretVolume = readonly [volume: string, parameter: string, secret: string | undefined];

/**
 * The Workflow that does the work: a template, its arguments, and the credentials as volumes the template mounts where it
 * likes. Everything else is the template's business.
 */
export function buildWorkflow(run: ArtifactWorkflow, handOver: HandOver): Workflow {
  const { workflowTemplateRef } = run.spec ?? {};
  const name = run.metadata.name ?? '';
  const { instanceId = '', priority } = handOver;
  const endpoints = endpointNames(run);
  const digests = Object.entries(handOver.secretDigests).map(([secret, digest]) => `${secret}=${digest}`);
  const annotations = {
    ...(endpoints.length > 0 && { [endpointsAnnotation]: endpoints.join(',') }),
    ...(digests.length > 0 && { [secretDigestsAnnotation]: digests.join(',') }),
    ...(handOver.byWorkload && { [workloadAnnotation]: workflowName(name) }),
  };
  const labels = Object.entries(run.metadata.labels ?? {}).filter(([, value]) => isLabelValue(value));
  return {
    apiVersion: `${argoGroup}/${argoVersion}`,
    kind: 'Workflow',
    metadata: {
      name: workflowName(name),
      namespace: run.metadata.namespace ?? '',
      labels: {
        ...Object.fromEntries(labels),
        [artifactWorkflowLabel]: workflowName(name),
        ...(instanceId !== '' && { [instanceIdLabel]: instanceId }),
      },
      ...(Object.keys(annotations).length > 0 && { annotations }),
      ownerReferences: [controllerReference(run)],
    },
    spec: {
      workflowTemplateRef: {
        name: referenceName(workflowTemplateRef) ?? '',
        ...(workflowTemplateRef?.clusterScope === true && { clusterScope: true }),
      },
      ...(handOver.volumesFrom === 'template' ? ofReferences(run, handOver) : ofOwnFields(run, handOver)),
      ...(priority !== 0 && { priority }),
    },
  };
}

/** The Workflow says itself what its pods are given. */
function ofOwnFields(run: ArtifactWorkflow, { serviceAccountName, queueLabels, byWorkload }: HandOver): WorkflowSpec {
  return {
    arguments: { parameters: argumentsOf(run) },
    volumes: secretVolumes(run).map(([name, , secretName]) =>
      // A volume there is no Secret for is empty, so that templates can mount it in any case.
      secretName === undefined ? { name, emptyDir: {} } : { name, secret: { secretName } },
    ),
    ...(serviceAccountName !== undefined && { serviceAccountName }),
    ...(!byWorkload && Object.keys(queueLabels).length > 0 && { podMetadata: { labels: { ...queueLabels } } }),
  };
}

/** The template says what pods are given, by parameters; what the spec has beside them is on Argo's list of what is allowed then. */
function ofReferences(run: ArtifactWorkflow, { queueLabels, byWorkload }: HandOver): WorkflowSpec {
  const labels = byWorkload ? {} : queueLabels;
  const own = argumentsOf(run);
  const taken = new Set(own.map(({ name }) => name));
  // There is no Secret of this name, so that an optional volume of it is empty: pods cannot name none.
  const none = `${workflowName(run.metadata.name ?? '')}-none`;
  const references = [
    ...secretVolumes(run).map(([, name, secretName]) => ({ name, value: secretName ?? none })),
    { name: queueNameParameter, value: labels[kueueQueueLabel] ?? '' },
    { name: priorityClassParameter, value: labels[kueuePriorityClassLabel] ?? '' },
  ];
  return { arguments: { parameters: [...own, ...references.filter(({ name }) => !taken.has(name))] } };
}

function argumentsOf({ spec }: ArtifactWorkflow): { name: string; value: string }[] {
  return (spec?.parameters ?? []).map(({ name = '', value = '' }) => ({ name, value }));
}

function secretVolumes({ metadata, spec }: ArtifactWorkflow): SecretVolume[] {
  const config: SecretVolume = [configVolume, configSecretParameter, configSecretName(metadata.name ?? '')];
  return [
    [sourceSecretVolume, sourceSecretParameter, referenceName(spec?.srcSecretRef)],
    [destinationSecretVolume, destinationSecretParameter, referenceName(spec?.dstSecretRef)],
    ...(spec?.renderConfig === true ? [config] : []),
  ];
}

/** The Endpoints a run names, each once. */
export function endpointNames({ spec }: ArtifactWorkflow): string[] {
  const names = [spec?.srcRef, spec?.dstRef].map(referenceName).filter((name) => name !== undefined);
  return [...new Set(names)];
}
