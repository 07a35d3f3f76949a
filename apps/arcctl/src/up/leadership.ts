import { readFile } from 'node:fs/promises';
import { runWhileLeading } from '@arc/controller';
import type { LeaderElectionMetrics } from '@arc/controller';
import { backoffDelay, messageOf, whenAborted, writeFileAtomically } from '@arc/kernel';
import type { KubeClient } from '@arc/kube-client';
import { endSteps } from '@arc/workflows';
import type { DataDirectory } from './data-directory.ts';
import { loadOrCreateKey } from './data-directory.ts';
import { digestKeyOfAll } from './digest-key.ts';
import { lead } from './lead.ts';
import type { LeadParts } from './lead.ts';

/** Controllers and engine, at work or waiting for their turn. Disposing ends them. */
export interface Leadership extends AsyncDisposable {
  /** Rejects when a part has failed beyond repair; never resolves. */
  readonly failed: Promise<never>;
}

const leaseRef = { namespace: 'kube-system', name: 'arc-controllers' } as const;

/** Runs controllers and engine at once, of a server whose storage is its own. Resolves when they work. */
export async function leadAlone(parts: LeadParts, directory: DataDirectory): Promise<Leadership> {
  const digestKey = await loadOrCreateKey(directory.digestKeyFile);
  return await whenStarted(async (signal, onReady) => {
    try {
      await lead(parts, signal, { digestKey, onReady });
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  });
}

export interface ElectionOptions {
  /** Used for nothing but the lease, so that nothing else holds up its renewal. */
  readonly leaseClient: KubeClient;
  readonly identity: string;
  readonly metrics: LeaderElectionMetrics;
  /** Ends waiting for the first answer about the lease. */
  readonly signal: AbortSignal;
}

/**
 * Runs controllers and engine whenever this server leads those that share its storage. Resolves when they work, or somebody
 * else is known to lead.
 *
 * Steps that run here belong to one tenure. They are taken over in the same one, by a server that starts again too; they
 * are ended as soon as another is known to lead, and before a new tenure begins, for the other has started them again.
 */
export async function leadWhenElected(parts: LeadParts, directory: DataDirectory, options: ElectionOptions): Promise<Leadership> {
  const { client, runner, clock, logger } = parts;
  const { leaseClient, identity, metrics, signal: starting } = options;
  const log = logger.child({ component: 'leader-election' });
  let hasLed = false;
  let abandoned = Promise.resolve();

  function abandonSteps(): Promise<void> {
    abandoned = abandoned.then(async () => {
      const count = await endSteps(runner, { message: 'another server runs it now', forget: true, logger: log });
      if (count > 0) log.info('steps that another server runs now were ended', { count });
    });
    abandoned.catch((error: unknown) => log.error('steps of an earlier tenure could not be ended', { error: messageOf(error) }));
    return abandoned;
  }

  const leadership = await whenStarted(async (signal, onReady) => {
    await runWhileLeading(
      { client: leaseClient, lease: leaseRef, identity },
      async (leading, tenure) => {
        if ((await readFile(directory.tenureFile, 'utf8').catch(() => '')) !== tenure) await abandonSteps();
        await writeFileAtomically(directory.tenureFile, tenure);
        hasLed = true;
        const digestKey = await insist(() => digestKeyOfAll(client, directory.digestKeyFile), leading);
        await lead({ ...parts, site: identity }, leading, { digestKey, onReady });
      },
      {
        signal,
        metrics,
        clock,
        logger: log,
        onFollowing: () => {
          void abandonSteps();
          onReady();
        },
      },
    );
    await abandoned;
    if (hasLed) await endSteps(runner, { message: 'interrupted when the server was stopped', forget: false, logger: log });
  }, starting);

  async function insist<T>(attempt: () => Promise<T>, signal: AbortSignal): Promise<T> {
    for (let failures = 0; ; failures++) {
      try {
        return await attempt();
      } catch (error) {
        signal.throwIfAborted();
        log.warn('the digest key could not be read, trying again', { error: messageOf(error) });
        await clock.sleep(backoffDelay(failures, { initialMs: 200, maxMs: 5000 }), signal);
      }
    }
  }

  return leadership;
}

async function whenStarted(run: (signal: AbortSignal, onReady: () => void) => Promise<void>, starting?: AbortSignal): Promise<Leadership> {
  const stop = new AbortController();
  const ready = Promise.withResolvers<void>();
  const failure = Promise.withResolvers<never>();
  failure.promise.catch(() => {});
  const running = run(stop.signal, ready.resolve);
  running.catch(failure.reject);
  const dispose = async (): Promise<void> => {
    stop.abort();
    await Promise.allSettled([running]);
  };
  try {
    await Promise.race([ready.promise, failure.promise, ...(starting === undefined ? [] : [whenAborted(starting)])]);
  } catch (error) {
    await dispose();
    throw error;
  }
  return { failed: failure.promise, [Symbol.asyncDispose]: dispose };
}
