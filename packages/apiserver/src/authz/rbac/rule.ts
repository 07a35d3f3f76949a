import type { Attributes, NonResourceRule, ResourceRule, RuleSet } from '../authorizer.ts';

/** A rule of a Role or ClusterRole as it is stored. */
export interface PolicyRule {
  readonly verbs?: readonly string[];
  readonly apiGroups?: readonly string[];
  readonly resources?: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly nonResourceURLs?: readonly string[];
}

/** Whether one rule allows a request. A rule about resources says nothing about paths, and the reverse. */
export function ruleAllows(rule: PolicyRule, attributes: Attributes): boolean {
  const { verbs = [], apiGroups = [], resources = [], resourceNames = [], nonResourceURLs = [] } = rule;
  if (!has(verbs, attributes.verb)) return false;
  if (!attributes.resourceRequest) return nonResourceURLs.some((pattern) => coversPath(pattern, attributes.path));
  const { group, resource, subresource, name } = attributes;
  return (
    has(apiGroups, group) &&
    resources.some((pattern) => coversResource(pattern, subresource === '' ? resource : `${resource}/${subresource}`)) &&
    (resourceNames.length === 0 || resourceNames.includes(name))
  );
}

function has(values: readonly string[], wanted: string): boolean {
  return values.includes('*') || values.includes(wanted);
}

/** `*` is every resource with every subresource, `*` + `/log` that subresource of every resource; `pods` is not `pods/log`. */
function coversResource(pattern: string, wanted: string): boolean {
  if (pattern === '*' || pattern === wanted) return true;
  const slash = wanted.indexOf('/');
  return slash >= 0 && pattern === `*${wanted.slice(slash)}`;
}

function coversPath(pattern: string, path: string): boolean {
  return pattern.endsWith('*') ? path.startsWith(pattern.slice(0, -1)) : pattern === path;
}

/** The form in which SelfSubjectRulesReview shows rules. */
export function ruleSetOf(rules: readonly PolicyRule[], incomplete: boolean): RuleSet {
  const resourceRules: ResourceRule[] = [];
  const nonResourceRules: NonResourceRule[] = [];
  for (const { verbs = [], apiGroups = [], resources = [], resourceNames = [], nonResourceURLs = [] } of rules) {
    if (resources.length > 0) resourceRules.push({ verbs, apiGroups, resources, ...(resourceNames.length > 0 && { resourceNames }) });
    if (nonResourceURLs.length > 0) nonResourceRules.push({ verbs, nonResourceURLs });
  }
  return { resourceRules, nonResourceRules, incomplete };
}

export function rulesOf({ resourceRules, nonResourceRules }: RuleSet): PolicyRule[] {
  return [...resourceRules, ...nonResourceRules];
}

/** What of `wanted` is not covered by `owned`, in atoms of one verb, group, resource, name or path each. */
export function missingRules(owned: readonly PolicyRule[], wanted: readonly PolicyRule[]): PolicyRule[] {
  return wanted.flatMap(atomsOf).filter((atom) => !owned.some((rule) => coversAtom(rule, atom)));
}

function atomsOf(rule: PolicyRule): PolicyRule[] {
  const { verbs = [], apiGroups = [], resources = [], resourceNames = [], nonResourceURLs = [] } = rule;
  const named: readonly (string | undefined)[] = resourceNames.length === 0 ? [undefined] : resourceNames;
  return verbs.flatMap((verb) => [
    ...apiGroups.flatMap((group) =>
      resources.flatMap((resource) =>
        named.map((name) => ({
          verbs: [verb],
          apiGroups: [group],
          resources: [resource],
          ...(name !== undefined && { resourceNames: [name] }),
        })),
      ),
    ),
    ...nonResourceURLs.map((path) => ({ verbs: [verb], nonResourceURLs: [path] })),
  ]);
}

function coversAtom(rule: PolicyRule, atom: PolicyRule): boolean {
  const [verb = ''] = atom.verbs ?? [];
  if (!has(rule.verbs ?? [], verb)) return false;
  const [path] = atom.nonResourceURLs ?? [];
  if (path !== undefined) return (rule.nonResourceURLs ?? []).some((pattern) => coversPath(pattern, path));
  const [group = '', resource = '', name] = [atom.apiGroups?.[0], atom.resources?.[0], atom.resourceNames?.[0]];
  const { resourceNames = [] } = rule;
  return (
    has(rule.apiGroups ?? [], group) &&
    (rule.resources ?? []).some((pattern) => coversResource(pattern, resource)) &&
    (resourceNames.length === 0 || (name !== undefined && resourceNames.includes(name)))
  );
}

/** Joins atoms that differ in their verb only and prints them as Kubernetes does, each text once, in order. */
export function printRules(atoms: readonly PolicyRule[]): string {
  const joined = new Map<string, PolicyRule & { readonly verbs: string[] }>();
  for (const { verbs = [], ...rest } of atoms) {
    const key = JSON.stringify(rest);
    const known = joined.get(key);
    if (known === undefined) joined.set(key, { ...rest, verbs: [...verbs] });
    else known.verbs.push(...verbs.filter((verb) => !known.verbs.includes(verb)));
  }
  return [...new Set([...joined.values()].map(printRule))].toSorted((a, b) => (a < b ? -1 : 1)).join('\n');
}

function printRule({ apiGroups = [], resources = [], nonResourceURLs = [], resourceNames = [], verbs = [] }: PolicyRule): string {
  const parts = Object.entries({
    APIGroups: apiGroups,
    Resources: resources,
    NonResourceURLs: nonResourceURLs,
    ResourceNames: resourceNames,
    Verbs: verbs,
  });
  const shown = parts.filter(([, values]) => values.length > 0).map(([title, values]) => `${title}:${printTexts(values)}`);
  return `{${shown.join(', ')}}`;
}

/** A list of texts as Go prints it with %q. */
export function printTexts(values: readonly string[]): string {
  return `[${values.map((value) => JSON.stringify(value)).join(' ')}]`;
}
