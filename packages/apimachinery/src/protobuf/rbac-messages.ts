import { list, map, message, present, string } from './descriptor.ts';
import { objectMeta, selectorRequirement } from './meta-messages.ts';

/* Field numbers of k8s.io/api/rbac/v1. */

const rules = list(
  message({
    1: ['verbs', list(string)],
    2: ['apiGroups', list(string)],
    3: ['resources', list(string)],
    4: ['resourceNames', list(string)],
    5: ['nonResourceURLs', list(string)],
  }),
);

const subjects = list(
  message({ 1: ['kind', present(string)], 2: ['apiGroup', string], 3: ['name', present(string)], 4: ['namespace', string] }),
);

const roleRef = message({ 1: ['apiGroup', present(string)], 2: ['kind', present(string)], 3: ['name', present(string)] });

const labelSelector = message({ 1: ['matchLabels', map(string)], 2: ['matchExpressions', list(selectorRequirement)] });

export const role = message({ 1: ['metadata', objectMeta], 2: ['rules', rules] });

export const clusterRole = message({
  1: ['metadata', objectMeta],
  2: ['rules', rules],
  3: ['aggregationRule', message({ 1: ['clusterRoleSelectors', list(labelSelector)] })],
});

/** RoleBindings and ClusterRoleBindings. */
export const binding = message({ 1: ['metadata', objectMeta], 2: ['subjects', subjects], 3: ['roleRef', roleRef] });
