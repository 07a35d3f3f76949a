import type { CronWorkflow } from '@arc/api/argo';
import type { ArtifactWorkflow, Order } from '@arc/api/arc';
import type { KubeObject } from '@arc/apimachinery';
import type { Clock, Logger } from '@arc/kernel';
import type { EventRecorder, Informer, KubeClient } from '@arc/kube-client';
import type { WorkflowRecord } from '../informers/workflow-record.ts';
import type { LookupInformers } from '../resolve/lookups.ts';
import type { Kueue } from '../kueue/kueue.ts';
import type { Admission } from '../admission/admission.ts';
import type { HandOverSettings } from './hand-over.ts';

/** What the ArtifactWorkflow controller works with. */
export interface RunContext extends LookupInformers {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly events: Pick<EventRecorder, 'event'>;
  readonly digestKey: Uint8Array;
  readonly admission: Admission;
  /** Shortest time between two writes of mere progress, milliseconds. */
  readonly progressIntervalMs: number;
  /** How long the status of a run waits for the Workflow it has just got to begin, milliseconds. */
  readonly startIntervalMs: number;
  readonly handOver: HandOverSettings;
  readonly orders: Informer<Order>;
  readonly artifactWorkflows: Informer<ArtifactWorkflow>;
  /** With the index `cronWorkflow` by namespace/name of the controlling CronWorkflow. */
  readonly workflows: Informer<WorkflowRecord>;
  readonly cronWorkflows: Informer<CronWorkflow>;
  readonly namespaces: Informer<KubeObject>;
  /** Whose quota runs wait for before their Workflows are made; undefined: pods are labelled for it instead. */
  readonly kueue?: Kueue | undefined;
}
