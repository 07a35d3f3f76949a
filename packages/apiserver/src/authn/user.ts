/** Who makes a request, as Kubernetes sees users. */
export interface UserInfo {
  readonly name: string;
  readonly uid?: string;
  readonly groups: readonly string[];
  readonly extra?: Readonly<Record<string, readonly string[]>>;
}

export const systemMasters = 'system:masters';
export const systemAuthenticated = 'system:authenticated';

export const anonymous: UserInfo = { name: 'system:anonymous', groups: ['system:unauthenticated'] };

/** Adds `system:authenticated`, which every successful authentication carries (wire contract 6.1). */
export function authenticated(user: UserInfo): UserInfo {
  if (user.name === anonymous.name || user.groups.includes('system:unauthenticated')) return user;
  return user.groups.includes(systemAuthenticated) ? user : { ...user, groups: [...user.groups, systemAuthenticated] };
}
