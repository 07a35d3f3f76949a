import { randomBytes } from 'node:crypto';
import { secrets } from '@arc/api/core';
import type { Secret } from '@arc/api/core';
import { isStatusReason } from '@arc/apimachinery';
import { ArcError } from '@arc/kernel';
import type { KubeClient } from '@arc/kube-client';

/** The Secret that holds it. */
export const digestKeyName = 'arc-digest-key';
const field = 'key';
/** As what every server makes for itself: not to be carried into another one with what people have written. */
const labels = { 'kubernetes.io/bootstrapping': 'digest-key' };
const type = 'arc.opendefense.cloud/digest-key';
const minBytes = 16;

/**
 * The key of the digests by which controllers notice changes of Secrets, the same for all that may lead: the Secret `arc-digest-key` of a
 * namespace. Who finds none makes it.
 *
 * @param make what to make it of; default: at random
 * @throws ArcError `InvalidDigestKey`
 */
export async function sharedDigestKey(
  client: Pick<KubeClient, 'get' | 'create'>,
  namespace: string,
  {
    make = () => Promise.resolve(randomBytes(32)),
    signal,
  }: { readonly make?: () => Promise<Uint8Array>; readonly signal?: AbortSignal } = {},
): Promise<Uint8Array> {
  const ref = { namespace, name: digestKeyName };
  const options = signal === undefined ? {} : { signal };
  const read = async (): Promise<Uint8Array> => {
    const { data } = await client.get<Secret>(secrets, ref, options);
    const key = Buffer.from(data?.[field] ?? '', 'base64');
    if (key.length >= minBytes) return key;
    throw new ArcError(
      'InvalidDigestKey',
      `the Secret ${namespace}/${digestKeyName} holds no key of at least ${minBytes} bytes under "${field}"`,
      {
        hint: 'Restore it from a backup, or delete it: a new one is made, and everything that uses a Secret is transferred once more.',
      },
    );
  };
  try {
    return await read();
  } catch (error) {
    if (!isStatusReason(error, 'NotFound')) throw error;
  }
  const made = await make();
  const data = { [field]: Buffer.from(made).toString('base64') };
  try {
    await client.create<Secret>(
      secrets,
      { apiVersion: 'v1', kind: 'Secret', metadata: { ...ref, labels }, type, immutable: true, data },
      options,
    );
    return made;
  } catch (error) {
    if (!isStatusReason(error, 'AlreadyExists')) throw error;
    return await read();
  }
}
