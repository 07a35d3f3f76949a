import type { KubeObject } from '@arc/apimachinery';
import type { Informer } from '@arc/kube-client';
import type { ReconcileRequest, Reconciler } from './reconcile.ts';

/** A change of one of these objects re-runs what `requests` names. */
export interface ControllerSource<T extends KubeObject = KubeObject> {
  readonly informer: Informer<T>;
  /** Default: the object itself. Called for the new and, on updates, the old content too. */
  requests?(object: T): readonly ReconcileRequest[];
  /** Skips updates that do not matter. Adds and deletes always pass. */
  changed?(object: T, old: T): boolean;
  /** How long what it causes is put off, so that several changes are one request, milliseconds. Default 0. */
  readonly delayMs?: number;
}

export interface ControllerDefinition {
  readonly name: string;
  readonly reconcile: Reconciler;
  readonly sources: readonly ControllerSource[];
  /** Objects worked on at the same time; one object is never worked on twice at once. Default 4. */
  readonly workers?: number;
}
