import { configMaps } from '@arc/api/core';
import type { ConfigMap } from '@arc/api/core';
import { readExtensionAuthentication } from '@arc/apiserver';
import type { ExtensionAuthentication } from '@arc/apiserver';
import { anySignal, ArcError, messageOf } from '@arc/kernel';
import type { Clock, Logger } from '@arc/kernel';
import { createInformer } from '@arc/kube-client';
import type { KubeClient } from '@arc/kube-client';

const namespace = 'kube-system';
const name = 'extension-apiserver-authentication';

/** A server that starts anyway does not wait as long as a connection that nobody answers takes to fail: its probes would. */
const patienceMs = 5_000;

export interface WatchedAuthenticationOptions {
  readonly tolerateLookupFailure: boolean;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly signal?: AbortSignal;
}

export interface WatchedAuthentication extends AsyncDisposable {
  readonly current: () => ExtensionAuthentication;
  /** Whether the configuration has ever been read. */
  readonly known: () => boolean;
}

const nobody: ExtensionAuthentication = { frontProxy: undefined, clients: undefined };

/**
 * Reads the ConfigMap by which a cluster says whom to believe, and follows it: authorities are rotated while servers run.
 * A version that cannot be read, or the ConfigMap's disappearance, leaves the last good one in force and is logged.
 *
 * @throws ArcError `ExtensionAuthenticationUnavailable`, `InvalidExtensionAuthentication` unless failures are tolerated
 */
export async function watchExtensionAuthentication(
  client: KubeClient,
  { tolerateLookupFailure, clock, logger, signal }: WatchedAuthenticationOptions,
): Promise<WatchedAuthentication> {
  let current = nobody;
  const bounded = new AbortController();
  using _patience = tolerateLookupFailure
    ? clock.after(patienceMs, () => bounded.abort(new Error(`no answer within ${patienceMs} ms`)))
    : undefined;
  try {
    current = await lookUp(client, anySignal(signal, bounded.signal));
  } catch (error) {
    if (!tolerateLookupFailure) throw error;
    logger.warn('nobody is believed by certificate until the configuration of the cluster can be read', { reason: messageOf(error) });
  }
  const read = ({ data = {}, metadata }: ConfigMap): void => {
    try {
      current = readExtensionAuthentication(data);
      logger.info('took over whom to believe', { configMap: name, resourceVersion: metadata.resourceVersion });
    } catch (error) {
      logger.error('the new configuration of whom to believe is not used', { reason: messageOf(error) });
    }
  };
  const informer = createInformer<ConfigMap>(client, configMaps, { namespace, fieldSelector: `metadata.name=${name}`, clock, logger });
  informer.addHandler({
    added: read,
    updated: read,
    deleted: () => logger.warn('the configuration of whom to believe was deleted; the last one stays in force', { configMap: name }),
  });
  const stop = new AbortController();
  const running = informer.run(stop.signal);
  return {
    current: () => current,
    known: () => current !== nobody,
    [Symbol.asyncDispose]: async () => {
      stop.abort();
      await running;
    },
  };
}

async function lookUp(client: KubeClient, signal: AbortSignal): Promise<ExtensionAuthentication> {
  let found: ConfigMap;
  try {
    found = await client.get<ConfigMap>(configMaps, { namespace, name }, { signal });
  } catch (error) {
    throw new ArcError('ExtensionAuthenticationUnavailable', `the ConfigMap ${namespace}/${name} cannot be read: ${messageOf(error)}`, {
      hint: `Check that the API server of the cluster can be reached, and bind this server's user to the Role extension-apiserver-authentication-reader in ${namespace}.`,
      cause: error,
    });
  }
  return readExtensionAuthentication(found.data ?? {});
}
