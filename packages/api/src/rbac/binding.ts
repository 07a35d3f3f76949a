import { childPath, deepEqual, fieldError, indexPath, nameProblems, s } from '@arc/apimachinery';
import type { ColumnDefinition, FieldError, KubeObject, Static, Strategy } from '@arc/apimachinery';
import { ageColumn } from '../core/columns.ts';
import { rbacGroup } from './group.ts';

const subject = s.object(
  {
    kind: s.string({ description: 'User, Group or ServiceAccount.' }),
    apiGroup: s.optional(s.string({ description: 'Default: "" for a ServiceAccount, rbac.authorization.k8s.io for the others.' })),
    name: s.string({ description: 'Name of the user, group or account.' }),
    namespace: s.optional(s.string({ description: 'Namespace of a ServiceAccount.' })),
  },
  { 'x-kubernetes-map-type': 'atomic' },
);

type Subject = Static<typeof subject>;

export const bindingSchema = s.object({
  subjects: s.optional(s.array(subject, { description: 'Who gets the role.', 'x-kubernetes-list-type': 'atomic' })),
  roleRef: s.object(
    {
      apiGroup: s.optional(s.string({ description: 'rbac.authorization.k8s.io.' })),
      kind: s.string({ description: 'Role or ClusterRole.' }),
      name: s.string({ description: 'Name of the role.' }),
    },
    { description: 'The role that is given. Cannot be changed.', 'x-kubernetes-map-type': 'atomic' },
  ),
});

interface Binding extends KubeObject, Static<typeof bindingSchema> {}

/** The rules of RoleBindings and ClusterRoleBindings. */
export function bindingStrategy(scope: 'Namespaced' | 'Cluster'): Strategy<Binding> {
  const roleKinds = scope === 'Namespaced' ? ['Role', 'ClusterRole'] : ['ClusterRole'];
  return {
    nameRule: 'path-segment',
    allowUnconditionalUpdate: true,
    prepareForCreate: fillInGroups,
    prepareForUpdate: fillInGroups,
    validate: ({ roleRef, subjects = [] }) => [
      ...roleRefErrors(roleRef, roleKinds),
      ...subjects.flatMap((each, index) => subjectErrors(each, indexPath('subjects', index), scope)),
    ],
    validateUpdate: (binding, old) =>
      deepEqual(binding.roleRef, old.roleRef) ? [] : [fieldError.invalid('roleRef', binding.roleRef, 'cannot change roleRef')],
  };
}

function fillInGroups({ roleRef, subjects = [] }: Binding): void {
  roleRef.apiGroup ||= rbacGroup;
  for (const each of subjects) {
    if (each.kind === 'User' || each.kind === 'Group') each.apiGroup ||= rbacGroup;
  }
}

function roleRefErrors({ apiGroup, kind, name }: Binding['roleRef'], kinds: readonly string[]): FieldError[] {
  const errors: FieldError[] = [];
  if (apiGroup !== rbacGroup) errors.push(fieldError.notSupported('roleRef.apiGroup', apiGroup ?? '', [rbacGroup]));
  if (!kinds.includes(kind)) errors.push(fieldError.notSupported('roleRef.kind', kind, kinds));
  if (name === '') errors.push(fieldError.required('roleRef.name'));
  else errors.push(...nameProblems(name, 'path-segment').map((problem) => fieldError.invalid('roleRef.name', name, problem)));
  return errors;
}

function subjectErrors(
  { kind, apiGroup = '', name, namespace = '' }: Subject,
  path: string,
  scope: 'Namespaced' | 'Cluster',
): FieldError[] {
  const errors: FieldError[] = [];
  if (name === '') errors.push(fieldError.required(childPath(path, 'name')));
  switch (kind) {
    case 'ServiceAccount':
      if (name !== '') {
        const problems = nameProblems(name, 'dns1123subdomain');
        errors.push(...problems.map((problem) => fieldError.invalid(childPath(path, 'name'), name, problem)));
      }
      if (apiGroup !== '') errors.push(fieldError.notSupported(childPath(path, 'apiGroup'), apiGroup, ['']));
      if (namespace === '' && scope === 'Cluster') errors.push(fieldError.required(childPath(path, 'namespace')));
      return errors;
    case 'User':
    case 'Group':
      if (apiGroup !== rbacGroup) errors.push(fieldError.notSupported(childPath(path, 'apiGroup'), apiGroup, [rbacGroup]));
      return errors;
    default:
      return [...errors, fieldError.notSupported(childPath(path, 'kind'), kind, ['ServiceAccount', 'User', 'Group'])];
  }
}

export const bindingColumns: readonly ColumnDefinition<Binding>[] = [
  { name: 'Role', type: 'string', description: 'The role that is given.', value: ({ roleRef }) => `${roleRef.kind}/${roleRef.name}` },
  ageColumn,
  ...(['User', 'Group', 'ServiceAccount'] as const).map((kind): ColumnDefinition<Binding> => ({
    name: `${kind}s`,
    type: 'string',
    description: `Each ${kind} that gets the role.`,
    priority: 1,
    value: ({ subjects = [], metadata }) =>
      subjects
        .filter((each) => each.kind === kind)
        .map(({ name, namespace }) => (kind === 'ServiceAccount' ? `${namespace ?? metadata.namespace ?? ''}/${name}` : name))
        .join(', '),
  })),
];
