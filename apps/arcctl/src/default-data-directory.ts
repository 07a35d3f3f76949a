import { homedir } from 'node:os';
import { join } from 'node:path';
import type { Environment } from './command.ts';

/** Where `arcctl up` keeps its data unless told otherwise, and where the other commands look for its kubeconfig. */
export function defaultDataDirectory(environment: Environment): string {
  const { ARC_DATA_DIR: own = '', XDG_DATA_HOME: shared = '' } = environment;
  if (own !== '') return own;
  return join(shared === '' ? join(homeDirectory(environment), '.local', 'share') : shared, 'arc');
}

export function homeDirectory(environment: Environment): string {
  const { HOME: home = '' } = environment;
  return home === '' ? homedir() : home;
}
