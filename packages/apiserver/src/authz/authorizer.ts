import type { UserInfo } from '../authn/user.ts';

/** What a request wants to do. */
export interface Attributes {
  readonly resourceRequest: boolean;
  readonly verb: string;
  readonly namespace: string;
  readonly group: string;
  readonly version: string;
  readonly resource: string;
  readonly subresource: string;
  readonly name: string;
  /** For non-resource requests. */
  readonly path: string;
}

export interface Authorization {
  readonly decision: 'allow' | 'deny' | 'noOpinion';
  /** Appended to the 403 text; empty when there is nothing to say. */
  readonly reason: string;
}

export interface ResourceRule {
  readonly verbs: readonly string[];
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly resourceNames?: readonly string[];
}

export interface NonResourceRule {
  readonly verbs: readonly string[];
  readonly nonResourceURLs: readonly string[];
}

/** The rules that apply to a user in a namespace, for SelfSubjectRulesReview. */
export interface RuleSet {
  readonly resourceRules: readonly ResourceRule[];
  readonly nonResourceRules: readonly NonResourceRule[];
  /** True when the authorizer cannot list everything it would allow. */
  readonly incomplete: boolean;
}

/** Decides whether a user may do something. A chain asks one after the other until one has an opinion. */
export interface Authorizer {
  authorize(attributes: Attributes, user: UserInfo, signal?: AbortSignal): Promise<Authorization> | Authorization;
  rulesFor?(user: UserInfo, namespace: string, signal?: AbortSignal): Promise<RuleSet> | RuleSet;
}

const noOpinion: Authorization = { decision: 'noOpinion', reason: '' };

/** Asks the authorizers in order; the first opinion wins, reasons of those without one are joined. */
export function authorizerChain(authorizers: readonly Authorizer[]): Required<Authorizer> {
  return {
    async authorize(attributes, user, signal) {
      const reasons: string[] = [];
      for (const authorizer of authorizers) {
        const answer = await authorizer.authorize(attributes, user, signal);
        if (answer.decision !== 'noOpinion') return answer;
        if (answer.reason !== '') reasons.push(answer.reason);
      }
      return reasons.length === 0 ? noOpinion : { decision: 'noOpinion', reason: reasons.join(', ') };
    },
    async rulesFor(user, namespace, signal) {
      const sets: RuleSet[] = [];
      for (const authorizer of authorizers) {
        sets.push((await authorizer.rulesFor?.(user, namespace, signal)) ?? { resourceRules: [], nonResourceRules: [], incomplete: true });
      }
      return {
        resourceRules: sets.flatMap((set) => set.resourceRules),
        nonResourceRules: sets.flatMap((set) => set.nonResourceRules),
        incomplete: sets.some((set) => set.incomplete),
      };
    },
  };
}
