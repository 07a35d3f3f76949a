import type { UserInfo } from '../../authn/user.ts';

/** Whom a binding speaks of, as it is stored. */
export interface Subject {
  readonly kind: string;
  readonly name: string;
  readonly namespace?: string;
}

/** Where a subject of a binding finds its users; two subjects with the same key are the same users. */
export type SubjectKey = string;

/**
 * @param bindingNamespace of a RoleBinding; accounts without a namespace lie in it. Empty for ClusterRoleBindings.
 * @returns undefined for a subject that is nobody.
 */
export function keyOfSubject({ kind, name, namespace = '' }: Subject, bindingNamespace: string): SubjectKey | undefined {
  switch (kind) {
    case 'User':
      return userKey(name);
    case 'Group':
      return groupKey(name);
    case 'ServiceAccount': {
      const home = namespace === '' ? bindingNamespace : namespace;
      return home === '' ? undefined : userKey(`system:serviceaccount:${home}:${name}`);
    }
    default:
      return undefined;
  }
}

/** Every subject that a user is. */
export function keysOfUser({ name, groups }: Pick<UserInfo, 'name' | 'groups'>): readonly SubjectKey[] {
  return [userKey(name), ...groups.map(groupKey)];
}

function userKey(name: string): SubjectKey {
  return `user ${name}`;
}

function groupKey(name: string): SubjectKey {
  return `group ${name}`;
}

/** As the reason of a decision names it. */
export function printSubject({ kind, name, namespace = '' }: Subject): string {
  return kind === 'ServiceAccount' ? `${kind} "${name}/${namespace}"` : `${kind} ${JSON.stringify(name)}`;
}
