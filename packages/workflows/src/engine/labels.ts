/** Names Argo's tools go by (1.9), and our own. */
export const workflowLabel = 'workflows.argoproj.io/workflow';
export const phaseLabel = 'workflows.argoproj.io/phase';
export const completedLabel = 'workflows.argoproj.io/completed';
export const workflowTemplateLabel = 'workflows.argoproj.io/workflow-template';
export const clusterWorkflowTemplateLabel = 'workflows.argoproj.io/cluster-workflow-template';
export const nodeIdAnnotation = 'workflows.argoproj.io/node-id';
export const nodeNameAnnotation = 'workflows.argoproj.io/node-name';
export const podNameFormatAnnotation = 'workflows.argoproj.io/pod-name-format';

/** Held while the engine runs a Workflow, so that no step outlives it. */
export const engineFinalizer = 'arc.opendefense.cloud/engine';
/** How the steps of a Workflow are run. */
export const runnerAnnotation = 'arc.opendefense.cloud/runner';
/** On which server the volumes of a Workflow are. */
export const siteAnnotation = 'arc.opendefense.cloud/site';
/** Declared paths that were replaced by others. */
export const rewrittenPathsAnnotation = 'arc.opendefense.cloud/rewritten-paths';
