import { systemAuthenticated, systemMasters } from '../authn/user.ts';
import type { Authorization, Authorizer, NonResourceRule } from './authorizer.ts';

const allow: Authorization = { decision: 'allow', reason: '' };
const noOpinion: Authorization = { decision: 'noOpinion', reason: '' };

const healthNames = ['/healthz', '/livez', '/readyz'];
const discoveryPaths = ['/api', '/apis', '/openapi', '/version'];
/** Health and each of its checks. */
export const healthPaths: readonly string[] = healthNames.flatMap((path) => [path, `${path}/*`]);
const everyDiscoveryPath = discoveryPaths.flatMap((path) => [path, `${path}/*`]);

/** Members of `system:masters` may do everything. */
export const privilegedGroup: Authorizer = {
  authorize: (_attributes, user) => (user.groups.includes(systemMasters) ? allow : noOpinion),
  rulesFor: (user) =>
    user.groups.includes(systemMasters)
      ? {
          resourceRules: [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'] }],
          nonResourceRules: [{ verbs: ['*'], nonResourceURLs: ['*'] }],
          incomplete: false,
        }
      : { resourceRules: [], nonResourceRules: [], incomplete: false },
};

/** Paths that are open to everybody (wire contract 6.3). */
export function alwaysAllowed(paths: readonly string[]): Authorizer {
  return nonResourceRule({ verbs: ['get', 'head'], nonResourceURLs: paths }, () => true);
}

/** What the cluster roles `system:discovery` and `system:basic-user` give to everybody who has authenticated. */
const discoveryPathsForUsers: Authorizer = nonResourceRule({ verbs: ['get', 'head'], nonResourceURLs: everyDiscoveryPath }, (groups) =>
  groups.includes(systemAuthenticated),
);

const selfReviews: Authorizer = {
  authorize: (attributes, user) =>
    attributes.resourceRequest &&
    attributes.verb === 'create' &&
    user.groups.includes(systemAuthenticated) &&
    ((attributes.group === 'authorization.k8s.io' &&
      (attributes.resource === 'selfsubjectaccessreviews' || attributes.resource === 'selfsubjectrulesreviews')) ||
      (attributes.group === 'authentication.k8s.io' && attributes.resource === 'selfsubjectreviews'))
      ? allow
      : noOpinion,
  rulesFor: (user) => ({
    resourceRules: user.groups.includes(systemAuthenticated)
      ? [
          {
            verbs: ['create'],
            apiGroups: ['authorization.k8s.io'],
            resources: ['selfsubjectaccessreviews', 'selfsubjectrulesreviews'],
          },
          { verbs: ['create'], apiGroups: ['authentication.k8s.io'], resources: ['selfsubjectreviews'] },
        ]
      : [],
    nonResourceRules: [],
    incomplete: false,
  }),
};

function nonResourceRule(rule: NonResourceRule, appliesTo: (groups: readonly string[]) => boolean): Authorizer {
  return {
    authorize: (attributes, user) =>
      !attributes.resourceRequest &&
      appliesTo(user.groups) &&
      rule.verbs.includes(attributes.verb) &&
      rule.nonResourceURLs.some((pattern) => pathMatches(pattern, attributes.path))
        ? allow
        : noOpinion,
    rulesFor: (user) => ({ resourceRules: [], nonResourceRules: appliesTo(user.groups) ? [rule] : [], incomplete: false }),
  };
}

/** Whoever asks for the server's health need not be anybody. */
export function isHealthPath(path: string): boolean {
  return healthPaths.some((pattern) => pathMatches(pattern, path));
}

function pathMatches(pattern: string, path: string): boolean {
  return pattern.endsWith('/*') ? path.startsWith(pattern.slice(0, -1)) : path === pattern;
}

/**
 * Discovery for every user until `known` says that the roles are, which otherwise give it: clients find out what a server
 * serves while it loads, and a role that was taken away hides nothing secret.
 */
export function discoveryBefore(known: () => boolean): Authorizer {
  return { authorize: (attributes, user, signal) => (known() ? noOpinion : discoveryPathsForUsers.authorize(attributes, user, signal)) };
}

/** The rules every server has, asked before any other authorizer. Whatever nobody allows is denied. */
export const fixedAuthorizers: readonly Authorizer[] = [privilegedGroup, alwaysAllowed(healthPaths)];

/** Those of a server without roles, where no `system:discovery` and `system:basic-user` give the other two. */
export const builtInAuthorizers: readonly Authorizer[] = [...fixedAuthorizers, discoveryPathsForUsers, selfReviews];
