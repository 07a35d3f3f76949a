import type { Workflow } from '@arc/api/argo';

const parameterTag = /^\{\{\s*workflow\.parameters\.([\w-]+)\s*\}\}$/;

/**
 * The Secrets a Workflow and its template, as Argo has merged it, give to steps: as volumes or variables, by name or by the name of a
 * parameter. Those whose name is only known while steps run are not among them.
 */
export function secretNamesOf({ spec, status }: Workflow): ReadonlySet<string> {
  const values = new Map((spec.arguments?.parameters ?? []).map(({ name, value }) => [name, value]));
  const names = new Set<string>();
  const add = (name: unknown): void => {
    if (typeof name !== 'string') return;
    const parameter = parameterTag.exec(name)?.[1];
    const resolved = parameter === undefined ? name : values.get(parameter);
    if (typeof resolved === 'string' && resolved !== '' && !resolved.includes('{{')) names.add(resolved);
  };
  const walk = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return;
    for (const [key, content] of Object.entries(value)) {
      if (key === 'secretName') add(content);
      // `secret` is one of the sources of a projected volume then.
      if (key === 'secretKeyRef' || key === 'secretRef' || key === 'secret') add((content as { readonly name?: unknown } | null)?.name);
      walk(content);
    }
  };
  for (const part of [spec, status?.storedWorkflowTemplateSpec, status?.storedTemplates]) walk(part);
  return names;
}
