import type { Arguments, Parameter } from '@arc/api/argo';
import { textOf } from './any-string.ts';
import { WorkflowError } from './workflow-error.ts';

/** A parameter whose value is settled. */
export interface ResolvedParameter {
  readonly name: string;
  readonly value: string;
}

/**
 * The values a template's inputs have for a call with `args`: a passed value replaces the template's own, which is its
 * `value` or else its `default` (1.3). Arguments the template does not declare are ignored.
 *
 * @throws WorkflowError naming the input that has no value
 */
export function resolveInputs(inputs: Arguments | undefined, args: Arguments | undefined): readonly ResolvedParameter[] {
  const passed = new Map((args?.parameters ?? []).map((parameter) => [parameter.name, textOf(parameter.value)]));
  return (inputs?.parameters ?? []).map((input) => {
    const value = passed.get(input.name) ?? ownValue(input);
    if (value === undefined) {
      throw new WorkflowError('MissingInput', `inputs.parameters.${input.name} had no value`);
    }
    return { name: input.name, value };
  });
}

/**
 * The values of the Workflow's own arguments. Of two with one name the last wins (0.3).
 *
 * @throws WorkflowError naming the argument without a value or outside its enum
 */
export function resolveWorkflowArguments(args: Arguments | undefined): readonly ResolvedParameter[] {
  const values = new Map<string, string>();
  for (const parameter of args?.parameters ?? []) {
    const value = ownValue(parameter);
    const field = `spec.arguments.parameters[${parameter.name}]`;
    if (value === undefined) {
      throw new WorkflowError('MissingArgument', `${field}: value or valueFrom is required`);
    }
    checkEnum(parameter, value, field);
    values.set(parameter.name, value);
  }
  return [...values].map(([name, value]) => ({ name, value }));
}

function ownValue(parameter: Parameter): string | undefined {
  return textOf(parameter.value) ?? textOf(parameter.default) ?? textOf(parameter.valueFrom?.default);
}

function checkEnum(parameter: Parameter, value: string, field: string): void {
  if (parameter.enum === undefined) return;
  const allowed = parameter.enum.map(String);
  if (allowed.length === 0) throw new WorkflowError('InvalidArgument', `${field}: enum must not be empty`);
  if (!allowed.includes(value)) {
    throw new WorkflowError('InvalidArgument', `${field}: value ${JSON.stringify(value)} must be one of ${allowed.join(', ')}`);
  }
}
