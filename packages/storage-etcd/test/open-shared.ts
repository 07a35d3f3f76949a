import type { Store } from '@arc/storage';
import { openEtcdStore } from '../src/etcd-store.ts';

/** Where the conformance suite's keys, which begin in any way, lie in etcd. */
const layout = { storePrefix: '', etcdPrefix: '/conformance' };

/** Lets the suite and its processes in to the etcd on `HOST:PORT`. */
export async function openShared(host: string): Promise<Store> {
  return await openEtcdStore({ endpoints: [host], layout });
}
