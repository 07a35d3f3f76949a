import { join, resolve } from 'node:path';
import { arcMetrics } from '@arc/arc-controllers';
import { endpointProbe, openAudit, parseListenAddress, processMetrics } from '@arc/composition';
import { embeddedKinds, openStore, parseStorageUrl } from '@arc/composition/storage';
import { controllerMetrics, leaderElectionMetrics } from '@arc/controller';
import { createMetrics } from '@arc/kernel';
import type { Clock, Logger } from '@arc/kernel';
import { startStandaloneServer } from '@arc/standalone';
import { lockExclusively } from '@arc/storage-sqlite';
import { createLogStore, createProcessRunner } from '@arc/workflows';
import type { UpOptions } from '../up-options.ts';
import { openDataDirectory } from './data-directory.ts';
import { localImages } from './images.ts';
import { leadAlone, leadWhenElected } from './leadership.ts';
import { podLogs } from './pod-logs.ts';
import { serverIdentity } from './server-identity.ts';

export interface Embedded extends AsyncDisposable {
  /** `https://HOST:PORT` */
  readonly server: string;
  /** The file written for the administrator. */
  readonly kubeconfig: string;
  /** Rejects when a part has failed beyond repair; never resolves. */
  readonly failed: Promise<never>;
}

const controllersUser = { user: 'system:arc' } as const;

/**
 * Starts storage, API server, controllers and engine in this process, in that order, and resolves when all of them work. Of
 * servers that share a storage one runs controllers and engine; the others are ready when they know which.
 * Disposing ends them in reverse: the engine ends its steps first and still has a server to say so to.
 */
export async function startEmbedded(
  options: UpOptions,
  { logger, clock }: { readonly logger: Logger; readonly clock: Clock },
): Promise<Embedded> {
  const listen = parseListenAddress(options.listen);
  const storage = options.storage === undefined ? undefined : parseStorageUrl(options.storage);
  await using starting = new AsyncDisposableStack();

  const directory = await openDataDirectory(resolve(options.dataDir));
  starting.use(lockExclusively(directory.lockFile, `the data directory ${directory.root}`));
  const isShared = storage?.kind === 'postgres' || storage?.kind === 'etcd';
  const storageLogger = logger.child({ component: 'storage' });
  const store = starting.use(
    await openStore(storage ?? { kind: 'sqlite', file: directory.databaseFile }, {
      signal: options.signal,
      password: options.storagePassword,
      readUrl: options.storageReadUrl,
      logger: storageLogger,
    }),
  );
  const logs = createLogStore(join(directory.workflows, 'logs'), { clock, logger: logger.child({ component: 'logs' }) });
  const audit = options.auditLog === undefined ? undefined : starting.use(await openAudit(options.auditLog, options.auditPolicy));
  const metrics = createMetrics();
  processMetrics(metrics);
  const queues = controllerMetrics(metrics);
  const server = starting.use(
    await startStandaloneServer({
      kinds: embeddedKinds({ minimumCronInterval: options.minimumCronInterval }),
      store,
      directory: directory.root,
      listen,
      name: 'arc',
      metrics,
      controllerMetrics: queues,
      deferControllers: true,
      ...(audit !== undefined && { audit }),
      connectors: [podLogs(logs, () => clock.now())],
      clock,
      logger,
      signal: options.signal,
    }),
  );
  const client = starting.use(await server.connect('controllers', { ...controllersUser, userAgent: 'arc-controller-manager' }));

  const runner = starting.use(
    await createProcessRunner({
      directory: join(directory.workflows, 'runs'),
      logs,
      images: localImages,
      path: process.env['PATH'] ?? '',
      clock,
      logger: logger.child({ component: 'runner' }),
    }),
  );
  logger.info('steps run as processes', { mode: runner.description });
  const probe = endpointProbe(options, listen.host, clock);
  const arc = {
    metrics: arcMetrics(metrics),
    ...(probe !== undefined && { endpointProbe: probe }),
    ...(options.endpointProbeTtlMs !== undefined && { endpointProbeTtlMs: options.endpointProbeTtlMs }),
  };
  const parts = { server, arc, client, runner, logs, metrics: queues, clock, logger };
  const leadership = starting.use(
    isShared
      ? await leadWhenElected(parts, directory, {
          leaseClient: starting.use(await server.connect('controllers', { ...controllersUser, userAgent: 'arc-leader-election' })),
          identity: await serverIdentity(directory),
          metrics: leaderElectionMetrics(metrics),
          signal: options.signal,
        })
      : await leadAlone(parts, directory),
  );

  const kubeconfig = options.kubeconfig === undefined ? server.kubeconfig : resolve(options.kubeconfig);
  if (kubeconfig !== server.kubeconfig) await server.writeKubeconfig(kubeconfig);

  const resources = starting.move();
  return { server: server.url, kubeconfig, failed: leadership.failed, [Symbol.asyncDispose]: () => resources.disposeAsync() };
}
