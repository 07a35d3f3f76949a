import { readFile } from 'node:fs/promises';
import { sharedDigestKey } from '@arc/composition';
import { writeFileAtomically } from '@arc/kernel';
import type { KubeClient } from '@arc/kube-client';
import { loadOrCreateKey } from './data-directory.ts';

/**
 * The digest key of all servers that share a storage. The first of them makes it from the file in its data directory, so that
 * nothing looks changed to a server that used to be alone; the others take it into theirs.
 */
export async function digestKeyOfAll(client: KubeClient, file: string): Promise<Uint8Array> {
  const key = await sharedDigestKey(client, 'kube-system', { make: () => loadOrCreateKey(file) });
  const text = `${Buffer.from(key).toString('base64')}\n`;
  if ((await readFile(file, 'utf8').catch(() => '')) !== text) await writeFileAtomically(file, text);
  return key;
}
