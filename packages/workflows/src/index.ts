export { checkWorkflow } from './capabilities/check-workflow.ts';
export type { CapabilityReport, Finding } from './capabilities/check-workflow.ts';
export { buildAttempt } from './engine/build-attempt.ts';
export type { BuildAttemptContext } from './engine/build-attempt.ts';
export { engineFinalizer, rewrittenPathsAnnotation, runnerAnnotation } from './engine/labels.ts';
export { endSteps } from './engine/end-steps.ts';
export { createWorkflowEngine } from './engine/workflow-engine.ts';
export type { RunOptions, WorkflowEngine, WorkflowEngineOptions } from './engine/workflow-engine.ts';
export { createLogStore } from './logs/log-store.ts';
export type { LogRef, LogStore, LogStoreOptions, OpenLogOptions } from './logs/log-store.ts';
export { plan } from './planner/plan.ts';
export type { Plan } from './planner/plan.ts';
export type { Action, PlanInput, PodPlan, WorkflowIdentity } from './planner/planning.ts';
export type { ImageMap, ImageMapping } from './runner/process/image-map.ts';
export { createProcessRunner } from './runner/process/process-runner.ts';
export type { ProcessRunnerOptions } from './runner/process/process-runner.ts';
export type { PathMode } from './runner/process/supervisor.ts';
export type {
  Attempt,
  AttemptId,
  AttemptMount,
  AttemptResult,
  Observation,
  Runner,
  StartReport,
  StopReason,
  VolumeFile,
  VolumeSource,
} from './runner/runner.ts';
export { createScriptedRunner, ScriptedHost } from './runner/scripted.ts';
export type { ScriptedRunner, ScriptedRunnerOptions, StepScript } from './runner/scripted.ts';
