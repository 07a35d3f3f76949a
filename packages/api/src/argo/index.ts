export { clusterWorkflowTemplateDefinition, clusterWorkflowTemplates } from './cluster-workflow-template.ts';
export { cronWorkflowLabel, instanceIdLabel, scheduledTimeAnnotation } from './labels.ts';
export type { CronWorkflow, CronWorkflowRun, CronWorkflowSpec, CronWorkflowStatus } from './cron-workflow-types.ts';
export { cronWorkflowDefinition, cronWorkflows } from './cron-workflow.ts';
export { argoKinds } from './kinds.ts';
export { workflowTemplateDefinition, workflowTemplates } from './workflow-template.ts';
export type {
  AnyString,
  Arguments,
  ClusterWorkflowTemplate,
  Container,
  ContinueOn,
  EnvFromSource,
  EnvVar,
  EnvVarSource,
  KeySelector,
  KeyToPath,
  NodeOutputs,
  NodePhase,
  NodeStatus,
  NodeType,
  Parameter,
  ParameterValueFrom,
  PersistentVolumeClaimTemplate,
  RetryStrategy,
  ScriptTemplate,
  Template,
  Volume,
  VolumeMount,
  Workflow,
  WorkflowCondition,
  WorkflowPhase,
  WorkflowSpec,
  WorkflowStatus,
  WorkflowStep,
  WorkflowTemplate,
  WorkflowTemplateRef,
} from './workflow-types.ts';
export { argoGroup, argoVersion, workflowDefinition, workflows } from './workflow.ts';
