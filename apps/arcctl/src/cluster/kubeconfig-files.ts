import { readFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { ArcError, codeOf, messageOf } from '@arc/kernel';
import type { KubeconfigSource } from '@arc/kube-client';
import type { Environment } from '../command.ts';
import { defaultDataDirectory, homeDirectory } from '../default-data-directory.ts';

/**
 * Reads the kubeconfigs that decide which server is meant: the file given by --kubeconfig, else those KUBECONFIG lists
 * (missing ones are passed over), else ~/.kube/config, else the one `arcctl up` keeps in its data directory.
 *
 * @throws ArcError `NoKubeconfig`, `KubeconfigUnreadable`
 */
export async function readKubeconfigs(named: string | undefined, environment: Environment): Promise<KubeconfigSource[]> {
  if (named !== undefined) return [await readNamed(named)];
  const { KUBECONFIG: list = '' } = environment;
  const listed = list.split(delimiter).filter((path) => path !== '');
  if (listed.length > 0) {
    const found = await readExisting(listed);
    if (found.length > 0) return found;
    throw new ArcError('NoKubeconfig', `KUBECONFIG names no file that exists: ${listed.join(', ')}`, {
      hint: 'Correct or unset KUBECONFIG, or name a file with --kubeconfig.',
    });
  }
  for (const path of [join(homeDirectory(environment), '.kube', 'config'), join(defaultDataDirectory(environment), 'kubeconfig')]) {
    const [found] = await readExisting([path]);
    if (found !== undefined) return [found];
  }
  throw new ArcError('NoKubeconfig', 'there is no kubeconfig, so it is not known which server to talk to', {
    hint: 'Start ARC with arcctl up, or name a file with --kubeconfig or KUBECONFIG.',
  });
}

async function readNamed(path: string): Promise<KubeconfigSource> {
  const [found] = await readExisting([path]);
  if (found !== undefined) return found;
  throw new ArcError('NoKubeconfig', `the kubeconfig ${path} does not exist`, { hint: 'Check the path given with --kubeconfig.' });
}

async function readExisting(paths: readonly string[]): Promise<KubeconfigSource[]> {
  const found: KubeconfigSource[] = [];
  for (const path of paths) {
    try {
      found.push({ path, text: await readFile(path, 'utf8') });
    } catch (error) {
      if (codeOf(error) === 'ENOENT') continue;
      throw new ArcError('KubeconfigUnreadable', `the kubeconfig ${path} cannot be read: ${messageOf(error)}`, {
        cause: error,
        hint: 'Check its owner and permissions.',
      });
    }
  }
  return found;
}
