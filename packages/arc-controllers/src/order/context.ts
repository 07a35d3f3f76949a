import type { ArtifactWorkflow, Order } from '@arc/api/arc';
import type { Clock, Logger } from '@arc/kernel';
import type { EventRecorder, Informer, KubeClient } from '@arc/kube-client';
import type { LookupInformers } from '../resolve/lookups.ts';

/** What the Order controller works with. */
export interface OrderContext extends LookupInformers {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly events: Pick<EventRecorder, 'event'>;
  readonly digestKey: Uint8Array;
  /** Shortest time between two status writes of one Order, milliseconds. */
  readonly statusIntervalMs: number;
  /** What becomes of runs within this time is looked at together, milliseconds. */
  readonly runDelayMs: number;
  readonly orders: Informer<Order>;
  /** With the index `owner` by the uid of the controlling Order. */
  readonly artifactWorkflows: Informer<ArtifactWorkflow>;
}
