import type { Parameter, WorkflowSpec } from '@arc/api/argo';

type Json = Record<string, unknown>;

/** Lists that merge by the key of their entries; every other list of the Workflow replaces the template's (1.2). */
const mergeKeys: Readonly<Record<string, string>> = {
  templates: 'name',
  volumes: 'name',
  parameters: 'name',
  artifacts: 'name',
  imagePullSecrets: 'name',
  tolerations: 'key',
  hostAliases: 'ip',
};

/** Entries taken whole from the higher level, never mixed field by field. */
const wholeEntries = new Set(['volumes', 'parameters', 'templates']);

/**
 * The spec a Workflow with a `workflowTemplateRef` runs: its own fields over the template's (1.2). `suspend` is always
 * the Workflow's own. The inputs are not changed.
 */
export function mergeWorkflowSpec(workflow: WorkflowSpec, template: WorkflowSpec): WorkflowSpec {
  const merged = mergeObjects(template as Json, workflow as Json) as WorkflowSpec;
  const parameters = mergeParameters(workflow.arguments?.parameters, template.arguments?.parameters);
  if (parameters !== undefined) merged.arguments = { ...merged.arguments, parameters };
  if (workflow.suspend === undefined) delete merged.suspend;
  return merged;
}

function mergeObjects(low: Json, high: Json): Json {
  const merged: Json = structuredClone(low);
  for (const [field, value] of Object.entries(high)) {
    if (value === undefined) continue;
    merged[field] = mergeValues(field, low[field], value);
  }
  return merged;
}

function mergeValues(field: string, low: unknown, high: unknown): unknown {
  const key = mergeKeys[field];
  if (key !== undefined && isListOfObjects(low) && isListOfObjects(high)) return mergeLists(field, key, low, high);
  if (isObject(low) && isObject(high)) return mergeObjects(low, high);
  return structuredClone(high);
}

function mergeLists(field: string, key: string, low: readonly Json[], high: readonly Json[]): Json[] {
  const entries = new Map(low.map((entry) => [entry[key], structuredClone(entry)]));
  for (const entry of high) {
    const below = entries.get(entry[key]);
    entries.set(entry[key], below === undefined || wholeEntries.has(field) ? structuredClone(entry) : mergeObjects(below, entry));
  }
  return [...entries.values()];
}

/** A parameter comes whole from the highest level that says where its value comes from; the enum of either level holds. */
function mergeParameters(high: Parameter[] | undefined, low: Parameter[] | undefined): Parameter[] | undefined {
  if (high === undefined && low === undefined) return undefined;
  const entries = new Map((low ?? []).map((parameter) => [parameter.name, parameter]));
  for (const parameter of high ?? []) {
    const below = entries.get(parameter.name);
    const chosen = below === undefined || hasSource(parameter) ? parameter : below;
    const allowed = parameter.enum ?? below?.enum;
    entries.set(parameter.name, { ...chosen, ...(allowed !== undefined && { enum: allowed }) });
  }
  return structuredClone([...entries.values()]);
}

function hasSource(parameter: Parameter): boolean {
  return parameter.value !== undefined || parameter.default !== undefined || parameter.valueFrom !== undefined;
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isListOfObjects(value: unknown): value is Json[] {
  return Array.isArray(value) && value.every(isObject);
}
