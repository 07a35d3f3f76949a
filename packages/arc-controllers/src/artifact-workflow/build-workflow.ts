import type { Volume, Workflow } from '@arc/api/argo';
import { argoGroup, argoVersion } from '@arc/api/argo';
import type { ArtifactWorkflow } from '@arc/api/arc';
import {
  artifactWorkflowLabel,
  configVolume,
  endpointsAnnotation,
  destinationSecretVolume,
  referenceName,
  sourceSecretVolume,
} from '@arc/api/arc';
import type { LocalReference } from '@arc/api/arc';
import { configSecretName, isLabelValue, workflowName } from '../identity/names.ts';
import { controllerReference } from '../metadata/owner.ts';

/**
 * The Workflow that does the work: a template, its arguments, and the credentials as volumes the template mounts where it
 * likes. Everything else is the template's business.
 */
export function buildWorkflow(run: ArtifactWorkflow): Workflow {
  const { workflowTemplateRef, parameters = [], srcSecretRef, dstSecretRef, renderConfig } = run.spec ?? {};
  const name = run.metadata.name ?? '';
  const endpoints = endpointNames(run);
  const labels = Object.entries(run.metadata.labels ?? {}).filter(([, value]) => isLabelValue(value));
  return {
    apiVersion: `${argoGroup}/${argoVersion}`,
    kind: 'Workflow',
    metadata: {
      name: workflowName(name),
      namespace: run.metadata.namespace ?? '',
      labels: { ...Object.fromEntries(labels), [artifactWorkflowLabel]: workflowName(name) },
      ...(endpoints.length > 0 && { annotations: { [endpointsAnnotation]: endpoints.join(',') } }),
      ownerReferences: [controllerReference(run)],
    },
    spec: {
      workflowTemplateRef: {
        name: referenceName(workflowTemplateRef) ?? '',
        ...(workflowTemplateRef?.clusterScope === true && { clusterScope: true }),
      },
      arguments: { parameters: parameters.map(({ name = '', value = '' }) => ({ name, value })) },
      volumes: [
        secretVolume(sourceSecretVolume, srcSecretRef),
        secretVolume(destinationSecretVolume, dstSecretRef),
        ...(renderConfig === true ? [secretVolume(configVolume, { name: configSecretName(name) })] : []),
      ],
    },
  };
}

/** The Endpoints a run names, each once. */
export function endpointNames({ spec }: ArtifactWorkflow): string[] {
  const names = [spec?.srcRef, spec?.dstRef].map(referenceName).filter((name) => name !== undefined);
  return [...new Set(names)];
}

/** A volume there is no Secret for is empty, so that templates can mount it in any case. */
function secretVolume(name: string, reference: LocalReference | undefined): Volume {
  const secretName = referenceName(reference);
  return secretName === undefined ? { name, emptyDir: {} } : { name, secret: { secretName } };
}
