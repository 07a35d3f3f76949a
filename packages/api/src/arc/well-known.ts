/** Keeps an Order until its ArtifactWorkflows are gone. */
export const orderFinalizer = 'arc.opendefense.cloud/order-finalizer';
/** Keeps an ArtifactWorkflow until its Workflow is gone. */
export const artifactWorkflowFinalizer = 'arc.opendefense.cloud/artifact-workflow-finalizer';

/** On ArtifactWorkflows and Workflows: the artifact type, when it is a legal label value. */
export const artifactTypeLabel = 'arc.opendefense.cloud/artifact-type';
/** On Workflows: the ArtifactWorkflow that made them; also the selector by which ARC watches Workflows. */
export const artifactWorkflowLabel = 'arc.opendefense.cloud/artifactworkflow';
/** On ArtifactWorkflows: the index in the Order's `spec.artifacts` at the time of creation. */
export const artifactIndexAnnotation = 'arc.opendefense.cloud/artifact-index';

/** On ArtifactWorkflows: names what its Order asked for, independent of what Endpoints, Secrets and types look like. */
export const artifactSlotAnnotation = 'arc.opendefense.cloud/artifact-slot';
/** On ArtifactWorkflows and Workflows: the uid of the Order they were made for. */
export const orderUidLabel = 'arc.opendefense.cloud/order-uid';

/** The volume that holds the source Endpoint's Secret, or nothing. */
export const sourceSecretVolume = 'src-secret-vol';
/** The volume that holds the destination Endpoint's Secret, or nothing. */
export const destinationSecretVolume = 'dst-secret-vol';
/** The volume that holds the run's rendered configuration, where its type asks for one. */
export const configVolume = 'config-vol';
/**
 * Parameters that name the Secrets instead, where templates bring the volumes; of a Secret there is none of when there are no
 * credentials.
 */
export const sourceSecretParameter = 'srcSecretName';
export const destinationSecretParameter = 'dstSecretName';
export const configSecretParameter = 'configSecretName';
/** Parameters for the labels by which Kueue queues pods, where templates bring those; empty without any. */
export const queueNameParameter = 'queueName';
export const priorityClassParameter = 'queuePriorityClass';
/** On rendered configurations: a keyed digest of what they were made of. */
export const configInputsAnnotation = 'arc.opendefense.cloud/config-inputs';
/** On rendered configurations: a keyed digest of what they hold, by which an edit is noticed. */
export const configDigestAnnotation = 'arc.opendefense.cloud/config-digest';
/** The global output parameter of a Workflow that carries the receipt of the transfer. */
export const receiptOutput = 'arc-receipt';

/** On Orders and on ArtifactWorkflows written by hand: a Unix time in seconds at which everything runs once more. On Endpoints: at which it is probed. */
export const forceAtAnnotation = 'arc.opendefense.cloud/force-at';
/** On Orders and ArtifactWorkflows: any text; for every new one, what has failed is tried once more. */
export const retryAnnotation = 'arc.opendefense.cloud/retry';

/** On Namespaces: the share of the slots in relation to other namespaces, a number above 0; 1 without it. */
export const weightAnnotation = 'arc.opendefense.cloud/weight';
/** On Namespaces: how many runs may be under way at the same time. */
export const maxActiveAnnotation = 'arc.opendefense.cloud/max-active';
/** On Namespaces: the ServiceAccount of the pods of its Workflows. */
export const serviceAccountAnnotation = 'arc.opendefense.cloud/service-account';
/** On Orders, ArtifactWorkflows written by hand and Namespaces: the LocalQueue of Kueue that the pods of their Workflows join. */
export const kueueQueueLabel = 'kueue.x-k8s.io/queue-name';
/** On the same: the class that says how urgent they are to Kueue. */
export const kueuePriorityClassLabel = 'kueue.x-k8s.io/priority-class';
/** On Workflows: the Workload of Kueue whose quota they run on, where ARC waits for that before it makes them. */
export const workloadAnnotation = 'arc.opendefense.cloud/workload';
/** On Workflows of schedules: they are suspended because it is not their turn yet. */
export const heldAnnotation = 'arc.opendefense.cloud/held';
/** On Workflows: keyed digests of the Secrets the run was given, `name=digest` separated by commas; tell that one has changed since. */
export const secretDigestsAnnotation = 'arc.opendefense.cloud/secret-digests';
/** On Workflows: the Endpoints the run uses, separated by commas. */
export const endpointsAnnotation = 'arc.opendefense.cloud/endpoints';

/** The parameter that tells a template to transfer nothing. */
export const dryRunParameter = 'dryRun';

/** The last second a timestamp can express, in the year 9999. */
const lastSecond = 253_402_300_799;

/** Reads a force-at annotation, in whole seconds since the epoch; undefined when it is none. */
export function parseForceAt(text: string | undefined): number | undefined {
  if (text === undefined || !/^\d{1,12}$/.test(text)) return undefined;
  const seconds = Number(text);
  return seconds > 0 && seconds <= lastSecond ? seconds : undefined;
}
