import { codeOf } from '@arc/kernel';
import type { EtcdClient } from './client/etcd-client.ts';
import type { EtcdLayout } from './etcd-layout.ts';
import { swap } from './wire/kv.ts';

/**
 * Checks that we may write, by a write whose condition is never true: etcd looks at permissions first.
 *
 * @throws StorageError `Unavailable`
 */
export async function assertMayWrite(client: EtcdClient, layout: EtcdLayout, signal?: AbortSignal): Promise<void> {
  const { key } = layout.rangeToEtcd('');
  try {
    await client.call(swap, { key, expect: Number.MAX_SAFE_INTEGER, value: new Uint8Array() }, signal);
  } catch (error) {
    // One that is full serves reads.
    if (codeOf(error) !== 'Full') throw error;
  }
}
