import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { arcMetrics } from '@arc/arc-controllers';
import { exitCodes } from '@arc/cli-kit';
import type { ExitCode } from '@arc/cli-kit';
import {
  clusterConfig,
  endpointProbe,
  insist,
  processMetrics,
  reviewedAccess,
  serveEndpoints,
  servingCertificate,
  sharedDigestKey,
} from '@arc/composition';
import type { ProgramInvocation } from '@arc/composition/program';
import { controllerMetrics, leaderElectionMetrics, runWhileLeading } from '@arc/controller';
import { createMetrics, lineLogger } from '@arc/kernel';
import type { Logger, Metrics } from '@arc/kernel';
import { createKubeClient } from '@arc/kube-client';
import type { KubeClient } from '@arc/kube-client';
import { programHealth } from './health.ts';
import { lead } from './lead.ts';
import { assertApis, assertKueue } from './required-apis.ts';
import { assertRights } from './required-rights.ts';
import { settingsOf } from './settings.ts';
import type { Settings } from './settings.ts';

const userAgent = 'arc-controller-manager';
const defaultNamespace = 'arc-system';

/**
 * Runs the controllers until the signal aborts, then lets go of the lease. What is missing in the cluster is said in the log and at
 * `/readyz`, and waited for.
 *
 * @throws ArcError when it cannot start, or a part has failed beyond repair
 */
export async function runControllerManager({ options, environment, streams, clock, signal }: ProgramInvocation): Promise<ExitCode> {
  const settings = settingsOf(options);
  const logger = lineLogger((line) => streams.stderr.write(line), { level: settings.logLevel });
  const probe = endpointProbe(settings, '0.0.0.0', clock);
  const config = await clusterConfig({ kubeconfig: settings.kubeconfig, context: settings.context, environment, clock });
  const namespace = settings.namespace ?? config.namespace ?? defaultNamespace;
  const metrics = createMetrics();
  processMetrics(metrics);
  const health = programHealth(signal);
  await using running = new AsyncDisposableStack();
  const connect = (agent: string): KubeClient =>
    running.use(createKubeClient(config, { userAgent: agent, clock, logger: logger.child({ component: 'client' }) }));
  const client = connect(userAgent);
  if (settings.health !== undefined) {
    const { port } = running.use(await serveEndpoints({ listen: settings.health, probes: health.probes, logger }));
    logger.info('health is served', { host: settings.health.host, port });
  }
  if (settings.metrics !== undefined) await serveMetrics(running, settings.metrics, metrics);

  const insistence = { signal, clock, logger, onProblem: health.onProblem };
  try {
    await insist('the APIs of the cluster', (bounded) => assertApis(client, config.server, bounded), insistence);
    const kueueVersion =
      settings.kueue === 'workloads'
        ? await insist('the API of Kueue', (bounded) => assertKueue(client, config.server, bounded), insistence)
        : undefined;
    await insist(
      'the rights of the controllers',
      (bounded) =>
        assertRights(client, { namespace: settings.leaderElect ? namespace : undefined, kueue: kueueVersion !== undefined }, bounded),
      insistence,
    );
    const digestKey = await insist(
      'the key of the digests of Secrets',
      (bounded) => sharedDigestKey(client, namespace, { signal: bounded }),
      insistence,
    );
    const parts = {
      ...{ client, digestKey, clock, logger, health },
      arc: {
        metrics: arcMetrics(metrics),
        limits: settings.limits,
        handOver: settings.handOver,
        ...(kueueVersion !== undefined && { kueue: { version: kueueVersion } }),
        ...(probe !== undefined && { endpointProbe: probe }),
        ...(settings.endpointProbeTtlMs !== undefined && { endpointProbeTtlMs: settings.endpointProbeTtlMs }),
      },
      metrics: controllerMetrics(metrics),
    };
    if (settings.leaderElect) {
      const identity = `${hostname()}_${randomUUID()}`;
      await runWhileLeading(
        // A client of its own, so that nothing else holds up its renewal.
        { client: connect('arc-leader-election'), lease: { namespace, name: settings.leaseName }, identity },
        (leading) => lead(parts, leading),
        {
          ...{ signal, clock, metrics: leaderElectionMetrics(metrics), logger: logger.child({ component: 'leader-election' }) },
          onFollowing: () => health.settled(),
        },
      );
    } else {
      await lead(parts, signal);
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
  logger.info('stopped');
  return exitCodes.ok;

  async function serveMetrics(stack: AsyncDisposableStack, wanted: NonNullable<Settings['metrics']>, registry: Metrics): Promise<void> {
    const log: Logger = logger.child({ component: 'metrics' });
    const tls = wanted.secure ? stack.use(await servingCertificate(wanted, { clock, logger: log })) : undefined;
    const { port } = stack.use(
      await serveEndpoints({
        listen: wanted.listen,
        metrics: () => registry.exposition(),
        logger: log,
        ...(tls !== undefined && { tls }),
        ...(wanted.reviewed && { access: reviewedAccess(client, clock) }),
      }),
    );
    log.info('metrics are served', { host: wanted.listen.host, port, secure: wanted.secure });
  }
}
