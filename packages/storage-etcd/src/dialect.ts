import { StorageError } from '@arc/storage';
import type { StatusResponse } from './wire/server.ts';

/**
 * `kine` is what speaks etcd's protocol as far as Kubernetes needs it, over SQL databases: no alarms, no deletion of ranges,
 * no filters by revision, no previous values of writes, and transactions of a few shapes only.
 */
export type Dialect = 'etcd' | 'kine';

export function dialectOf({ clusterId }: StatusResponse): Dialect {
  return clusterId === '0' ? 'kine' : 'etcd';
}

/** Whether a key in etcd is the server's own: kine puts the health check of a kube-apiserver among the objects. */
export function isOfServer(dialect: Dialect, etcdKey: string): boolean {
  return dialect === 'kine' && etcdKey === '/registry/health';
}

/** @throws StorageError `BadDatabase` */
export function assertDialect(dialect: Dialect, wanted: Dialect, what: string): void {
  if (dialect === wanted) return;
  throw new StorageError('BadDatabase', `${dialect} cannot be ${what}: it lacks transactions that etcd has`, {
    hint: 'Move the objects through the API: kubectl get -o yaml from the one server, kubectl apply -f - to the other.',
  });
}
