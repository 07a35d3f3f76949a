import { createHmac, randomBytes } from 'node:crypto';
import { type Clock, type Logger, messageOf } from '@arc/kernel';
import { answerCache } from '../access/answer-cache.ts';
import { askCore } from '../access/ask-core.ts';
import type { CoreApi, TokenAnswer } from '../access/core-api.ts';
import type { UserInfo } from './user.ts';

export interface ReviewedTokensOptions {
  readonly core: Pick<CoreApi, 'reviewToken'>;
  /** For whom a token must be; empty: for kube-apiserver. */
  readonly audiences: readonly string[];
  /** How long an answer is believed, good or bad. */
  readonly ttlMs: number;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** The users of bearer tokens, as the core API knows them. */
export interface ReviewedTokens {
  /** Undefined when the token is not valid, or nobody could be asked; the log then says why. */
  userOf(token: string): Promise<UserInfo | undefined>;
}

const maxEntries = 4_096;

/** Asks by TokenReview and remembers the answers by a keyed digest: the tokens themselves are not kept. */
export function reviewedTokens({ core, audiences, ttlMs, clock, logger }: ReviewedTokensOptions): ReviewedTokens {
  const cache = answerCache<UserInfo | undefined>({ clock, maxEntries, ttlMs: () => ttlMs });
  const key = randomBytes(32);
  return {
    async userOf(token) {
      const spec = { token, ...(audiences.length > 0 && { audiences }) };
      try {
        return await cache.answer(createHmac('sha256', key).update(token).digest('base64'), async () =>
          userIn(await askCore(clock, (signal) => core.reviewToken(spec, signal))),
        );
      } catch (error) {
        logger.warn('a bearer token could not be reviewed; its request is refused', { reason: messageOf(error) });
        return undefined;
      }
    },
  };
}

function userIn({ authenticated, user }: TokenAnswer): UserInfo | undefined {
  const { username = '', uid, groups = [], extra } = user ?? {};
  if (authenticated !== true || username === '') return undefined;
  return { name: username, groups, ...(uid !== undefined && uid !== '' && { uid }), ...(extra !== undefined && { extra }) };
}
