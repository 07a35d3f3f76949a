import { readFile } from 'node:fs/promises';
import { secrets } from '@arc/api/core';
import type { Secret } from '@arc/api/core';
import { isStatusReason } from '@arc/apimachinery';
import { writeFileAtomically } from '@arc/kernel';
import type { KubeClient } from '@arc/kube-client';
import { loadOrCreateKey } from './data-directory.ts';

const ref = { namespace: 'kube-system', name: 'arc-digest-key' };
/** As what every server makes for itself: not to be carried into another one with what people have written. */
const labels = { 'kubernetes.io/bootstrapping': 'digest-key' };
const type = 'arc.opendefense.cloud/digest-key';

/**
 * The digest key of all servers that share a storage, as a Secret. The first of them makes it from the file in its data
 * directory, so that nothing looks changed to a server that used to be alone; the others take it into theirs.
 */
export async function sharedDigestKey(client: KubeClient, file: string): Promise<Uint8Array> {
  const key = (await read(client)) ?? (await create(client, await loadOrCreateKey(file)));
  const text = `${Buffer.from(key).toString('base64')}\n`;
  if ((await readFile(file, 'utf8').catch(() => '')) !== text) await writeFileAtomically(file, text);
  return key;
}

async function read(client: KubeClient): Promise<Uint8Array | undefined> {
  try {
    const { data } = await client.get<Secret>(secrets, ref);
    return Buffer.from(data?.['key'] ?? '', 'base64');
  } catch (error) {
    if (isStatusReason(error, 'NotFound')) return undefined;
    throw error;
  }
}

async function create(client: KubeClient, key: Uint8Array): Promise<Uint8Array> {
  const data = { key: Buffer.from(key).toString('base64') };
  try {
    await client.create<Secret>(secrets, { apiVersion: 'v1', kind: 'Secret', metadata: { ...ref, labels }, type, immutable: true, data });
    return key;
  } catch (error) {
    if (!isStatusReason(error, 'AlreadyExists')) throw error;
    return (await read(client)) ?? key;
  }
}
