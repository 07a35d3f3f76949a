import { ResourceCounts } from '@arc/storage';
import { connectToEtcd, openEtcdStore, type EtcdStoreOptions } from './etcd-store.ts';
import { range, type RangeResponse } from './wire/kv.ts';
import { status } from './wire/server.ts';
import { markerKey, unfinishedPlan } from './unfinished-import.ts';

/** What an etcd holds, for people who run it. */
export interface EtcdStatus {
  readonly serverVersion: string;
  /** Of the whole etcd. */
  readonly revision: number;
  /** Undefined while a copy into it has not been finished. */
  readonly compactedRevision: number | undefined;
  readonly objects: number;
  /** Objects by resource, as in `orders.arc.opendefense.cloud`. */
  readonly resources: Readonly<Record<string, number>>;
  /** Of the whole database of the member that answered, with what a defragmentation would free. */
  readonly bytes: number;
  /** The command that goes on with a copy into it that has not been finished. */
  readonly unfinished: string | undefined;
}

const keysAtOnce = 10_000;

/**
 * Looks at an etcd without opening it as a store. Only keys are read.
 *
 * @throws StorageError as `openEtcdStore`
 */
export async function inspectEtcd(options: EtcdStoreOptions): Promise<EtcdStatus> {
  const { signal } = options;
  const { client, layout } = await connectToEtcd(options);
  try {
    const { version, dbSize } = await client.call(status, undefined, signal);
    const unfinished = await unfinishedPlan(client, layout, signal);
    const marker = Buffer.from(markerKey(layout)).toString();
    const counts = new ResourceCounts();
    let objects = 0;
    let page: RangeResponse;
    let after = '';
    do {
      page = await client.call(range, { ...layout.rangeToEtcd('', after), limit: keysAtOnce, keysOnly: true }, signal);
      for (const { key } of page.items) {
        after = layout.toStore(key);
        if (key === marker) continue;
        counts.add(after);
        objects += 1;
      }
    } while (page.more);
    const { revision } = page;
    const compactedRevision = unfinished === undefined ? await compactedRevisionOf(options) : undefined;
    return {
      compactedRevision,
      serverVersion: version,
      revision,
      objects,
      resources: counts.toRecord(),
      bytes: dbSize,
      unfinished: unfinished?.command,
    };
  } finally {
    client.close();
  }
}

async function compactedRevisionOf(options: EtcdStoreOptions): Promise<number> {
  await using store = await openEtcdStore({ ...options, readOnly: true });
  return await store.compactedRevision();
}
