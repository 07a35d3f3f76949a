import type { Arguments, Container, RetryStrategy, Template, Volume, WorkflowSpec } from '@arc/api/argo';
import { tagsIn } from '../templating/simple-tags.ts';
import { reachableTemplates } from './reachable.ts';
import {
  argumentsSupport,
  containerSupport,
  envSourceSupport,
  envSupport,
  fieldPaths,
  outputParameterSupport,
  outputSourceSupport,
  projectedSupport,
  retrySupport,
  specSupport,
  stepSupport,
  templateSupport,
  volumeMountSupport,
  volumeSupport,
} from './support-tables.ts';
import type { SupportTable } from './support-tables.ts';

/** One field of a Workflow and what is the matter with it. */
export interface Finding {
  /** Absent for fields of the Workflow's spec. */
  readonly template?: string;
  readonly field: string;
  readonly reason: string;
}

/** What the engine makes of a Workflow before it runs anything. */
export interface CapabilityReport {
  /** Any entry here means that no step may run. */
  readonly refused: readonly Finding[];
  /** Accepted fields that have no effect. */
  readonly ignored: readonly Finding[];
}

interface Collector {
  readonly refused: Finding[];
  readonly ignored: Finding[];
}

/** Looks at everything the entrypoint can reach. `spec` is the merged spec of the Workflow. */
export function checkWorkflow(spec: WorkflowSpec): CapabilityReport {
  const findings: Collector = { refused: [], ignored: [] };
  checkFields(findings, specSupport, spec, '');
  checkArguments(findings, spec.arguments, 'arguments');
  checkRetry(findings, spec.retryStrategy, 'retryStrategy');
  checkVolumes(findings, spec.volumes, 'volumes');
  checkExpressions(findings, { ...spec, templates: undefined }, 'spec');
  if (spec.workflowMetadata?.labelsFrom !== undefined) {
    refuse(findings, 'workflowMetadata.labelsFrom', 'expressions are not supported by the embedded engine');
  }
  const { templates, missing } = reachableTemplates(spec);
  for (const entry of missing) refuse(findings, entry.field, `template ${JSON.stringify(entry.name)} is not defined`, entry.template);
  for (const template of templates) checkTemplate(findings, template, spec);
  return findings;
}

function checkTemplate(findings: Collector, template: Template, spec: WorkflowSpec): void {
  const at = template.name;
  checkFields(findings, templateSupport, template, '', at);
  checkArguments(findings, template.inputs, 'inputs', at);
  checkOutputs(findings, template.outputs, at);
  checkRetry(findings, template.retryStrategy, 'retryStrategy', at);
  checkVolumes(findings, template.volumes, 'volumes', at);
  checkExpressions(findings, template, 'template', at);
  const kinds = [template.steps, template.script, template.container, template.suspend].filter((kind) => kind !== undefined);
  const refusedKind = findings.refused.some((finding) => finding.template === at && isTemplateType(finding.field));
  if (kinds.length === 0 && !refusedKind) refuse(findings, 'steps', 'the template has none of steps, script, container, suspend', at);
  if (kinds.length > 1) refuse(findings, 'steps', 'a template is exactly one of steps, script, container, suspend', at);
  checkSteps(findings, template);
  const container = template.script ?? template.container;
  if (container !== undefined) checkContainer(findings, container, template, spec);
}

const templateTypes = new Set(['dag', 'containerSet', 'data', 'http', 'plugin', 'resource']);

function isTemplateType(field: string): boolean {
  return templateTypes.has(field);
}

function checkSteps(findings: Collector, template: Template): void {
  const names = new Set<string>();
  for (const [group, steps] of (template.steps ?? []).entries()) {
    for (const [index, step] of steps.entries()) {
      const field = `steps[${group}][${index}]`;
      checkFields(findings, stepSupport, step, field, template.name);
      checkArguments(findings, step.arguments, `${field}.arguments`, template.name);
      for (const parameter of step.arguments?.parameters ?? []) {
        if (parameter.valueFrom === undefined) continue;
        refuse(
          findings,
          `${field}.arguments.parameters[${parameter.name}].valueFrom`,
          'pass the value itself, for example a tag',
          template.name,
        );
      }
      if (names.has(step.name)) refuse(findings, `${field}.name`, `the name ${JSON.stringify(step.name)} is not unique`, template.name);
      names.add(step.name);
    }
  }
}

function checkContainer(findings: Collector, container: Container, template: Template, spec: WorkflowSpec): void {
  const field = template.script === undefined ? 'container' : 'script';
  checkFields(findings, containerSupport, container, field, template.name);
  const security = container['securityContext'];
  if (isRecord(security) && security['privileged'] === true) {
    refuse(findings, `${field}.securityContext.privileged`, 'a step must not be privileged', template.name);
  }
  const volumes = new Set([
    ...(spec.volumes ?? []).map((volume) => volume.name),
    ...(template.volumes ?? []).map((volume) => volume.name),
    ...(spec.volumeClaimTemplates ?? []).map((claim) => claim.metadata?.name ?? ''),
  ]);
  for (const [index, mount] of (container.volumeMounts ?? []).entries()) {
    const at = `${field}.volumeMounts[${index}]`;
    checkFields(findings, volumeMountSupport, mount, at, template.name);
    if (!volumes.has(mount.name)) refuse(findings, `${at}.name`, `volume ${JSON.stringify(mount.name)} is not defined`, template.name);
    if (!mount.mountPath.startsWith('/')) refuse(findings, `${at}.mountPath`, 'the path must be absolute', template.name);
    if (escapes(mount.mountPath) || escapes(mount.subPath)) refuse(findings, at, 'a path must not contain ".."', template.name);
  }
  for (const [index, variable] of (container.env ?? []).entries()) {
    const at = `${field}.env[${index}]`;
    checkFields(findings, envSupport, variable, at, template.name);
    checkFields(findings, envSourceSupport, variable.valueFrom, `${at}.valueFrom`, template.name);
    const path = variable.valueFrom?.fieldRef?.fieldPath;
    if (path !== undefined && !fieldPaths.test(path)) {
      refuse(findings, `${at}.valueFrom.fieldRef.fieldPath`, `${JSON.stringify(path)} has no value for a process`, template.name);
    }
  }
}

function checkVolumes(findings: Collector, volumes: readonly Volume[] | undefined, field: string, template?: string): void {
  for (const [index, volume] of (volumes ?? []).entries()) {
    checkFields(findings, volumeSupport, volume, `${field}[${index}]`, template);
    for (const [part, source] of (volume.projected?.sources ?? []).entries()) {
      checkFields(findings, projectedSupport, source, `${field}[${index}].projected.sources[${part}]`, template);
    }
  }
}

function checkArguments(findings: Collector, args: Arguments | undefined, field: string, template?: string): void {
  checkFields(findings, argumentsSupport, args, field, template);
}

function checkOutputs(findings: Collector, outputs: Arguments | undefined, template: string): void {
  checkFields(findings, argumentsSupport, outputs, 'outputs', template);
  for (const [index, parameter] of (outputs?.parameters ?? []).entries()) {
    const field = `outputs.parameters[${index}]`;
    checkFields(findings, outputParameterSupport, parameter, field, template);
    checkFields(findings, outputSourceSupport, parameter.valueFrom, `${field}.valueFrom`, template);
  }
}

function checkRetry(findings: Collector, strategy: RetryStrategy | undefined, field: string, template?: string): void {
  checkFields(findings, retrySupport, strategy, field, template);
}

function checkExpressions(findings: Collector, value: unknown, field: string, template?: string): void {
  const expression = tagsIn(value).find((tag) => tag.startsWith('='));
  if (expression === undefined) return;
  refuse(findings, field, `expression tags are not supported by the embedded engine: {{${expression}}}`, template);
}

function checkFields(findings: Collector, table: SupportTable, value: object | undefined, prefix: string, template?: string): void {
  for (const [name, content] of Object.entries(value ?? {})) {
    if (isAbsent(content)) continue;
    const field = prefix === '' ? name : `${prefix}.${name}`;
    const support = Object.hasOwn(table, name) ? table[name] : undefined;
    if (support === undefined) refuse(findings, field, 'the field is not known', template);
    else if (support.tier === 'refused') refuse(findings, field, support.reason, template);
    else if (support.tier === 'ignored')
      findings.ignored.push({ ...(template !== undefined && { template }), field, reason: support.effect });
  }
}

/** Argo's own tools write empty fields; they ask for nothing. `emptyDir: {}` and `suspend: {}` are supported and stay. */
function isAbsent(content: unknown): boolean {
  if (content === undefined || content === null || content === false || content === '') return true;
  if (Array.isArray(content)) return content.length === 0;
  return isRecord(content) && Object.keys(content).length === 0;
}

function refuse(findings: Collector, field: string, reason: string, template?: string): void {
  findings.refused.push({ ...(template !== undefined && { template }), field, reason });
}

function escapes(path: string | undefined): boolean {
  return path !== undefined && path.split('/').includes('..');
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
