import { connectToCluster } from '@arc/aggregated';
import { arcKindsWithin } from '@arc/api/arc';
import { createApiServer } from '@arc/apiserver';
import type { TlsSource } from '@arc/apiserver';
import { exitCodes, UsageError } from '@arc/cli-kit';
import type { ExitCode } from '@arc/cli-kit';
import { clusterConfig, insist, openAudit, parseListenAddress, processMetrics, serveEndpoints } from '@arc/composition';
import { auditSettingsOf, durationOf, logLevelOf, minimumCronIntervalOf, textOf } from '@arc/composition/program';
import type { ProgramInvocation } from '@arc/composition/program';
import { openStore, parseStorageUrl } from '@arc/composition/storage';
import { codeOf, createMetrics, lineLogger, orAborted, whenAborted } from '@arc/kernel';
import { createKubeClient } from '@arc/kube-client';
import type { KubeClient } from '@arc/kube-client';
import { compactRegularly } from '@arc/storage';
import type { Store } from '@arc/storage';
import { openServing, servingChoiceOf } from './serving.ts';

/** How long requests in flight may take to finish when the server ends; less than the 30 s a pod gets. */
const graceMs = 15_000;

/**
 * Serves the ARC API until the signal aborts. Until the storage can be opened, and while the cluster's configuration cannot be read,
 * it is up and says at `/readyz` and in its log what is wrong.
 *
 * @throws ArcError when it cannot start for a reason that nobody mends from outside
 */
export async function runApiServer({ options, environment, streams, clock, signal }: ProgramInvocation): Promise<ExitCode> {
  const logger = lineLogger((line) => streams.stderr.write(line), { level: logLevelOf(options, 'info') });
  const listen = parseListenAddress(textOf(options, 'listen') ?? ':8443', '0.0.0.0');
  const choice = parseStorageUrl(textOf(options, 'storage') ?? '');
  const serving = servingChoiceOf(options);
  const lameDuckMs = durationOf('--shutdown-delay', textOf(options, 'shutdownDelay') ?? '0s');
  const { auditLog, auditPolicy } = auditSettingsOf(options);
  const kinds = arcKindsWithin({ minimumCronInterval: minimumCronIntervalOf(options) });
  const config = await clusterConfig({
    kubeconfig: textOf(options, 'kubeconfig'),
    context: textOf(options, 'context'),
    environment,
    clock,
  });
  const metrics = createMetrics();
  processMetrics(metrics);
  await using running = new AsyncDisposableStack();
  const audit = auditLog === undefined ? undefined : running.use(await openAudit(auditLog, auditPolicy));
  const connect = (): KubeClient =>
    createKubeClient(config, { userAgent: 'arc-apiserver', clock, logger: logger.child({ component: 'client' }) });
  const { tls, readyChecks } = running.use(
    await openServing(serving, {
      ...{ namespace: textOf(options, 'namespace') ?? config.namespace ?? 'arc-system', connect, clock },
      logger: logger.child({ component: 'certificates' }),
    }),
  );
  const store = await storeFor(running, tls);
  if (store === undefined) return exitCodes.ok;
  running.use(keepCompact(store));
  const client = running.use(connect());
  const access = running.use(
    await connectToCluster(client, {
      ...{ tolerateLookupFailure: true, enforceQuotas: options['enforceQuotas'] === true, signal, clock },
      logger: logger.child({ component: 'access' }),
    }),
  );
  const api = await createApiServer({
    ...{ kinds, store, access, tls, metrics, clock },
    readyChecks: [...access.readyChecks, ...readyChecks],
    logger: logger.child({ component: 'apiserver' }),
    ...(audit !== undefined && { audit }),
  });
  running.defer(() => api.close({ graceMs, lameDuckMs }));
  const { port } = await api.listen(listen);
  logger.info('the API is served', { host: listen.host, port });
  try {
    await orAborted(api.ready, signal);
    logger.info('everything stored is loaded');
    await whenAborted(signal);
  } catch (error) {
    if (!signal.aborted) throw error;
  }
  logger.info('stopping', { lameDuckMs, graceMs });
  return exitCodes.ok;

  /** Undefined when the program was ended before there was one. */
  async function storeFor(stack: AsyncDisposableStack, certificate: TlsSource): Promise<Store | undefined> {
    let problem: string | undefined = 'the storage has not been opened yet';
    await using _waiting = await serveEndpoints({
      ...{ listen, tls: certificate, logger },
      probes: [{ name: 'storage', problem: () => problem }],
    });
    const log = logger.child({ component: 'storage' });
    try {
      return stack.use(
        await insist(
          'the storage',
          (bounded) =>
            openStore(choice, {
              signal: bounded,
              password: environment['PGPASSWORD'],
              readUrl: textOf(options, 'storageReadUrl'),
              logger: log,
            }),
          {
            signal,
            clock,
            logger: log,
            isHopeless: (error) => error instanceof UsageError || codeOf(error) === 'InvalidStorageUrl',
            onProblem: (found) => (problem = found),
          },
        ),
      );
    } catch (error) {
      if (signal.aborted) return undefined;
      throw error;
    }
  }

  function keepCompact(opened: Store): AsyncDisposable {
    const stop = new AbortController();
    const compaction = compactRegularly(opened, { clock, logger: logger.child({ component: 'storage' }), signal: stop.signal });
    return {
      [Symbol.asyncDispose]: async () => {
        stop.abort();
        await compaction;
      },
    };
  }
}
