import type { KindDefinition } from '@arc/apimachinery';
import { artifactTypeDefinition } from './artifact-type.ts';
import { artifactWorkflowDefinition, artifactWorkflowKind } from './artifact-workflow.ts';
import { clusterArtifactTypeDefinition } from './cluster-artifact-type.ts';
import { endpointDefinition } from './endpoint.ts';
import type { CronLimits } from './cron.ts';
import { orderDefinition, orderKind } from './order.ts';

export { artifactTypeDefinition, artifactTypes } from './artifact-type.ts';
export type { ArtifactType } from './artifact-type.ts';
export { allowedEndpointTypes } from './artifact-type-spec.ts';
export type { AnyArtifactType, ArtifactTypeSpec } from './artifact-type-spec.ts';
export { artifactWorkflowDefinition, artifactWorkflows } from './artifact-workflow.ts';
export type { ArtifactWorkflow, ArtifactWorkflowSpec, ArtifactWorkflowStatus, ArtifactWorkflowStep } from './artifact-workflow.ts';
export { clusterArtifactTypeDefinition, clusterArtifactTypes } from './cluster-artifact-type.ts';
export type { ClusterArtifactType } from './cluster-artifact-type.ts';
export type { Cron, CronLimits } from './cron.ts';
export { endpointDefinition, endpoints, mayPull, mayPush, parseRemoteURL, secretNames } from './endpoint.ts';
export type { Endpoint, EndpointSpec, EndpointStatus } from './endpoint.ts';
export { contactText } from './endpoint-contact.ts';
export type { EndpointTls } from './endpoint-tls.ts';
export { conflictText, flattenSpec, parameterConflict } from './flatten-spec.ts';
export { unsetNulls, firstLine, referenceName } from './field-rules.ts';
export { arcApiVersion, arcCategory, arcGroup, arcVersion } from './group.ts';
export { destinationNames, orderDefinition, orders, scheduleOf, sourceName } from './order.ts';
export type { Artifact, Order, OrderRun, OrderSpec, OrderStatus } from './order.ts';
export { hasFailed, isFinishedPhase, lastRunFailed, rollUpOrder } from './phase.ts';
export type { OrderCounts, OrderPhase, OrderRollUp, RolledUpRun, RunPhase } from './phase.ts';
export type { LocalReference, Parameter, WorkflowTemplateReference } from './shared-schemas.ts';
export {
  artifactIndexAnnotation,
  artifactSlotAnnotation,
  artifactTypeLabel,
  artifactWorkflowFinalizer,
  artifactWorkflowLabel,
  configDigestAnnotation,
  configInputsAnnotation,
  configSecretParameter,
  configVolume,
  destinationSecretParameter,
  destinationSecretVolume,
  dryRunParameter,
  endpointsAnnotation,
  forceAtAnnotation,
  heldAnnotation,
  kueuePriorityClassLabel,
  kueueQueueLabel,
  maxActiveAnnotation,
  orderFinalizer,
  orderUidLabel,
  parseForceAt,
  priorityClassParameter,
  queueNameParameter,
  receiptOutput,
  retryAnnotation,
  secretDigestsAnnotation,
  serviceAccountAnnotation,
  sourceSecretParameter,
  sourceSecretVolume,
  weightAnnotation,
  workloadAnnotation,
} from './well-known.ts';

/** Every kind of the group, in the order discovery lists them. */
export const arcKinds: readonly KindDefinition[] = [
  artifactTypeDefinition,
  artifactWorkflowDefinition,
  clusterArtifactTypeDefinition,
  endpointDefinition,
  orderDefinition,
];

/** The kinds as a server with other limits has them. */
export function arcKindsWithin(limits: CronLimits): readonly KindDefinition[] {
  const limited = new Map<KindDefinition, KindDefinition>([
    [artifactWorkflowDefinition, artifactWorkflowKind(limits)],
    [orderDefinition, orderKind(limits)],
  ]);
  return arcKinds.map((kind) => limited.get(kind) ?? kind);
}
