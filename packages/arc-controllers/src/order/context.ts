import type { AnyArtifactType, ArtifactWorkflow, Endpoint, Order } from '@arc/api/arc';
import type { Clock, Logger } from '@arc/kernel';
import type { EventRecorder, Informer, KubeClient } from '@arc/kube-client';
import type { SecretRecord } from '../informers/secret-record.ts';
import type { Lookups } from '../resolve/lookups.ts';

/** What the Order controller works with. */
export interface OrderContext {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly events: Pick<EventRecorder, 'event'>;
  readonly digestKey: Uint8Array;
  /** Shortest time between two status writes of one Order, milliseconds. */
  readonly statusIntervalMs: number;
  readonly orders: Informer<Order>;
  /** With the index `owner` by the uid of the controlling Order. */
  readonly artifactWorkflows: Informer<ArtifactWorkflow>;
  readonly endpoints: Informer<Endpoint>;
  readonly secrets: Informer<SecretRecord>;
  readonly artifactTypes: Informer<AnyArtifactType>;
  readonly clusterArtifactTypes: Informer<AnyArtifactType>;
}

export function lookupsOf(context: OrderContext): Lookups {
  return {
    endpoint: (namespace, name) => context.endpoints.get(namespace, name),
    secret: (namespace, name) => context.secrets.get(namespace, name),
    artifactType: (namespace, name) => context.artifactTypes.get(namespace, name),
    clusterArtifactType: (name) => context.clusterArtifactTypes.get(undefined, name),
  };
}
