import { join } from 'node:path';
import { coreKinds } from '@arc/api/core';
import { rbacKinds } from '@arc/api/rbac';
import { createApiServer, followTlsFiles, type TlsFiles } from '@arc/apiserver';
import type { ApiServerOptions } from '@arc/apiserver';
import { startControllers } from '@arc/controller';
import type { ControllerMetrics, RunningControllers } from '@arc/controller';
import { orAborted, silentLogger, systemClock } from '@arc/kernel';
import type { Clock, Logger } from '@arc/kernel';
import { createKubeClient } from '@arc/kube-client';
import type { KubeClient } from '@arc/kube-client';
import { openCertificateFolder } from '@arc/pki';
import { compactRegularly } from '@arc/storage';
import type { Store } from '@arc/storage';
import { standaloneControllers } from '../standalone-controllers.ts';
import { createDefaults, storedTypes } from './defaults.ts';
import { issuedClients } from './issued-clients.ts';
import { keepCertificates } from './keep-certificates.ts';
import { kubeconfigFiles } from './kubeconfig-files.ts';

export interface StandaloneServerOptions extends Omit<ApiServerOptions, 'tls'> {
  /** Served beside the kinds every server needs: namespaces, Secrets, events, roles, reviews and the like. */
  readonly kinds: ApiServerOptions['kinds'];
  /** Stays the caller's; its history is kept bounded while the server runs. */
  readonly store: Store;
  /** Where certificates (`pki/`) and the kubeconfig are kept; made when it is missing. */
  readonly directory: string;
  /** Default: 127.0.0.1 and any free port. */
  readonly listen?: { readonly host: string; readonly port: number };
  /** Names the kubeconfig's context and the certificate authority. Default: `standalone`. */
  readonly name?: string;
  readonly controllerMetrics?: ControllerMetrics;
  /** True: the caller starts the controllers, for several servers share the store and one of them is to run them. */
  readonly deferControllers?: boolean;
  /** Ends waiting for the store to be loaded. */
  readonly signal?: AbortSignal;
}

export interface StandaloneServer extends AsyncDisposable {
  /** `https://HOST:PORT`, as this machine reaches it. */
  readonly url: string;
  /** The file written for the administrator, a member of `system:masters`. */
  readonly kubeconfig: string;
  /** Writes what it says elsewhere, too; each of them again whenever the administrator's certificate is renewed. */
  writeKubeconfig(file: string): Promise<void>;
  /** A client with a certificate of its own, kept in the directory under a name and renewed in time. The caller disposes of it. */
  connect(name: string, as: ConnectOptions): Promise<KubeClient>;
  /**
   * Starts garbage collection, namespace deletion and the aggregation of roles when they were deferred. May be called again when
   * what it returned is disposed.
   */
  startControllers(): RunningControllers;
}

export interface ConnectOptions {
  readonly user: string;
  readonly groups?: readonly string[];
  readonly userAgent: string;
}

/** How long requests in flight may take to finish when the server closes. */
const graceMs = 5_000;

/**
 * Starts an API server that needs no cluster: with a certificate authority of its own, RBAC and the default roles,
 * namespaces, garbage collection and namespace deletion. Resolves when all of it works; disposing ends it in order.
 *
 * @throws ArcError `AddressInUse`, `ListenFailed`, `InvalidKind`, `BadDataDirectory`; StorageError
 */
export async function startStandaloneServer(options: StandaloneServerOptions): Promise<StandaloneServer> {
  const { directory, name = 'standalone', listen = { host: '127.0.0.1', port: 0 }, ...others } = options;
  const { controllerMetrics, deferControllers = false, signal, ...apiOptions } = others;
  const { store, clock = systemClock, logger = silentLogger } = options;
  await using starting = new AsyncDisposableStack();
  starting.use(startCompaction(store, { clock, logger: logger.child({ component: 'storage' }) }));
  const folder = join(directory, 'pki');
  const certificates = await openCertificateFolder(folder, { authority: `${name}-ca` });
  const caPem = certificates.authority.certPem;
  const serving = { clock, logger: logger.child({ component: 'certificates' }) };
  starting.use(await keepCertificates(() => certificates.server(listen.host), serving));
  const tls = starting.use(await followTlsFiles(servingFiles(folder), serving));
  const kinds = [...coreKinds, ...rbacKinds, ...options.kinds];
  const apiServer = await createApiServer({
    ...apiOptions,
    kinds,
    tls,
    logger: logger.child({ component: 'apiserver' }),
  });
  starting.defer(() => apiServer.close({ graceMs }));
  const address = await apiServer.listen(listen);
  await orAborted(apiServer.ready, signal);
  const url = `https://${urlHost(address.host)}:${address.port}`;

  const clients = issuedClients(certificates);
  const connect: StandaloneServer['connect'] = async (file, { user, groups = [], userAgent }) =>
    createKubeClient(
      { server: url, caPem },
      {
        clock,
        logger: logger.child({ component: 'client' }),
        userAgent,
        multiplex: true,
        clientCertificate: await clients.issue(file, { user, groups }),
      },
    );
  const administrator = { user: 'admin', groups: ['system:masters'] };
  await createDefaults(await connect('admin', { ...administrator, userAgent: name }));
  const client = starting.use(await connect('standalone', { user: 'system:arc-standalone', userAgent: 'arc-standalone' }));
  const startOwn = (): RunningControllers =>
    startControllers(
      standaloneControllers({ client, types: storedTypes(kinds), clock, logger: logger.child({ component: 'standalone' }) }),
      { clock, logger: logger.child({ component: 'controllers' }), ...(controllerMetrics !== undefined && { metrics: controllerMetrics }) },
    );
  if (!deferControllers) await starting.use(startOwn()).ready;

  const certificate = await clients.issue('admin', administrator);
  const kubeconfigs = kubeconfigFiles(() => ({ name, server: url, caPem, clientCertificate: certificate() }));
  const kubeconfig = join(directory, 'kubeconfig');
  await kubeconfigs.write(kubeconfig);
  const renew = async (): Promise<void> => {
    await clients.renew();
    await kubeconfigs.renew();
  };
  starting.use(await keepCertificates(renew, serving));
  const resources = starting.move();
  return {
    url,
    kubeconfig,
    writeKubeconfig: kubeconfigs.write,
    connect,
    startControllers: startOwn,
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
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

/** As `openCertificateFolder` names them. */
function servingFiles(folder: string): TlsFiles {
  return { certFile: join(folder, 'server.crt'), keyFile: join(folder, 'server.key'), clientCaFile: join(folder, 'ca.crt') };
}

/** Clients on this machine reach a server that listens everywhere by loopback. */
function urlHost(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1';
  if (host === '::') return '[::1]';
  return host.includes(':') ? `[${host}]` : host;
}
