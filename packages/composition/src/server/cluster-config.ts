import { readFile } from 'node:fs/promises';
import { delimiter } from 'node:path';
import { ArcError, codeOf, messageOf } from '@arc/kernel';
import type { Clock } from '@arc/kernel';
import { clientConfigOf, inClusterConfig, loadKubeconfig } from '@arc/kube-client';
import type { ClientConfig, KubeconfigSource } from '@arc/kube-client';

interface ClusterConfigOptions {
  /** The file named with --kubeconfig. */
  readonly kubeconfig: string | undefined;
  readonly context: string | undefined;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
}

/**
 * The API server a program belongs to: that of the kubeconfig it was given, else of the cluster whose pod it runs in, else of
 * KUBECONFIG.
 *
 * @throws ArcError `NoCluster`, `KubeconfigUnreadable`, `ServiceAccountUnreadable`; what a kubeconfig is refused for
 */
export async function clusterConfig({ kubeconfig, context, environment, clock }: ClusterConfigOptions): Promise<ClientConfig> {
  const { KUBECONFIG: listed = '' } = environment;
  const ofPod = kubeconfig === undefined ? await inClusterConfig({ environment, clock }) : undefined;
  if (ofPod !== undefined) return ofPod;
  const files = kubeconfig === undefined ? listed.split(delimiter).filter((file) => file !== '') : [kubeconfig];
  if (files.length === 0) {
    throw new ArcError('NoCluster', 'it is not known which API server to work with', {
      hint: 'Name a file with --kubeconfig or KUBECONFIG; in a pod nothing needs to be said.',
    });
  }
  const sources = await Promise.all(files.map(source));
  return await clientConfigOf(await loadKubeconfig(sources.filter((each) => each !== undefined)), {
    clock,
    ...(context !== undefined && { context }),
  });

  async function source(path: string): Promise<KubeconfigSource | undefined> {
    try {
      return { path, text: await readFile(path, 'utf8') };
    } catch (error) {
      if (codeOf(error) === 'ENOENT' && kubeconfig === undefined) return undefined;
      throw new ArcError('KubeconfigUnreadable', `the kubeconfig ${path} cannot be read: ${messageOf(error)}`, {
        hint: 'Check the path, its owner and permissions.',
        cause: error,
      });
    }
  }
}
