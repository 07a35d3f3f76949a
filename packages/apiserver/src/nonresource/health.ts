import { messageOf, orAborted } from '@arc/kernel';
import type { Logger } from '@arc/kernel';
import { textReply, type Reply } from '../http/reply.ts';

/** One thing a server needs in order to be well. */
export interface HealthCheck {
  readonly name: string;
  /** True: what `check` throws is shown to everybody who asks, so it tells nothing that not everybody may know. */
  readonly isPublic?: boolean;
  /** Throws, or resolves when all is well. */
  check(signal: AbortSignal): Promise<void> | void;
}

export type HealthEndpoint = 'healthz' | 'livez' | 'readyz';

export interface HealthChecks {
  readonly healthz: readonly HealthCheck[];
  readonly livez: readonly HealthCheck[];
  readonly readyz: readonly HealthCheck[];
}

const checkTimeoutMs = 2_000;

/**
 * Answers `/healthz`, `/livez`, `/readyz` and `/<endpoint>/<check>` in the words of wire contract 1.5. Reasons that are not
 * public go to the log only: anybody may ask.
 */
export async function health(
  checks: HealthChecks,
  target: { readonly endpoint: HealthEndpoint; readonly only: string },
  query: URLSearchParams,
  logger: Logger,
): Promise<Reply> {
  const { endpoint, only } = target;
  const all = checks[endpoint];
  const chosen = only === '' ? all : all.filter(({ name }) => name === only);
  if (only !== '' && chosen.length === 0) return textReply(404, '404 page not found\n');
  const excluded = new Set(query.getAll('exclude'));
  const lines: string[] = [];
  let failed = false;
  for (const check of chosen) {
    if (excluded.has(check.name)) {
      lines.push(`[+]${check.name} excluded: ok`);
      continue;
    }
    const problem = await problemOf(check);
    if (problem === undefined) {
      lines.push(`[+]${check.name} ok`);
    } else {
      failed = true;
      lines.push(`[-]${check.name} failed: ${check.isPublic === true ? problem : 'reason withheld'}`);
      logger.warn('a health check fails', { endpoint, check: check.name, reason: problem });
    }
  }
  const unknown = [...excluded].filter((name) => !all.some((check) => check.name === name));
  if (unknown.length > 0) {
    lines.push(`warn: some health checks cannot be excluded: no matches for ${unknown.map((name) => JSON.stringify(name)).join(', ')}`);
  }
  if (failed) return textReply(500, `${lines.join('\n')}\n${endpoint} check failed\n`);
  return textReply(200, query.has('verbose') ? `${lines.join('\n')}\n${endpoint} check passed\n` : 'ok');
}

async function problemOf(check: HealthCheck): Promise<string | undefined> {
  try {
    const signal = AbortSignal.timeout(checkTimeoutMs);
    await orAborted(Promise.resolve(check.check(signal)), signal);
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}
