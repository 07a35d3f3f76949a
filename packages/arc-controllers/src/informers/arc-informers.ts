import type { AnyArtifactType, ArtifactWorkflow, Endpoint, Order } from '@arc/api/arc';
import {
  artifactTypes,
  artifactWorkflowLabel,
  artifactWorkflows,
  clusterArtifactTypes,
  destinationNames,
  endpoints,
  isFinishedPhase,
  orders,
  referenceName,
  secretNames,
  sourceName,
} from '@arc/api/arc';
import { cronWorkflows, workflows } from '@arc/api/argo';
import type { CronWorkflow } from '@arc/api/argo';
import { namespaces, secrets } from '@arc/api/core';
import type { KueueVersion } from '@arc/api/kueue';
import { workloadsOf } from '@arc/api/kueue';
import type { KubeObject } from '@arc/apimachinery';
import type { Clock, Logger } from '@arc/kernel';
import { createInformer } from '@arc/kube-client';
import type { Informer, KubeClient } from '@arc/kube-client';
import { scheduleOfRun } from '../artifact-workflow/build-cron-workflow.ts';
import { cronWorkflowName } from '../identity/names.ts';
import { controllerOf } from '../metadata/owner.ts';
import { keyOf } from '../metadata/references.ts';
import { isByHand } from '../resolve/hydrate-run.ts';
import { leanArtifactType, leanArtifactWorkflow, leanCronWorkflow, leanEndpoint, leanNamespace, leanOrder } from './lean.ts';
import { secretRecorder } from './secret-record.ts';
import type { SecretRecord } from './secret-record.ts';
import { workflowRecord } from './workflow-record.ts';
import type { WorkflowRecord } from './workflow-record.ts';
import { workloadRecord } from './workload-record.ts';
import type { WorkloadRecord } from './workload-record.ts';

/** Local copies of all the controllers look at, with the indexes that lead from a change to what depends on it. */
export interface ArcInformers {
  /** Indexes: `endpoint`, `type` (both namespace/name), `clusterType` (name), `run` (namespace/name of its runs). */
  readonly orders: Informer<Order>;
  /**
   * Indexes: `owner` (uid of the Order), `cronWorkflow` (namespace/name of the CronWorkflow a scheduled one has), `secret` (namespace/name, runs that have not ended); of runs written by hand that
   * have not ended: `type` (namespace/name), `clusterType` (name), and with the scheduled ones `endpoint` (namespace/name).
   */
  readonly artifactWorkflows: Informer<ArtifactWorkflow>;
  /** Index: `secret` (namespace/name). */
  readonly endpoints: Informer<Endpoint>;
  readonly artifactTypes: Informer<AnyArtifactType>;
  readonly clusterArtifactTypes: Informer<AnyArtifactType>;
  readonly secrets: Informer<SecretRecord>;
  /** Index: `cronWorkflow` (namespace/name of the CronWorkflow that made it). */
  readonly workflows: Informer<WorkflowRecord>;
  readonly cronWorkflows: Informer<CronWorkflow>;
  /** With what their annotations say about admission. */
  readonly namespaces: Informer<KubeObject>;
  /** Of Kueue, where runs wait for its quota. Index: `namespace`. */
  readonly workloads: Informer<WorkloadRecord> | undefined;
}

export interface ArcInformerOptions {
  readonly digestKey: Uint8Array;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly kueueVersion?: KueueVersion | undefined;
}

export function createArcInformers(client: KubeClient, { digestKey, clock, logger, kueueVersion }: ArcInformerOptions): ArcInformers {
  const common = { clock, logger };
  return {
    orders: createInformer<Order>(client, orders, {
      ...common,
      transform: leanOrder,
      indexes: { endpoint: endpointsOfOrder, type: typesOfOrder, clusterType: clusterTypesOfOrder, run: runsOfOrder },
    }),
    artifactWorkflows: createInformer<ArtifactWorkflow>(client, artifactWorkflows, {
      ...common,
      transform: leanArtifactWorkflow,
      indexes: {
        owner: ownerOfRun,
        cronWorkflow: cronWorkflowOfRun,
        secret: secretsOfRun,
        endpoint: endpointsOfRun,
        type: typeOfRun,
        clusterType: clusterTypeOfRun,
      },
    }),
    endpoints: createInformer<Endpoint>(client, endpoints, { ...common, transform: leanEndpoint, indexes: { secret: secretsOfEndpoint } }),
    artifactTypes: createInformer<AnyArtifactType>(client, artifactTypes, { ...common, transform: leanArtifactType }),
    clusterArtifactTypes: createInformer<AnyArtifactType>(client, clusterArtifactTypes, { ...common, transform: leanArtifactType }),
    secrets: createInformer<SecretRecord>(client, secrets, { ...common, transform: replacing(secretRecorder(digestKey)) }),
    namespaces: createInformer<KubeObject>(client, namespaces, { ...common, transform: leanNamespace }),
    workflows: createInformer<WorkflowRecord>(client, workflows, {
      ...common,
      labelSelector: artifactWorkflowLabel,
      transform: replacing(workflowRecord),
      indexes: { cronWorkflow: cronWorkflowOfWorkflow },
    }),
    cronWorkflows: createInformer<CronWorkflow>(client, cronWorkflows, {
      ...common,
      labelSelector: artifactWorkflowLabel,
      transform: leanCronWorkflow,
    }),
    workloads:
      kueueVersion === undefined
        ? undefined
        : createInformer<WorkloadRecord>(client, workloadsOf(kueueVersion), {
            ...common,
            labelSelector: artifactWorkflowLabel,
            transform: replacing(workloadRecord),
            indexes: { namespace: ({ metadata }) => [metadata.namespace ?? ''] },
          }),
  };
}

/** What arrives is the whole object, what is kept another shape of it; informers know only one type for both. */
function replacing<Kept extends KubeObject>(reduce: (object: never) => Kept): (object: Kept) => Kept {
  return (object) => reduce(object as never);
}

function endpointsOfOrder(order: Order): string[] {
  const spec = order.spec ?? {};
  const names = (spec.artifacts ?? []).flatMap((artifact) => [sourceName(spec, artifact) ?? '', ...destinationNames(spec, artifact)]);
  return [...new Set(names)].map((name) => keyOf(order.metadata.namespace, name));
}

function typesOfOrder(order: Order): string[] {
  return clusterTypesOfOrder(order).map((name) => keyOf(order.metadata.namespace, name));
}

function clusterTypesOfOrder(order: Order): string[] {
  return [...new Set((order.spec?.artifacts ?? []).map(({ type = '' }) => type))];
}

function runsOfOrder(order: Order): string[] {
  const names = Object.values(order.status?.artifactWorkflows ?? {}).map(({ name }) => name);
  return names.filter((name) => name !== undefined).map((name) => keyOf(order.metadata.namespace, name));
}

function ownerOfRun(run: ArtifactWorkflow): string[] {
  const owner = controllerOf(run);
  return owner === undefined ? [] : [owner.uid];
}

function cronWorkflowOfRun(run: ArtifactWorkflow): string[] {
  return scheduleOfRun(run) === undefined ? [] : [keyOf(run.metadata.namespace, cronWorkflowName(run.metadata.name ?? ''))];
}

function secretsOfRun(run: ArtifactWorkflow): string[] {
  if (isFinishedPhase(run.status?.phase)) return [];
  const names = [run.spec?.srcSecretRef, run.spec?.dstSecretRef].map(referenceName).filter((name) => name !== undefined);
  return [...new Set(names)].map((name) => keyOf(run.metadata.namespace, name));
}

function endpointsOfRun(run: ArtifactWorkflow): string[] {
  // What Endpoints say beside the identity, such as rates, is kept up to date in schedules.
  if (!isAwaited(run) && scheduleOfRun(run) === undefined) return [];
  const names = [run.spec?.srcRef, run.spec?.dstRef].map(referenceName).filter((name) => name !== undefined);
  return [...new Set(names)].map((name) => keyOf(run.metadata.namespace, name));
}

function typeOfRun(run: ArtifactWorkflow): string[] {
  return clusterTypeOfRun(run).map((name) => keyOf(run.metadata.namespace, name));
}

function clusterTypeOfRun(run: ArtifactWorkflow): string[] {
  return isAwaited(run) ? [run.spec?.type ?? ''] : [];
}

/** True for a run that depends on what it refers to: until its Workflow is made, and for its configuration until it ends. */
function isAwaited(run: ArtifactWorkflow): boolean {
  return isByHand(run) && (run.status?.activeWorkflowRef === undefined || !isFinishedPhase(run.status.phase));
}

function cronWorkflowOfWorkflow(workflow: WorkflowRecord): string[] {
  const owner = controllerOf(workflow);
  return owner?.kind === cronWorkflows.kind ? [keyOf(workflow.metadata.namespace, owner.name)] : [];
}

function secretsOfEndpoint(endpoint: Endpoint): string[] {
  return secretNames(endpoint).map((name) => keyOf(endpoint.metadata.namespace, name));
}
