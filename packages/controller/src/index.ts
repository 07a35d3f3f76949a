export { controllerMetrics } from './controller-metrics.ts';
export type { ControllerDefinition, ControllerSource } from './controller.ts';
export type { ReconcileRequest, Reconciler, ReconcileResult } from './reconcile.ts';
export { runController } from './run-controller.ts';
export type { ControllerMetrics, ReconcileOutcome, RunControllerOptions } from './run-controller.ts';
export { startControllers } from './start-controllers.ts';
export type { RunningControllers, StartControllersOptions } from './start-controllers.ts';
export { WorkQueue } from './work-queue.ts';
export type { WorkQueueOptions } from './work-queue.ts';
