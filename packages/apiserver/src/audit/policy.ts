import { isObject } from '@arc/apimachinery';
import { ArcError } from '@arc/kernel';
import type { UserInfo } from '../authn/user.ts';
import type { RequestInfo } from '../request/request-info.ts';

const levels = ['None', 'Metadata', 'Request', 'RequestResponse'] as const;
const stages = ['RequestReceived', 'ResponseStarted', 'ResponseComplete', 'Panic'] as const;

export type AuditLevel = (typeof levels)[number];
export type AuditStage = (typeof stages)[number];

export interface AuditDecision {
  readonly level: AuditLevel;
  readonly omitStages: ReadonlySet<AuditStage>;
}

/** Decides what is recorded of a request: `audit.k8s.io/v1 Policy` (wire contract 6.5). */
export interface AuditPolicy {
  decide(info: RequestInfo, user: UserInfo): AuditDecision;
}

/** Everything at level Metadata, once, when it is over. */
export const defaultAuditPolicy: AuditPolicy = parseAuditPolicy({
  apiVersion: 'audit.k8s.io/v1',
  kind: 'Policy',
  omitStages: ['RequestReceived'],
  rules: [{ level: 'Metadata' }],
});

interface ResourceRule {
  readonly group: string;
  readonly resources: readonly string[];
  readonly resourceNames: readonly string[];
}

interface Rule extends AuditDecision {
  readonly users: readonly string[];
  readonly userGroups: readonly string[];
  readonly verbs: readonly string[];
  readonly resources: readonly ResourceRule[];
  readonly namespaces: readonly string[];
  readonly nonResourceUrls: readonly string[];
}

/** Their bodies are credentials: a rule that does not name them records their metadata only. */
const confidential = new Set(['secrets', 'tokenreviews', 'serviceaccounts/token']);

/**
 * Reads an `audit.k8s.io/v1` Policy. The first rule that matches decides; without one nothing is recorded. Bodies of
 * Secrets and TokenReviews are recorded only by a rule that lists these resources by name.
 * @throws ArcError `InvalidAuditPolicy` saying which field is wrong.
 */
export function parseAuditPolicy(value: unknown): AuditPolicy {
  if (!isObject(value) || value['kind'] !== 'Policy' || value['apiVersion'] !== 'audit.k8s.io/v1') {
    throw invalid('it is not a Policy of audit.k8s.io/v1');
  }
  const everywhere = stagesOf(value['omitStages'], 'omitStages');
  const { rules } = value;
  if (!Array.isArray(rules) || rules.length === 0) throw invalid('rules must be a list with at least one rule');
  const parsed = rules.map((rule, index) => ruleOf(rule, `rules[${index}]`, everywhere));
  return {
    decide(info, user) {
      const rule = parsed.find((candidate) => matches(candidate, info, user));
      if (rule === undefined) return { level: 'None', omitStages: everywhere };
      const kept = confidential.has(resourceOf(info)) && !namesResource(rule, info) && rule.level !== 'None' ? 'Metadata' : rule.level;
      return { level: kept, omitStages: rule.omitStages };
    },
  };
}

function matches(rule: Rule, info: RequestInfo, user: UserInfo): boolean {
  if (rule.users.length > 0 && !rule.users.includes(user.name)) return false;
  if (rule.userGroups.length > 0 && !rule.userGroups.some((group) => user.groups.includes(group))) return false;
  if (rule.verbs.length > 0 && !rule.verbs.includes(info.verb) && !rule.verbs.includes('*')) return false;
  const forResources = rule.resources.length > 0 || rule.namespaces.length > 0;
  const forUrls = rule.nonResourceUrls.length > 0;
  if (!info.resourceRequest) {
    return forUrls ? rule.nonResourceUrls.some((pattern) => urlMatches(pattern, info.path)) : !forResources;
  }
  if (forUrls && !forResources) return false;
  if (rule.namespaces.length > 0 && !rule.namespaces.includes(info.namespace)) return false;
  return rule.resources.length === 0 || rule.resources.some((candidate) => resourceMatches(candidate, info));
}

function resourceMatches({ group, resources, resourceNames }: ResourceRule, info: RequestInfo): boolean {
  if (group !== info.group && group !== '*') return false;
  if (resourceNames.length > 0 && !resourceNames.includes(info.name)) return false;
  if (resources.length === 0) return true;
  const { resource, subresource } = info;
  return resources.some((pattern) => {
    if (pattern === '*' || pattern === resourceOf(info)) return true;
    return subresource !== '' && (pattern === `${resource}/*` || pattern === `*/${subresource}`);
  });
}

function namesResource(rule: Rule, info: RequestInfo): boolean {
  return rule.resources.some(({ resources }) => resources.includes(resourceOf(info)));
}

function resourceOf({ resource, subresource }: RequestInfo): string {
  return subresource === '' ? resource : `${resource}/${subresource}`;
}

function urlMatches(pattern: string, path: string): boolean {
  return pattern === '*' || (pattern.endsWith('*') ? path.startsWith(pattern.slice(0, -1)) : path === pattern);
}

function ruleOf(value: unknown, at: string, everywhere: ReadonlySet<AuditStage>): Rule {
  if (!isObject(value)) throw invalid(`${at} must be an object`);
  const level = levels.find((known) => known === value['level']);
  if (level === undefined) throw invalid(`${at}.level must be one of ${levels.join(', ')}`);
  const { resources = [] } = value;
  if (!Array.isArray(resources)) throw invalid(`${at}.resources must be a list`);
  return {
    level,
    omitStages: everywhere.union(stagesOf(value['omitStages'], `${at}.omitStages`)),
    users: textsOf(value['users'], `${at}.users`),
    userGroups: textsOf(value['userGroups'], `${at}.userGroups`),
    verbs: textsOf(value['verbs'], `${at}.verbs`),
    namespaces: textsOf(value['namespaces'], `${at}.namespaces`),
    nonResourceUrls: textsOf(value['nonResourceURLs'], `${at}.nonResourceURLs`),
    resources: resources.map((resource, index) => resourceRuleOf(resource, `${at}.resources[${index}]`)),
  };
}

function resourceRuleOf(value: unknown, at: string): ResourceRule {
  if (!isObject(value)) throw invalid(`${at} must be an object`);
  const { group = '' } = value;
  if (typeof group !== 'string') throw invalid(`${at}.group must be text`);
  return {
    group,
    resources: textsOf(value['resources'], `${at}.resources`),
    resourceNames: textsOf(value['resourceNames'], `${at}.resourceNames`),
  };
}

function stagesOf(value: unknown, at: string): ReadonlySet<AuditStage> {
  const texts = textsOf(value, at);
  const found = stages.filter((stage) => texts.includes(stage));
  if (found.length !== new Set(texts).size) throw invalid(`${at} may hold ${stages.join(', ')}`);
  return new Set(found);
}

function textsOf(value: unknown, at: string): readonly string[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value) || !value.every((entry) => typeof entry === 'string')) throw invalid(`${at} must be a list of texts`);
  return value;
}

function invalid(why: string): ArcError {
  return new ArcError('InvalidAuditPolicy', `the audit policy cannot be used: ${why}`, {
    hint: 'See https://kubernetes.io/docs/tasks/debug/debug-cluster/audit/ for the format.',
  });
}
