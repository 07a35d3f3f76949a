import type { Container, EnvVar } from '@arc/api/argo';
import { textOf } from '../model/any-string.ts';
import { WorkflowError } from '../model/workflow-error.ts';
import { MissingReferenceError } from './references.ts';
import type { KeyValues, References } from './references.ts';

/** What `fieldRef` can be asked for. */
export interface PodFields {
  readonly name: string;
  readonly namespace: string;
  readonly uid: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly nodeName: string;
  readonly serviceAccountName: string;
}

/**
 * The environment of a container: `envFrom` first, then `env`, where a value may use `$(NAME)` of what came before it.
 *
 * @throws MissingReferenceError for a Secret, ConfigMap or key that is not there and not optional
 */
export async function stepEnvironment(container: Container, fields: PodFields, references: References): Promise<Map<string, string>> {
  const env = new Map<string, string>();
  for (const { prefix = '', secretRef, configMapRef } of container.envFrom ?? []) {
    const values =
      secretRef === undefined
        ? required('configmap', configMapRef, await references.configMap(configMapRef?.name ?? ''))
        : required('secret', secretRef, await references.secret(secretRef.name));
    for (const [key, value] of values ?? []) env.set(`${prefix}${key}`, value.toString());
  }
  for (const variable of container.env ?? []) {
    const value = await valueOf(variable, fields, references, env);
    if (value !== undefined) env.set(variable.name, value);
  }
  return env;
}

/** Replaces `$(NAME)` by known variables; unknown ones stay, and `$$(NAME)` is the way to write one (Kubernetes). */
export function expandVariables(text: string, env: ReadonlyMap<string, string>): string {
  return text.replaceAll(/\$(\$|\(([^()]*)\))/g, (whole: string, rest: string, name: string | undefined) => {
    if (rest === '$') return '$';
    return env.get(name ?? '') ?? whole;
  });
}

async function valueOf(
  { value, valueFrom, name }: EnvVar,
  fields: PodFields,
  references: References,
  env: ReadonlyMap<string, string>,
): Promise<string | undefined> {
  if (valueFrom?.secretKeyRef !== undefined) {
    return keyOf('secret', valueFrom.secretKeyRef, await references.secret(valueFrom.secretKeyRef.name));
  }
  if (valueFrom?.configMapKeyRef !== undefined) {
    return keyOf('configmap', valueFrom.configMapKeyRef, await references.configMap(valueFrom.configMapKeyRef.name));
  }
  if (valueFrom?.fieldRef !== undefined) return fieldOf(fields, valueFrom.fieldRef.fieldPath, name);
  return expandVariables(textOf(value) ?? '', env);
}

interface Named {
  readonly name: string;
  readonly optional?: boolean;
}

function required(kind: string, reference: Named | undefined, values: KeyValues | undefined): KeyValues | undefined {
  if (values === undefined && reference?.optional !== true)
    throw new MissingReferenceError(`${kind} ${JSON.stringify(reference?.name)} not found`);
  return values;
}

function keyOf(kind: string, reference: Named & { readonly key: string }, values: KeyValues | undefined): string | undefined {
  const value = required(kind, reference, values)?.get(reference.key);
  if (value === undefined && reference.optional !== true) {
    throw new MissingReferenceError(`couldn't find key ${reference.key} in ${kind} ${JSON.stringify(reference.name)}`);
  }
  return value?.toString();
}

function fieldOf(fields: PodFields, path: string, variable: string): string {
  const entry = /^metadata\.(labels|annotations)\['([^']+)'\]$/.exec(path);
  if (entry !== null) return fields[entry[1] === 'labels' ? 'labels' : 'annotations'][entry[2] ?? ''] ?? '';
  switch (path) {
    case 'metadata.name':
      return fields.name;
    case 'metadata.namespace':
      return fields.namespace;
    case 'metadata.uid':
      return fields.uid;
    case 'spec.nodeName':
      return fields.nodeName;
    case 'spec.serviceAccountName':
      return fields.serviceAccountName;
    default:
      throw new WorkflowError('UnsupportedField', `env ${variable}: ${path} has no value for a process`);
  }
}
