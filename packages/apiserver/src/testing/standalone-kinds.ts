import { type KindDefinition, s } from '@arc/apimachinery';
import { testKinds } from './kinds.ts';

const rbac = { group: 'rbac.authorization.k8s.io', version: 'v1' } as const;

function kind(kindName: string, plural: string, scope: KindDefinition['scope'], schema: KindDefinition['schema']): KindDefinition {
  const names = { plural, singular: plural.slice(0, -1) };
  return {
    ...rbac,
    kind: kindName,
    names,
    scope,
    description: `${kindName} is for tests.`,
    schema,
    strategy: { nameRule: 'path-segment' },
  };
}

const role = s.object({ rules: s.optional(s.array(s.freeForm())), aggregationRule: s.optional(s.freeForm()) });
const binding = s.object({ subjects: s.optional(s.array(s.freeForm())), roleRef: s.freeForm() });
const question = s.object({ spec: s.freeForm(), status: s.optional(s.freeForm()) });
const asked = { version: 'v1', scope: 'Cluster', verbs: ['create'], schema: question, description: 'A question.' } as const;

/** The smallest forms of the kinds by which a server evaluates RBAC and knows tokens. */
export const standaloneTestKinds: readonly KindDefinition[] = [
  ...testKinds,
  kind('Role', 'roles', 'Namespaced', role),
  kind('ClusterRole', 'clusterroles', 'Cluster', role),
  kind('RoleBinding', 'rolebindings', 'Namespaced', binding),
  kind('ClusterRoleBinding', 'clusterrolebindings', 'Cluster', binding),
  {
    group: '',
    version: 'v1',
    kind: 'Secret',
    names: { plural: 'secrets', singular: 'secret' },
    scope: 'Namespaced',
    description: 'Secret is for tests.',
    schema: s.object({ type: s.optional(s.string()), data: s.optional(s.map(s.string())) }),
    strategy: { allowUnconditionalUpdate: true },
  },
  {
    ...asked,
    group: 'authorization.k8s.io',
    kind: 'SubjectAccessReview',
    names: { plural: 'subjectaccessreviews', singular: 'subjectaccessreview' },
  },
  {
    ...asked,
    group: 'authorization.k8s.io',
    kind: 'LocalSubjectAccessReview',
    scope: 'Namespaced',
    names: { plural: 'localsubjectaccessreviews', singular: 'localsubjectaccessreview' },
  },
  { ...asked, group: 'authentication.k8s.io', kind: 'TokenReview', names: { plural: 'tokenreviews', singular: 'tokenreview' } },
];
