/** A run that wants to start. */
export interface Job {
  /** namespace/name of the ArtifactWorkflow. */
  readonly key: string;
  readonly namespace: string;
  /** namespace/name of the Endpoints it uses. */
  readonly endpoints: readonly string[];
  /** Higher ones of a namespace go first. */
  readonly priority: number;
  /** When it began to wait, milliseconds since the epoch. */
  readonly since: number;
}

export interface QueuedJob extends Job {
  /**
   * Where it stands within its namespace, smaller first. Waiting raises a priority by one every so often, for all alike, so
   * the order of two jobs never changes and needs no clock.
   */
  readonly turn: number;
}

/** What a namespace may use. */
export interface Quota {
  /** Its share in relation to others; default 1. */
  readonly weight?: number | undefined;
  /** Runs under way at the same time; default: no limit of its own. */
  readonly maxActive?: number | undefined;
}

/** Why a job waits. */
export type WaitReason =
  | { readonly kind: 'total'; readonly active: number; readonly limit: number }
  | { readonly kind: 'namespace'; readonly active: number; readonly limit: number }
  | { readonly kind: 'endpoint'; readonly endpoint: string; readonly active: number; readonly limit: number }
  /** There is room, but it is the turn of others. */
  | { readonly kind: 'turn' };
