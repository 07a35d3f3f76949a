import { namespaces } from '@arc/api/core';
import type { Namespace } from '@arc/api/core';
import { delegatedAccess } from '@arc/apiserver';
import type { AccessControl, DelegatedAccessOptions, HealthCheck } from '@arc/apiserver';
import { silentLogger, systemClock } from '@arc/kernel';
import { createInformer } from '@arc/kube-client';
import type { KubeClient } from '@arc/kube-client';
import { clusterNamespaces } from './cluster-namespaces.ts';
import { clusterQuotas, type ResourceQuota, resourceQuotas } from './cluster-quotas.ts';
import { coreReviews } from './core-reviews.ts';
import { watchExtensionAuthentication } from './watched-authentication.ts';

export interface ClusterAccessOptions extends Omit<DelegatedAccessOptions, 'core' | 'trust' | 'namespaces' | 'quotas'> {
  /** Starts, trusting neither front proxy nor certificates, when the cluster's configuration cannot be read. Default: false. */
  readonly tolerateLookupFailure?: boolean;
  /**
   * Refuses objects beyond the ResourceQuotas of their namespace (`count/<plural>.<group>`) and charges these, as servers of
   * Kubernetes do only when they are built so. Default: false.
   */
  readonly enforceQuotas?: boolean;
  /** Gives up connecting. */
  readonly signal?: AbortSignal;
}

/** What `createApiServer` takes as `access`. Disposing ends the watches. */
export interface ClusterAccess extends AccessControl, AsyncDisposable {
  /** Fail until the cluster says whom to believe, and its namespaces, and quotas where they are enforced, are known. */
  readonly readyChecks: readonly HealthCheck[];
}

/**
 * Lets the API server of a cluster decide about the requests of a server behind its aggregation layer: reads and watches
 * `kube-system/extension-apiserver-authentication` and the namespaces, asks TokenReviews and SubjectAccessReviews.
 *
 * @param client stays the caller's. Its user is bound to the Role `extension-apiserver-authentication-reader` in kube-system
 *   and the ClusterRole `system:auth-delegator`, and may list and watch namespaces; for `enforceQuotas` also get, list and
 *   watch resourcequotas and update resourcequotas/status.
 * @throws ArcError `ExtensionAuthenticationUnavailable`, `InvalidExtensionAuthentication`
 */
export async function connectToCluster(client: KubeClient, options: ClusterAccessOptions = {}): Promise<ClusterAccess> {
  const { tolerateLookupFailure = false, enforceQuotas = false, signal, ...access } = options;
  const { clock = systemClock, logger = silentLogger } = options;
  await using opened = new AsyncDisposableStack();
  const stop = new AbortController();
  const trust = opened.use(
    await watchExtensionAuthentication(client, { tolerateLookupFailure, clock, logger, ...(signal !== undefined && { signal }) }),
  );
  const informer = createInformer<Namespace>(client, namespaces, { clock, logger });
  const lookup = clusterNamespaces(client, informer, clock);
  const quotas = createInformer<ResourceQuota>(client, resourceQuotas, { clock, logger });
  const informers = enforceQuotas ? [informer, quotas] : [informer];
  const running = Promise.all(informers.map((each) => each.run(stop.signal)));
  opened.defer(async () => {
    stop.abort();
    await running;
  });
  let synced = false;
  void Promise.all(informers.map((each) => each.synced(stop.signal))).then(
    () => (synced = true),
    () => undefined,
  );
  const control = delegatedAccess({
    ...access,
    core: coreReviews(client),
    trust: trust.current,
    namespaces: lookup,
    ...(enforceQuotas && { quotas: clusterQuotas(client, quotas) }),
  });
  const resources = opened.move();
  return {
    ...control,
    readyChecks: [
      {
        name: 'extension-authentication',
        isPublic: true,
        check: () => {
          if (trust.known()) return;
          throw new Error(
            'the ConfigMap kube-system/extension-apiserver-authentication could not be read; bind this server to the Role extension-apiserver-authentication-reader there',
          );
        },
      },
      {
        name: 'informer-sync',
        isPublic: true,
        check: () => {
          if (!synced) throw new Error(`the namespaces${enforceQuotas ? ' and quotas' : ''} of the cluster have not been listed yet`);
        },
      },
    ],
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}
