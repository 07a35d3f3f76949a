import { ArcError, type Clock, messageOf } from '@arc/kernel';
import { answerCache } from '../access/answer-cache.ts';
import { askCore } from '../access/ask-core.ts';
import type { AccessAnswer, AccessQuestion, CoreApi } from '../access/core-api.ts';
import type { UserInfo } from '../authn/user.ts';
import type { Attributes, Authorization, Authorizer } from './authorizer.ts';

/** Nobody could be asked whether a request is allowed. It is refused with 500, not 403 (wire contract 6.3). */
export class AuthorizationFailed extends ArcError {
  constructor(cause: unknown) {
    super('AuthorizationFailed', messageOf(cause), {
      hint: 'Check that the API server of the cluster can be reached, and that this server is bound to system:auth-delegator.',
      retryable: true,
      cause,
    });
  }
}

export interface SubjectAccessReviewOptions {
  readonly core: Pick<CoreApi, 'reviewAccess'>;
  /** How long a right is believed after it was asked for, and its absence. */
  readonly allowedTtlMs: number;
  readonly deniedTtlMs: number;
  readonly clock: Clock;
}

const maxEntries = 8_192;
/** Longer questions are asked anew each time, or their author could fill the memory. */
const maxRememberedLength = 10_000;

/** Asks the core API about every request that is not known from a moment ago. */
export function subjectAccessReviewAuthorizer(options: SubjectAccessReviewOptions): Authorizer {
  const { core, allowedTtlMs, deniedTtlMs, clock } = options;
  const cache = answerCache<AccessAnswer>({ clock, maxEntries, ttlMs: ({ allowed }) => (allowed === true ? allowedTtlMs : deniedTtlMs) });
  return {
    async authorize(attributes, user) {
      const question = questionOf(attributes, user);
      const ask = (): Promise<AccessAnswer> => askCore(clock, (signal) => core.reviewAccess(question, signal));
      try {
        const answer = await (sizeOf(attributes) < maxRememberedLength ? cache.answer(JSON.stringify(question), ask) : ask());
        return authorizationOf(answer);
      } catch (error) {
        throw new AuthorizationFailed(error);
      }
    },
  };
}

function questionOf(attributes: Attributes, { name, uid, groups, extra }: UserInfo): AccessQuestion {
  const { resourceRequest, verb, path } = attributes;
  return {
    user: name,
    groups,
    ...(uid !== undefined && uid !== '' && { uid }),
    ...(extra !== undefined && { extra }),
    ...(resourceRequest ? { resourceAttributes: resourceAttributesOf(attributes) } : { nonResourceAttributes: { path, verb } }),
  };
}

function resourceAttributesOf(attributes: Attributes): Record<string, string> {
  const { namespace, verb, group, version, resource, subresource, name } = attributes;
  return Object.fromEntries(
    Object.entries({ namespace, verb, group, version, resource, subresource, name }).filter(([, text]) => text !== ''),
  );
}

function sizeOf({ namespace, verb, group, version, resource, subresource, name, path }: Attributes): number {
  return [namespace, verb, group, version, resource, subresource, name, path].reduce((sum, text) => sum + text.length, 0);
}

function authorizationOf({ allowed, denied, reason = '' }: AccessAnswer): Authorization {
  if (denied === true) return { decision: 'deny', reason };
  return { decision: allowed === true ? 'allow' : 'noOpinion', reason };
}
