import type { UserInfo } from '../../authn/user.ts';
import type { Attributes, Authorization } from '../authorizer.ts';
import { type PolicyRule, ruleAllows } from './rule.ts';
import { printSubject, type Subject } from './subject.ts';

export interface RoleRef {
  readonly kind: string;
  readonly name: string;
}

export interface Binding {
  /** Empty for a ClusterRoleBinding. */
  readonly namespace: string;
  readonly name: string;
  readonly subjects: readonly Subject[];
  readonly roleRef: RoleRef;
}

/** A binding and the first of its subjects that is a certain user. */
export interface Naming {
  readonly binding: Binding;
  readonly subject: Subject;
}

/** The roles and bindings of a server at one moment. */
export interface Policy {
  /** What binds a user: ClusterRoleBindings, then RoleBindings of the namespace unless it is empty, each in order of their names. */
  bindingsOf(user: UserInfo, namespace: string): Iterable<Naming>;
  /** The rules of a role; undefined when there is none of that name. `namespace` is that of a Role. */
  rulesOf(ref: RoleRef, namespace: string): readonly PolicyRule[] | undefined;
}

export interface Decision extends Authorization {
  readonly decision: 'allow' | 'noOpinion';
}

/**
 * Evaluates RBAC (wire contract 6.3): what some rule of some role bound to the user allows is allowed; nothing is ever
 * denied by it. ClusterRoleBindings count everywhere, RoleBindings for requests in their namespace.
 */
export function decide(policy: Policy, attributes: Attributes, user: UserInfo): Decision {
  const missing: string[] = [];
  for (const { binding, subject, rules } of grants(policy, user, attributes.resourceRequest ? attributes.namespace : '')) {
    if (rules === undefined) missing.push(roleNotFound(binding.roleRef));
    else if (rules.some((rule) => ruleAllows(rule, attributes))) return { decision: 'allow', reason: reasonOf(binding, subject) };
  }
  return { decision: 'noOpinion', reason: missing.length === 0 ? '' : `RBAC: ${joined(missing)}` };
}

/** Every rule that applies to a user in a namespace, at the cluster scope when it is empty. */
export function rulesFor(policy: Policy, user: UserInfo, namespace: string): { rules: PolicyRule[]; incomplete: boolean } {
  const rules: PolicyRule[] = [];
  let incomplete = false;
  for (const grant of grants(policy, user, namespace)) {
    if (grant.rules === undefined) incomplete = true;
    else rules.push(...grant.rules);
  }
  return { rules, incomplete };
}

interface Grant extends Naming {
  /** Undefined when the role does not exist. */
  readonly rules: readonly PolicyRule[] | undefined;
}

function* grants(policy: Policy, user: UserInfo, namespace: string): Generator<Grant> {
  for (const naming of policy.bindingsOf(user, namespace)) {
    yield { ...naming, rules: policy.rulesOf(naming.binding.roleRef, naming.binding.namespace) };
  }
}

function reasonOf({ namespace, name, roleRef }: Binding, subject: Subject): string {
  const binding = namespace === '' ? `ClusterRoleBinding ${JSON.stringify(name)}` : `RoleBinding ${JSON.stringify(`${name}/${namespace}`)}`;
  return `RBAC: allowed by ${binding} of ${roleRef.kind} ${JSON.stringify(roleRef.name)} to ${printSubject(subject)}`;
}

function roleNotFound({ kind, name }: RoleRef): string {
  return `${kind.toLowerCase()}.rbac.authorization.k8s.io ${JSON.stringify(name)} not found`;
}

function joined(messages: readonly string[]): string {
  const distinct = [...new Set(messages)];
  return distinct.length === 1 ? distinct.join('') : `[${distinct.join(', ')}]`;
}
