import type { Template, WorkflowSpec } from '@arc/api/argo';

/** A step, or the spec, that names a template which does not exist. */
export interface MissingTemplate {
  readonly name: string;
  readonly field: string;
  readonly template?: string;
}

/** The templates the entrypoint can lead to, in order of discovery. Names that hold tags cannot be followed. */
export function reachableTemplates(spec: WorkflowSpec): {
  readonly templates: readonly Template[];
  readonly missing: readonly MissingTemplate[];
} {
  const byName = new Map((spec.templates ?? []).map((template) => [template.name, template]));
  const found = new Map<string, Template>();
  const missing: MissingTemplate[] = [];
  const visit = (name: string | undefined, field: string, template?: string): void => {
    if (name === undefined || name.includes('{{') || found.has(name)) return;
    const next = byName.get(name);
    if (next === undefined) {
      missing.push({ name, field, ...(template !== undefined && { template }) });
      return;
    }
    found.set(name, next);
    for (const [group, steps] of (next.steps ?? []).entries()) {
      for (const [index, step] of steps.entries()) visit(step.template, `steps[${group}][${index}].template`, next.name);
    }
  };
  if (spec.entrypoint === undefined || spec.entrypoint === '') missing.push({ name: '', field: 'entrypoint' });
  else visit(spec.entrypoint, 'entrypoint');
  return { templates: [...found.values()], missing };
}
