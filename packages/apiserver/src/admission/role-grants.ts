import { deepEqual, failure, isObject, type JsonObject, statusError, type UnstructuredObject } from '@arc/apimachinery';
import { systemMasters } from '../authn/user.ts';
import { bindingFields, rbacGroup, ruleFields } from '../authz/rbac/cached-policy.ts';
import type { RoleRef } from '../authz/rbac/policy.ts';
import { missingRules, type PolicyRule, printRules, printTexts, rulesOf } from '../authz/rbac/rule.ts';
import type { ServedResource } from '../registry/served-resource.ts';
import { parseBytes } from '../representation/object-view.ts';
import type { RequestContext, ServerContext } from '../server-context.ts';

export interface RoleWrite {
  readonly object: UnstructuredObject;
  /** Undefined for a creation. */
  readonly old: UnstructuredObject | undefined;
}

const everything: readonly PolicyRule[] = [
  { verbs: ['*'], apiGroups: ['*'], resources: ['*'] },
  { verbs: ['*'], nonResourceURLs: ['*'] },
];

/**
 * Nobody gives rights they do not have (Kubernetes, "Privilege escalation prevention and bootstrapping"): writing a role
 * needs its rules or the verb `escalate` on it, writing a binding the rules of its role or the verb `bind` on that.
 * @throws ApiStatusError 403, or 404 when a role that is bound does not exist.
 */
export async function admitRoleGrant(
  server: ServerContext,
  resource: ServedResource,
  request: RequestContext,
  { object, old }: RoleWrite,
): Promise<void> {
  if (resource.type.group !== rbacGroup || request.user.groups.includes(systemMasters)) return;
  if (old !== undefined && deepEqual(withoutLifecycle(object), withoutLifecycle(old))) return;
  const grant: Grant = { server, resource, request, name: object.metadata.name ?? '', namespace: object.metadata.namespace ?? '' };
  if (resource.type.plural.endsWith('bindings')) await admitBinding(grant, bindingFields(object).roleRef);
  else await admitRole(grant, object, old);
}

interface Grant {
  readonly server: ServerContext;
  readonly resource: ServedResource;
  readonly request: RequestContext;
  readonly name: string;
  /** Empty at the cluster scope. */
  readonly namespace: string;
}

async function admitRole(grant: Grant, role: UnstructuredObject, old: UnstructuredObject | undefined): Promise<void> {
  if (await may(grant, 'escalate', grant.resource.type.plural, grant.name)) return;
  if (isAggregated(role) || (old !== undefined && isAggregated(old))) {
    await assertHeld(grant, everything, 'must have cluster-admin privileges to use the aggregationRule: ');
  }
  await assertHeld(grant, ruleFields(role));
}

async function admitBinding(grant: Grant, roleRef: RoleRef): Promise<void> {
  const plural = roleRef.kind === 'ClusterRole' ? 'clusterroles' : 'roles';
  if (await may(grant, 'bind', plural, roleRef.name)) return;
  const cache = grant.server.registry.find(rbacGroup, 'v1', plural)?.cache;
  const role = cache?.get(plural === 'roles' ? grant.namespace : '', roleRef.name);
  if (role === undefined) throw statusError.notFound({ group: rbacGroup, plural }, roleRef.name);
  await assertHeld(grant, ruleFields(parseBytes(role.bytes) as unknown as JsonObject));
}

async function may({ server, request, namespace }: Grant, verb: string, resource: string, name: string): Promise<boolean> {
  const attributes = { resourceRequest: true, verb, namespace, group: rbacGroup, version: 'v1', resource, subresource: '', name, path: '' };
  return (await server.authorizer.authorize(attributes, request.user, request.signal)).decision === 'allow';
}

async function assertHeld(grant: Grant, rules: readonly PolicyRule[], prefix = ''): Promise<void> {
  const { server, request, resource, namespace, name } = grant;
  const held = await server.authorizer.rulesFor(request.user, namespace, request.signal);
  const missing = missingRules(rulesOf(held), rules);
  if (missing.length === 0) return;
  const { user } = request;
  const who = `user ${JSON.stringify(user.name)} (groups=${printTexts(user.groups)})`;
  const why = `${prefix}${who} is attempting to grant RBAC permissions not currently held:\n${printRules(missing)}`;
  const { plural, group } = resource.type;
  throw failure(403, 'Forbidden', `${plural}.${group} ${JSON.stringify(name)} is forbidden: ${why}`, { name, group, kind: plural });
}

function isAggregated(role: UnstructuredObject): boolean {
  return isObject(role['aggregationRule']);
}

/** What the garbage collector changes on its way to deleting an object gives nobody a right. */
function withoutLifecycle(object: UnstructuredObject): unknown {
  const {
    ownerReferences: _owners,
    finalizers: _finalizers,
    managedFields: _managed,
    resourceVersion: _revision,
    ...metadata
  } = object.metadata;
  return { ...object, metadata };
}
