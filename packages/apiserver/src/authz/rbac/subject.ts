import type { UserInfo } from '../../authn/user.ts';

/** Whom a binding speaks of, as it is stored. */
export interface Subject {
  readonly kind: string;
  readonly name: string;
  readonly namespace?: string;
}

/** @param bindingNamespace of a RoleBinding; accounts without a namespace lie in it. Empty for ClusterRoleBindings. */
export function subjectIs({ kind, name, namespace = '' }: Subject, user: UserInfo, bindingNamespace: string): boolean {
  switch (kind) {
    case 'User':
      return user.name === name;
    case 'Group':
      return user.groups.includes(name);
    case 'ServiceAccount': {
      const home = namespace === '' ? bindingNamespace : namespace;
      return home !== '' && user.name === `system:serviceaccount:${home}:${name}`;
    }
    default:
      return false;
  }
}

/** As the reason of a decision names it. */
export function printSubject({ kind, name, namespace = '' }: Subject): string {
  return kind === 'ServiceAccount' ? `${kind} "${name}/${namespace}"` : `${kind} ${JSON.stringify(name)}`;
}
