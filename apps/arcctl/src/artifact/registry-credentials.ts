import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ArcError, codeOf, messageOf } from '@arc/kernel';
import { anonymous, isTransferError, parseDockerConfig } from '@arc/transfer';
import type { CredentialSource } from '@arc/transfer';
import type { Environment } from '../command.ts';
import { helperCredentials } from './credential-helpers.ts';
import { homeDirectory } from '../default-data-directory.ts';

/**
 * The credentials of the user for registries: of the named file, else of the first that exists of $REGISTRY_AUTH_FILE,
 * containers' auth.json and Docker's config.json. A default file without credentials in it means anonymous. Programs that such a
 * file names as credential helpers are run only with `helpers`.
 *
 * @throws ArcError `AuthFileUnreadable`; TransferError `InvalidCredentials`
 */
export async function readRegistryCredentials(
  named: string | undefined,
  environment: Environment,
  options: { readonly helpers?: boolean } = {},
): Promise<CredentialSource> {
  const read = (text: string, path: string): CredentialSource => {
    const own = helpersOnly(text) && options.helpers === true ? anonymous : parseDockerConfig(text, path);
    return (options.helpers === true ? helperCredentials(text, environment, own) : undefined) ?? own;
  };
  if (named !== undefined) {
    const text = await readIfExists(named);
    if (text !== undefined) return read(text, named);
    throw new ArcError('AuthFileUnreadable', `the file ${named} does not exist`, { hint: 'Check the path given with --authfile.' });
  }
  const { REGISTRY_AUTH_FILE, XDG_RUNTIME_DIR, DOCKER_CONFIG } = environment;
  const candidates = [
    REGISTRY_AUTH_FILE,
    XDG_RUNTIME_DIR === undefined ? undefined : join(XDG_RUNTIME_DIR, 'containers', 'auth.json'),
    join(DOCKER_CONFIG ?? join(homeDirectory(environment), '.docker'), 'config.json'),
  ];
  for (const path of candidates) {
    const text = path === undefined || path === '' ? undefined : await readIfExists(path);
    if (text === undefined || path === undefined) continue;
    try {
      return read(text, path);
    } catch (error) {
      // Such a file may hold only settings, or leave credentials to a helper.
      if (!isTransferError(error, 'InvalidCredentials')) throw error;
    }
  }
  return anonymous;
}

/** True of a configuration that is JSON and holds no credentials itself. */
function helpersOnly(text: string): boolean {
  try {
    return (JSON.parse(text) as { auths?: unknown } | null)?.auths === undefined;
  } catch {
    return false;
  }
}

async function readIfExists(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw new ArcError('AuthFileUnreadable', `cannot read ${path}: ${messageOf(error)}`, { hint: 'Check who may read it.' });
  }
}
