export type { HandOverSettings } from './artifact-workflow/hand-over.ts';
export { createArcControllers } from './create-arc-controllers.ts';
export type { ArcControllers, ArcControllersOptions, ArcLimits } from './create-arc-controllers.ts';
export type { EndpointFinding, EndpointFindings, EndpointProbe, EndpointProbeTarget } from './endpoint/probe.ts';
export type { ArcInformers } from './informers/arc-informers.ts';
export type { SecretRecord } from './informers/secret-record.ts';
export type { WorkflowRecord } from './informers/workflow-record.ts';
export { arcMetrics } from './metrics/arc-metrics.ts';
export type { ArcMetrics } from './metrics/arc-metrics.ts';
