import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '@arc/kernel';
import { ArcError, messageOf, systemClock } from '@arc/kernel';
import type { ClientConfig } from './client-config.ts';
import { rereading } from './reread.ts';

/** Where a cluster puts what a pod needs to reach its API server as its service account. */
const defaultDirectory = '/var/run/secrets/kubernetes.io/serviceaccount';

export interface InClusterOptions {
  /** The environment of the process: `KUBERNETES_SERVICE_HOST`, `KUBERNETES_SERVICE_PORT`. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly directory?: string;
  readonly clock?: Clock;
}

/**
 * How a pod reaches the API server of its cluster as its service account; undefined outside of a cluster. Token and authorities are
 * read again once a minute: the cluster replaces them while the pod runs.
 *
 * @throws ArcError `ServiceAccountUnreadable`
 */
export async function inClusterConfig(options: InClusterOptions): Promise<ClientConfig | undefined> {
  const { environment, directory = defaultDirectory, clock = systemClock } = options;
  const { KUBERNETES_SERVICE_HOST: host = '', KUBERNETES_SERVICE_PORT: port = '443' } = environment;
  if (host === '') return undefined;
  const read = (name: string): Promise<string> => contentOf(join(directory, name));
  const currentCaPem = rereading(() => read('ca.crt'), clock);
  const caPem = await currentCaPem();
  const token = rereading(() => read('token'), clock);
  await token();
  const namespace = (await read('namespace').catch(() => '')).trim();
  return {
    server: `https://${host.includes(':') ? `[${host}]` : host}:${port}`,
    caPem,
    currentCaPem,
    token,
    ...(namespace !== '' && { namespace }),
  };
}

async function contentOf(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw new ArcError('ServiceAccountUnreadable', `the credentials of the service account cannot be read: ${messageOf(error)}`, {
      hint: 'Let the pod mount the token of its service account (automountServiceAccountToken), or name a kubeconfig with --kubeconfig.',
      cause: error,
    });
  }
}
