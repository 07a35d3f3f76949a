import { arcGroup } from '@arc/api/arc';
import type { EtcdStoreOptions } from '@arc/storage-etcd';
import { servedResources } from './served-kinds.ts';

/**
 * What a URL says about an etcd, and what ARC keeps in it.
 *
 * @throws ArcError `InvalidStorageUrl`
 */
export async function etcdOptions(url: string): Promise<EtcdStoreOptions> {
  const { etcdOptionsOf } = await import('@arc/storage-etcd');
  const groups = servedResources().map(({ group }) => (group === '' ? 'core' : group));
  return { ...(await etcdOptionsOf(url, { group: arcGroup })), groups };
}
