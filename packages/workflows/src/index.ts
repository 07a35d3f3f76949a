export { checkWorkflow } from './capabilities/check-workflow.ts';
export type { CapabilityReport, Finding } from './capabilities/check-workflow.ts';
export { plan } from './planner/plan.ts';
export type { Plan } from './planner/plan.ts';
export type { Action, PlanInput, PodPlan, WorkflowIdentity } from './planner/planning.ts';
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
