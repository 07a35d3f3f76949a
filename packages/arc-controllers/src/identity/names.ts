import { createHash } from 'node:crypto';

/** Argo refuses longer Workflow names; it is also the limit of label values. */
const maxWorkflowNameLength = 63;
const maxCronWorkflowNameLength = 52;

/**
 * The name of an ArtifactWorkflow: `<order>-<hash>`. When that were too long for Argo, the Order's name is cut and a hash
 * of the whole name keeps Orders with the same beginning apart.
 */
export function artifactWorkflowName(orderName: string, hash: string): string {
  return `${shortened(orderName, maxWorkflowNameLength - hash.length - 1)}-${hash}`;
}

/** The content hash in the name of an ArtifactWorkflow of an Order. */
export function hashOfName(name: string): string {
  return name.slice(name.lastIndexOf('-') + 1);
}

/** The name of the Workflow of an ArtifactWorkflow: the same, unless somebody named the latter too long for Argo. */
export function workflowName(artifactWorkflowName: string): string {
  return shortened(artifactWorkflowName, maxWorkflowNameLength);
}

/** The name of the CronWorkflow of an ArtifactWorkflow; Argo keeps room for the time in the names of its Workflows. */
export function cronWorkflowName(artifactWorkflowName: string): string {
  return shortened(artifactWorkflowName, maxCronWorkflowNameLength);
}

/** The name of the Secret with the rendered configuration of an ArtifactWorkflow. */
export function configSecretName(artifactWorkflowName: string): string {
  return `${workflowName(artifactWorkflowName)}-config`;
}

function shortened(name: string, limit: number): string {
  if (name.length <= limit) return name;
  const digest = createHash('sha256').update(name).digest('hex').slice(0, 8);
  return `${name.slice(0, limit - digest.length - 1).replace(/[-.]+$/, '')}-${digest}`;
}

/** True when a text may be the value of a label. */
export function isLabelValue(text: string): boolean {
  return text.length <= 63 && /^(?:[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?)?$/.test(text);
}
