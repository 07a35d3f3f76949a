import { join, resolve } from 'node:path';
import { arcKinds } from '@arc/api/arc';
import { argoKinds } from '@arc/api/argo';
import { coreKinds, customResourceDefinitionDefinition, defaultNamespaces, namespaces } from '@arc/api/core';
import { rbacKinds } from '@arc/api/rbac';
import { createArcControllers } from '@arc/arc-controllers';
import { isStatusReason } from '@arc/apimachinery';
import type { KindDefinition, ResourceType } from '@arc/apimachinery';
import { createApiServer } from '@arc/apiserver';
import { controllerMetrics, startControllers } from '@arc/controller';
import { createMetrics } from '@arc/kernel';
import type { Clock, Logger } from '@arc/kernel';
import { createKubeClient, writeKubeconfig } from '@arc/kube-client';
import type { KubeClient } from '@arc/kube-client';
import type { CertificateAndKey } from '@arc/pki';
import { ensureDefaultRbac, standaloneControllers } from '@arc/standalone';
import { compactRegularly } from '@arc/storage';
import type { Store } from '@arc/storage';
import { lockExclusively } from '@arc/storage-sqlite';
import { createLogStore, createProcessRunner, createWorkflowEngine } from '@arc/workflows';
import type { WorkflowEngine } from '@arc/workflows';
import type { UpOptions } from '../up-options.ts';
import { openAudit } from './audit.ts';
import { loadCertificates } from './certificates.ts';
import { loadOrCreateKey, openDataDirectory } from './data-directory.ts';
import { localImages } from './images.ts';
import { parseListenAddress } from './listen-address.ts';
import { podLogs } from './pod-logs.ts';
import { processMetrics } from './process-metrics.ts';
import { openStore, parseStorageUrl } from './storage-url.ts';

export interface Embedded extends AsyncDisposable {
  /** `https://HOST:PORT` */
  readonly server: string;
  /** The file written for the administrator. */
  readonly kubeconfig: string;
  /** Rejects when a part has failed beyond repair; never resolves. */
  readonly failed: Promise<never>;
}

/** How long requests in flight may take to finish when the server closes. */
const serverGraceMs = 5_000;

/**
 * Starts storage, API server, controllers and engine in this process, in that order, and resolves when all of them work.
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
  const storageLogger = logger.child({ component: 'storage' });
  const store = starting.use(
    await openStore(storage ?? { kind: 'sqlite', file: directory.databaseFile }, {
      signal: options.signal,
      password: options.storagePassword,
      logger: storageLogger,
    }),
  );
  starting.use(startCompaction(store, { clock, logger: storageLogger }));
  const certificates = await loadCertificates(directory.pki, listen.host);
  const logs = createLogStore(join(directory.workflows, 'logs'), { clock, logger: logger.child({ component: 'logs' }) });
  const kinds = [...coreKinds, customResourceDefinitionDefinition, ...rbacKinds, ...argoKinds, ...arcKinds];
  const audit = options.auditLog === undefined ? undefined : starting.use(await openAudit(options.auditLog, options.auditPolicy));
  const metrics = createMetrics();
  processMetrics(metrics);
  const apiServer = await createApiServer({
    kinds,
    store,
    metrics,
    ...(audit !== undefined && { audit }),
    tls: { cert: certificates.server.certPem, key: certificates.server.keyPem, clientCa: certificates.authority.certPem },
    connectors: [podLogs(logs, () => clock.now())],
    clock,
    logger: logger.child({ component: 'apiserver' }),
  });
  starting.defer(() => apiServer.close({ graceMs: serverGraceMs }));
  const address = await apiServer.listen(listen);
  const server = `https://${urlHost(address.host)}:${address.port}`;

  const clientAs = (clientCertificate: CertificateAndKey, userAgent: string): KubeClient =>
    createKubeClient(
      { server, caPem: certificates.authority.certPem, clientCertificate },
      { clock, logger: logger.child({ component: 'client' }), userAgent },
    );
  await createDefaults(clientAs(certificates.admin, 'arcctl-up'));
  const client = starting.use(clientAs(certificates.controllers, 'arc-controller-manager'));
  const standaloneClient = starting.use(clientAs(certificates.standalone, 'arc-standalone'));

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
  const engine = createWorkflowEngine({ client, runner, logs, clock, logger: logger.child({ component: 'engine' }) });
  const arc = starting.use(
    createArcControllers({
      client,
      digestKey: await loadOrCreateKey(directory.digestKeyFile),
      clock,
      logger: logger.child({ component: 'arc' }),
    }),
  );
  const running = starting.use(
    startControllers(
      [
        ...arc.definitions,
        ...standaloneControllers({
          client: standaloneClient,
          types: storedTypes(kinds),
          clock,
          logger: logger.child({ component: 'standalone' }),
        }),
      ],
      { clock, logger: logger.child({ component: 'controllers' }), metrics: controllerMetrics(metrics) },
    ),
  );
  const engineRun = starting.use(await startEngine(engine));
  await running.ready;

  const admin = { name: 'arc', server, caPem: certificates.authority.certPem, clientCertificate: certificates.admin };
  const kubeconfig = options.kubeconfig === undefined ? directory.kubeconfigFile : resolve(options.kubeconfig);
  for (const file of new Set([directory.kubeconfigFile, kubeconfig])) await writeKubeconfig(file, admin);

  const resources = starting.move();
  return { server, kubeconfig, failed: engineRun.failed, [Symbol.asyncDispose]: () => resources.disposeAsync() };
}

/** Keeps the store's history bounded until disposed. */
function startCompaction(store: Store, options: { readonly clock: Clock; readonly logger: Logger }): AsyncDisposable {
  const stop = new AbortController();
  const compaction = compactRegularly(store, { ...options, signal: stop.signal });
  return {
    [Symbol.asyncDispose]: async () => {
      stop.abort();
      await compaction;
    },
  };
}

/** Resolves when the engine works. Disposing asks it to end its steps and waits until it has. */
async function startEngine(engine: WorkflowEngine): Promise<AsyncDisposable & { readonly failed: Promise<never> }> {
  const stop = new AbortController();
  const ready = Promise.withResolvers<void>();
  const failure = Promise.withResolvers<never>();
  failure.promise.catch(() => {});
  const run = engine.run(stop.signal, { onReady: ready.resolve });
  run.catch(failure.reject);
  await Promise.race([ready.promise, failure.promise]);
  return {
    failed: failure.promise,
    [Symbol.asyncDispose]: async () => {
      stop.abort();
      await Promise.allSettled([run]);
    },
  };
}

/** Clients on this machine reach a server that listens everywhere by loopback. */
function urlHost(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1';
  if (host === '::') return '[::1]';
  return host.includes(':') ? `[${host}]` : host;
}

/** What every server has from its first start on. Disposes the client, which is the administrator's. */
async function createDefaults(administrator: KubeClient): Promise<void> {
  await using client = administrator;
  for (const namespace of defaultNamespaces()) {
    try {
      await client.create(namespaces, namespace);
    } catch (error) {
      if (!isStatusReason(error, 'AlreadyExists')) throw error;
    }
  }
  await ensureDefaultRbac(client);
}

/** The resources with stored objects, which the garbage collector and the namespace controller look after. */
function storedTypes(kinds: readonly KindDefinition[]): readonly ResourceType[] {
  return kinds
    .filter(({ verbs }) => verbs === undefined || (verbs.includes('list') && verbs.includes('watch') && verbs.includes('delete')))
    .map(({ group, version, kind, names, scope }) => ({ group, version, kind, plural: names.plural, namespaced: scope === 'Namespaced' }));
}
