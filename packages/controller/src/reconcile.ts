/** The identity of what is to be reconciled. Cluster-scoped objects have no namespace. */
export interface ReconcileRequest {
  readonly namespace?: string;
  readonly name: string;
}

/** What to do next when a reconcile succeeded: nothing, or look again after a while. */
export interface ReconcileResult {
  readonly requeueAfterMs?: number;
}

/**
 * Brings the world to what the object asks for, from whatever state it is in. It is told *which* object, never what
 * happened to it: it reads the present state, acts, and may be called again at any time, after a crash as well.
 *
 * - returns undefined or `{}`: done until something it depends on changes;
 * - returns `requeueAfterMs`: called again after that time, or earlier on a change;
 * - throws a TerminalError: logged and counted, not retried until a change;
 * - throws anything else: retried with exponential backoff.
 */
export type Reconciler = (request: ReconcileRequest, signal: AbortSignal) => Promise<ReconcileResult | undefined>;
