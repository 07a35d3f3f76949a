import type { PolicyRule } from './policy-rule.ts';

/** One thing that a rule allows, as reviews ask about it. */
export interface ResourceAttributes {
  readonly group: string;
  readonly resource: string;
  readonly verb: string;
  readonly subresource?: string;
  readonly namespace?: string;
}

/** Everything that rules about resources allow, each by itself. @param namespace of all of them; absent: all namespaces */
export function resourceAttributesOf(rules: readonly PolicyRule[], namespace?: string): readonly ResourceAttributes[] {
  return rules.flatMap(({ apiGroups = [], resources = [], verbs }) =>
    apiGroups.flatMap((group) =>
      resources.flatMap((path) => {
        const [resource = '', subresource] = path.split('/');
        return verbs.map((verb) => ({
          ...{ group, resource, verb },
          ...(subresource !== undefined && { subresource }),
          ...(namespace !== undefined && { namespace }),
        }));
      }),
    ),
  );
}

/** `patch orders.arc.opendefense.cloud/status in all namespaces` */
export function describeAccess({ group, resource, subresource, verb, namespace }: ResourceAttributes): string {
  const kind = `${resource}${group === '' ? '' : `.${group}`}${subresource === undefined ? '' : `/${subresource}`}`;
  return `${verb} ${kind}${namespace === undefined ? ' in all namespaces' : ` in ${namespace}`}`;
}
