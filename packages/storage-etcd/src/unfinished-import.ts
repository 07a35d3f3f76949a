import { decodePlan, unfinishedImport, type ImportPlan } from '@arc/storage';
import type { EtcdClient } from './client/etcd-client.ts';
import type { EtcdLayout } from './etcd-layout.ts';
import { range } from './wire/kv.ts';

/**
 * Checks that nothing is being copied into this etcd.
 *
 * @throws StorageError `BadDatabase`
 */
export async function assertFilled(client: EtcdClient, layout: EtcdLayout, signal?: AbortSignal): Promise<void> {
  const plan = await unfinishedPlan(client, layout, signal);
  if (plan !== undefined) throw unfinishedImport('this etcd', plan);
}

/** What is being copied into it, if anything is. */
export async function unfinishedPlan(client: EtcdClient, layout: EtcdLayout, signal?: AbortSignal): Promise<ImportPlan | undefined> {
  const [found] = (await client.call(range, { key: markerKey(layout) }, signal)).items;
  return found === undefined ? undefined : decodePlan(Buffer.from(found.value).toString());
}

/** Where the plan is: beside the groups, whose names hold a dot or are `core`. */
export function markerKey(layout: EtcdLayout): Uint8Array {
  return Buffer.concat([layout.rangeToEtcd('').key, Buffer.from('unfinished-import')]);
}
