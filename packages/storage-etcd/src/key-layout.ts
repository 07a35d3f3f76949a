import { compareKeys, StorageError, type StoreKey } from '@arc/storage';

/** Where keys of the store lie in etcd. Order is kept, so that a range of the one is a range of the other. */
export interface KeyLayout {
  /** @throws StorageError `BadDatabase` for a key that has no place */
  toEtcd(key: StoreKey): Uint8Array;
  toStore(etcdKey: string): StoreKey;
  /** The keys in etcd with this prefix in the store, after the given one. */
  rangeToEtcd(prefix: string, after?: StoreKey): EtcdRange;
}

/** From `key`, inclusive, to `rangeEnd`, exclusive. */
export interface EtcdRange {
  readonly key: Uint8Array;
  readonly rangeEnd: Uint8Array;
}

export interface KeyLayoutOptions {
  /** What the store's keys begin with, without the slash that follows; default `/registry`. */
  readonly storePrefix?: string;
  /** What takes its place in etcd; default the same. */
  readonly etcdPrefix?: string;
}

/**
 * The layout of a Kubernetes API server: one prefix for all it stores, then group, resource, namespace and name. An API
 * server library run with the etcd prefix `/registry/<group>`, as upstream ARC is, has
 * `/registry/<group>/<group>/<resource>/...`; `etcdPrefix: '/registry/<group>'` takes such an etcd over.
 */
export function keyLayout(options: KeyLayoutOptions = {}): KeyLayout {
  const { storePrefix = '/registry', etcdPrefix = storePrefix } = options;
  const storeRoot = `${storePrefix}/`;
  return { toEtcd: (key) => encode(toEtcd(key)), toStore, rangeToEtcd };

  function toEtcd(key: StoreKey): string {
    if (key.startsWith(storeRoot)) return `${etcdPrefix}${key.slice(storePrefix.length)}`;
    throw new StorageError('BadDatabase', `the key ${JSON.stringify(key)} does not begin with ${storeRoot}`, {
      hint: "Give the etcd store the API server's own storage prefix.",
    });
  }

  function toStore(etcdKey: string): StoreKey {
    return `${storePrefix}${etcdKey.slice(etcdPrefix.length)}`;
  }

  function rangeToEtcd(prefix: string, after: StoreKey = ''): EtcdRange {
    // A prefix of the root, down to the empty one, means all there is.
    const from = storeRoot.startsWith(prefix) ? storeRoot : prefix;
    const start = encode(toEtcd(from));
    const rangeEnd = prefixEndOf(start);
    if (compareKeys(after, from) < 0) return { key: start, rangeEnd };
    return { key: after.startsWith(storeRoot) ? encode(`${toEtcd(after)}\0`) : rangeEnd, rangeEnd };
  }
}

function encode(key: string): Uint8Array {
  return new TextEncoder().encode(key);
}

/** The smallest bytes greater than everything that begins with `prefix`, which is UTF-8 and so holds no 0xff. */
function prefixEndOf(prefix: Uint8Array): Uint8Array {
  const end = prefix.slice();
  end[end.length - 1] = (end.at(-1) ?? 0) + 1;
  return end;
}
