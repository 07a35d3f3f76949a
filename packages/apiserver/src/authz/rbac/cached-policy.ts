import { isObject, type JsonObject } from '@arc/apimachinery';
import type { CachedObject } from '@arc/storage';
import type { CacheLookup } from '../../registry/cache-lookup.ts';
import { parseBytes } from '../../representation/object-view.ts';
import type { Binding, Policy, RoleRef } from './policy.ts';
import type { PolicyRule } from './rule.ts';
import type { Subject } from './subject.ts';

export const rbacGroup = 'rbac.authorization.k8s.io';

/** True when a server serves the RBAC kinds, and so evaluates them. */
export function servesRbac(cacheOf: CacheLookup): boolean {
  return ['roles', 'clusterroles', 'rolebindings', 'clusterrolebindings'].every((plural) => cacheOf(rbacGroup, plural) !== undefined);
}

/** Reads roles and bindings from the watch cache; each object is parsed once per revision. */
export function cachedPolicy(cacheOf: CacheLookup): Policy {
  const [roles, clusterRoles] = [cacheOf(rbacGroup, 'roles'), cacheOf(rbacGroup, 'clusterroles')];
  const [roleBindings, clusterRoleBindings] = [cacheOf(rbacGroup, 'rolebindings'), cacheOf(rbacGroup, 'clusterrolebindings')];
  return {
    clusterRoleBindings: () => (clusterRoleBindings?.list().objects ?? []).map(bindingOf),
    roleBindings: (namespace) => (roleBindings?.list({ namespace }).objects ?? []).map(bindingOf),
    rulesOf: ({ kind, name }, namespace) => {
      const place = { namespace: kind === 'ClusterRole' ? '' : namespace, name };
      const cache = kind === 'ClusterRole' ? clusterRoles : roles;
      // A role that cannot be read grants nothing, and keeps nobody from what other roles grant.
      if (cache === undefined || cache.undecodable(place).length > 0) return undefined;
      const found = cache.get(place.namespace, name);
      return found === undefined ? undefined : rulesIn(found);
    },
  };
}

const bindings = new WeakMap<CachedObject, Binding>();
const rules = new WeakMap<CachedObject, readonly PolicyRule[]>();

function bindingOf(cached: CachedObject): Binding {
  const known = bindings.get(cached);
  if (known !== undefined) return known;
  const { namespace, name } = cached;
  const binding = { namespace, name, ...bindingFields(parseBytes(cached.bytes) as unknown as JsonObject) };
  bindings.set(cached, binding);
  return binding;
}

/** What a binding says, whose shape the kind's schema has checked. */
export function bindingFields(object: JsonObject): { readonly subjects: readonly Subject[]; readonly roleRef: RoleRef } {
  const { subjects, roleRef } = object;
  return {
    subjects: Array.isArray(subjects) ? (subjects as Subject[]) : [],
    roleRef: isObject(roleRef) ? (roleRef as unknown as RoleRef) : { kind: '', name: '' },
  };
}

function rulesIn(cached: CachedObject): readonly PolicyRule[] {
  const known = rules.get(cached);
  if (known !== undefined) return known;
  const parsed = ruleFields(parseBytes(cached.bytes) as unknown as JsonObject);
  rules.set(cached, parsed);
  return parsed;
}

/** The rules of a role, whose shape the kind's schema has checked. */
export function ruleFields(object: JsonObject): readonly PolicyRule[] {
  return Array.isArray(object['rules']) ? (object['rules'] as PolicyRule[]) : [];
}
