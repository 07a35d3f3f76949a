import { childPath, fieldError, indexPath, s } from '@arc/apimachinery';
import type { FieldError, Static } from '@arc/apimachinery';

const names = (description: string) => s.array(s.string(), { description, 'x-kubernetes-list-type': 'atomic' });

const policyRule = s.object({
  verbs: names('What may be done: get, list, watch, create, update, patch, delete, deletecollection, ...; "*" is everything.'),
  apiGroups: s.optional(names('Groups of the resources; "" is the core group, "*" all.')),
  resources: s.optional(names('Plurals, with subresources as pods/log; "*" is all, "*/log" the subresource of all.')),
  resourceNames: s.optional(names('Only these objects; empty is all. Does not restrict create.')),
  nonResourceURLs: s.optional(names('Paths that are no resources; may end in "*". Only in ClusterRoles.')),
});

export type PolicyRule = Static<typeof policyRule>;

export const policyRules = s.optional(s.array(policyRule, { description: 'What is allowed.', 'x-kubernetes-list-type': 'atomic' }));

/** @param namespaced whether the rules belong to a Role, which cannot speak of paths. */
export function policyRuleErrors(rules: readonly PolicyRule[] | undefined, namespaced: boolean): FieldError[] {
  return (rules ?? []).flatMap((rule, index) => errorsOf(rule, indexPath('rules', index), namespaced));
}

function errorsOf(rule: PolicyRule, path: string, namespaced: boolean): FieldError[] {
  const { verbs, apiGroups = [], resources = [], resourceNames = [], nonResourceURLs = [] } = rule;
  const errors: FieldError[] = [];
  if (verbs.length === 0) errors.push(fieldError.required(childPath(path, 'verbs'), 'verbs must contain at least one value'));
  if (nonResourceURLs.length > 0) {
    const field = childPath(path, 'nonResourceURLs');
    if (namespaced) errors.push(fieldError.invalid(field, nonResourceURLs, 'namespaced rules cannot apply to non-resource URLs'));
    if (apiGroups.length > 0 || resources.length > 0 || resourceNames.length > 0) {
      errors.push(fieldError.invalid(field, nonResourceURLs, 'rules cannot apply to both regular resources and non-resource URLs'));
    }
    return errors;
  }
  if (apiGroups.length === 0) {
    errors.push(fieldError.required(childPath(path, 'apiGroups'), 'resource rules must supply at least one api group'));
  }
  if (resources.length === 0) {
    errors.push(fieldError.required(childPath(path, 'resources'), 'resource rules must supply at least one resource'));
  }
  return errors;
}
