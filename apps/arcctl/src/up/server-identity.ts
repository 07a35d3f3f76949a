import { createHash } from 'node:crypto';
import { readFile, realpath } from 'node:fs/promises';
import { hostname } from 'node:os';
import { loadOrCreateKey } from './data-directory.ts';
import type { DataDirectory } from './data-directory.ts';

/**
 * Names this server among those that share a storage: the same after a restart, another for a copy of its data directory in
 * another place, on another machine, or after a reboot, when nothing of it runs any more.
 */
export async function serverIdentity(directory: DataDirectory): Promise<string> {
  const hash = createHash('sha256').update(await loadOrCreateKey(directory.serverIdFile));
  for (const part of [hostname(), await realpath(directory.root), await bootId()]) hash.update(`\0${part}`);
  return `${hostname()}_${hash.digest('hex').slice(0, 16)}`;
}

async function bootId(): Promise<string> {
  return await readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => '');
}
