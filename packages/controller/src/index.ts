export type { ControllerDefinition, ControllerSource } from './controller.ts';
export type { ReconcileRequest, Reconciler, ReconcileResult } from './reconcile.ts';
