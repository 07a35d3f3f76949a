import type { Condition, KubeObject } from '@arc/apimachinery';

/** Argo's `AnyString`: YAML numbers and booleans are accepted where a string is meant. */
export type AnyString = string | number | boolean;

export interface KeySelector {
  name: string;
  key: string;
  optional?: boolean;
}

export interface ParameterValueFrom {
  /** A file the step leaves behind; its content, without one trailing newline, is the value. */
  path?: string;
  default?: AnyString;
  /** A tag such as `{{steps.a.outputs.parameters.b}}`. */
  parameter?: string;
  expression?: string;
  configMapKeyRef?: KeySelector;
  supplied?: Record<string, never>;
}

export interface Parameter {
  name: string;
  value?: AnyString;
  default?: AnyString;
  valueFrom?: ParameterValueFrom;
  enum?: AnyString[];
  description?: string;
  globalName?: string;
}

export interface Arguments {
  parameters?: Parameter[];
  artifacts?: Record<string, unknown>[];
}

export interface KeyToPath {
  key: string;
  path: string;
  mode?: number;
}

interface ProjectedSource {
  secret?: { name: string; items?: KeyToPath[]; optional?: boolean };
  configMap?: { name: string; items?: KeyToPath[]; optional?: boolean };
  [source: string]: unknown;
}

/** The volume sources ARC uses; others are kept as they are and refused by the embedded engine. */
export interface Volume {
  name: string;
  secret?: { secretName: string; items?: KeyToPath[]; defaultMode?: number; optional?: boolean };
  configMap?: { name: string; items?: KeyToPath[]; defaultMode?: number; optional?: boolean };
  emptyDir?: { medium?: string; sizeLimit?: string };
  projected?: { sources: ProjectedSource[]; defaultMode?: number };
  [source: string]: unknown;
}

export interface VolumeMount {
  name: string;
  mountPath: string;
  subPath?: string;
  readOnly?: boolean;
}

export interface EnvVarSource {
  secretKeyRef?: KeySelector;
  configMapKeyRef?: KeySelector;
  fieldRef?: { fieldPath: string; apiVersion?: string };
}

export interface EnvVar {
  name: string;
  value?: AnyString;
  valueFrom?: EnvVarSource;
}

export interface EnvFromSource {
  prefix?: string;
  secretRef?: { name: string; optional?: boolean };
  configMapRef?: { name: string; optional?: boolean };
}

export interface Container {
  name?: string;
  image: string;
  command?: string[];
  args?: string[];
  workingDir?: string;
  env?: EnvVar[];
  envFrom?: EnvFromSource[];
  volumeMounts?: VolumeMount[];
  [field: string]: unknown;
}

export interface ScriptTemplate extends Container {
  source: string;
}

export interface ContinueOn {
  error?: boolean;
  failed?: boolean;
}

export interface WorkflowStep {
  name: string;
  template?: string;
  arguments?: Arguments;
  when?: string;
  continueOn?: ContinueOn;
  [field: string]: unknown;
}

export interface RetryStrategy {
  /** Extra attempts; absent means without end. */
  limit?: number | string;
  retryPolicy?: 'Always' | 'OnFailure' | 'OnError' | 'OnTransientError';
  backoff?: { duration?: string | number; factor?: number | string; cap?: string | number; maxDuration?: string | number };
  expression?: string;
  [field: string]: unknown;
}

export interface Template {
  name: string;
  inputs?: Arguments;
  outputs?: Arguments;
  steps?: WorkflowStep[][];
  script?: ScriptTemplate;
  container?: Container;
  suspend?: { duration?: string | number };
  retryStrategy?: RetryStrategy;
  activeDeadlineSeconds?: number | string;
  timeout?: string;
  volumes?: Volume[];
  [field: string]: unknown;
}

export interface WorkflowTemplateRef {
  name: string;
  clusterScope?: boolean;
}

export interface PersistentVolumeClaimTemplate {
  metadata?: { name?: string };
  spec?: Record<string, unknown>;
}

export interface WorkflowSpec {
  entrypoint?: string;
  arguments?: Arguments;
  templates?: Template[];
  workflowTemplateRef?: WorkflowTemplateRef;
  volumes?: Volume[];
  volumeClaimTemplates?: PersistentVolumeClaimTemplate[];
  serviceAccountName?: string;
  retryStrategy?: RetryStrategy;
  activeDeadlineSeconds?: number;
  priority?: number;
  shutdown?: 'Stop' | 'Terminate';
  suspend?: boolean;
  workflowMetadata?: { labels?: Record<string, string>; annotations?: Record<string, string>; labelsFrom?: Record<string, unknown> };
  podMetadata?: { labels?: Record<string, string>; annotations?: Record<string, string> };
  ttlStrategy?: { secondsAfterCompletion?: number; secondsAfterSuccess?: number; secondsAfterFailure?: number };
  [field: string]: unknown;
}

/** `''` is a Workflow nobody has looked at yet. */
export type WorkflowPhase = '' | 'Pending' | 'Running' | 'Succeeded' | 'Failed' | 'Error';
export type NodePhase = 'Pending' | 'Running' | 'Succeeded' | 'Skipped' | 'Failed' | 'Error' | 'Omitted';
export type NodeType = 'Pod' | 'Steps' | 'StepGroup' | 'DAG' | 'TaskGroup' | 'Retry' | 'Skipped' | 'Suspend';

export interface NodeOutputs {
  parameters?: Parameter[];
  /** Standard output of the main container, one trailing newline trimmed, the last 256 KiB. */
  result?: string;
  exitCode?: string;
}

export interface NodeStatus {
  id: string;
  name: string;
  displayName: string;
  type: NodeType;
  templateName?: string;
  /** `local/<workflow>`, `namespaced/<template>` or `cluster/<template>`. */
  templateScope?: string;
  phase?: NodePhase;
  message?: string;
  startedAt?: string;
  finishedAt?: string;
  /** `n/m`; a pod's own comes from its progress file. */
  progress?: string;
  /** Id of the enclosing Steps or DAG node. */
  boundaryID?: string;
  inputs?: Arguments;
  outputs?: NodeOutputs;
  children?: string[];
  outboundNodes?: string[];
  hostNodeName?: string;
  nodeFlag?: { retried?: boolean; hooked?: boolean };
}

export type WorkflowCondition = Pick<Condition, 'type' | 'status'> & Partial<Pick<Condition, 'reason' | 'message'>>;

export interface WorkflowStatus {
  phase?: WorkflowPhase;
  message?: string;
  startedAt?: string;
  finishedAt?: string;
  progress?: string;
  /** By node id; the root node's id is the Workflow's name. */
  nodes?: Record<string, NodeStatus>;
  /** What `nodes` were before they became too large for one object: gzip in base64. */
  compressedNodes?: string;
  /** Set when the nodes are in a database of Argo instead. */
  offloadNodeStatusVersion?: string;
  conditions?: WorkflowCondition[];
  /** Parameters exported by `globalName`. */
  outputs?: NodeOutputs;
  /** The merged spec as it was when the Workflow started; later edits of the template do not matter to it. */
  storedWorkflowTemplateSpec?: WorkflowSpec;
  /** The templates of others that it refers to, as they were when it came to them. */
  storedTemplates?: Record<string, unknown>;
}

export interface Workflow extends KubeObject {
  spec: WorkflowSpec;
  status?: WorkflowStatus;
}

export interface WorkflowTemplate extends KubeObject {
  spec: WorkflowSpec;
}

export interface ClusterWorkflowTemplate extends KubeObject {
  spec: WorkflowSpec;
}
