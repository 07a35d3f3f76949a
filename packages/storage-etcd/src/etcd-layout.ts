import { compareKeys, prefixEnd, rangeStart, StorageError, type StoreKey } from '@arc/storage';
import { renameGroup } from './group-rename.ts';

/** Where keys of the store lie in etcd, and how its values look there. Order is kept, so that a range of the one is a range of the other. */
export interface EtcdLayout {
  /** @throws StorageError `BadDatabase` for a key that has no place */
  toEtcd(key: StoreKey): Uint8Array;
  toStore(etcdKey: string): StoreKey;
  /** The keys in etcd with this prefix in the store, after the given one. */
  rangeToEtcd(prefix: string, after?: StoreKey): EtcdRange;
  valueToEtcd(value: Uint8Array): Uint8Array;
  valueToStore(value: Uint8Array): Uint8Array;
  /** What the keys of the store begin with, with the slash that follows. */
  readonly storeRoot: string;
  /** Where no key may be, for the order would not be kept, or two keys be one to the store. */
  readonly forbidden: readonly EtcdRange[];
}

/** From `key`, inclusive, to `rangeEnd`, exclusive. */
export interface EtcdRange {
  readonly key: Uint8Array;
  readonly rangeEnd: Uint8Array;
}

export interface EtcdLayoutOptions {
  /** What the store's keys begin with, without the slash that follows; default `/registry`. */
  readonly storePrefix?: string;
  /** What takes its place in etcd; default the same. */
  readonly etcdPrefix?: string;
  /** An API group that has another name in etcd: in keys, and wherever the metadata of objects names it. */
  readonly group?: RenamedGroup;
}

export interface RenamedGroup {
  readonly inStore: string;
  readonly inEtcd: string;
}

/**
 * The layout of a Kubernetes API server: one prefix for all it stores, then group, resource, namespace and name. An API
 * server library run with the etcd prefix `/registry/<group>`, as upstream ARC is, has
 * `/registry/<group>/<group>/<resource>/...`; `etcdPrefix: '/registry/<group>'` takes such an etcd over.
 */
export function etcdLayout(options: EtcdLayoutOptions = {}): EtcdLayout {
  const { storePrefix = '/registry', etcdPrefix = storePrefix, group } = options;
  const storeRoot = `${storePrefix}/`;
  const move = group === undefined || group.inEtcd === group.inStore ? undefined : new GroupMove(storeRoot, group);

  return {
    storeRoot,
    toEtcd: (key) => encode(toEtcd(key)),
    toStore(etcdKey) {
      const key = `${storePrefix}${etcdKey.slice(etcdPrefix.length)}`;
      return move === undefined ? key : move.back(key);
    },
    rangeToEtcd,
    valueToEtcd: (value) => (move === undefined ? value : renameGroup(value, move.group.inStore, move.group.inEtcd)),
    valueToStore: (value) => (move === undefined ? value : renameGroup(value, move.group.inEtcd, move.group.inStore)),
    forbidden: (move?.between() ?? []).map(([from, to]) => ({ key: boundToEtcd(from), rangeEnd: boundToEtcd(to) })),
  };

  function toEtcd(key: StoreKey): string {
    if (!key.startsWith(storeRoot)) {
      throw new StorageError('BadDatabase', `the key ${JSON.stringify(key)} does not begin with ${storeRoot}`, {
        hint: "Give the etcd store the API server's own storage prefix.",
      });
    }
    return atEtcdPrefix(move === undefined ? key : move.keyTo(key));
  }

  function rangeToEtcd(prefix: string, after?: StoreKey): EtcdRange {
    // A prefix of the root, down to the empty one, means all there is.
    const from = storeRoot.startsWith(prefix) ? storeRoot : prefix;
    const end = prefixEnd(from) ?? from;
    const start = rangeStart(from, after);
    const moved = (bound: string): string => (move === undefined ? bound : move.boundTo(bound));
    return { key: boundToEtcd(moved(compareKeys(start, end) < 0 ? start : end)), rangeEnd: boundToEtcd(moved(end)) };
  }

  /** Of a text at or after the root. */
  function boundToEtcd(bound: string): Uint8Array {
    return encode(bound.startsWith(storeRoot) ? atEtcdPrefix(bound) : (prefixEnd(`${etcdPrefix}/`) ?? ''));
  }

  function atEtcdPrefix(key: string): string {
    return `${etcdPrefix}${key.slice(storePrefix.length)}`;
  }
}

/** Gives the keys of one group the place of another. Order is kept as long as nothing lies between the two. */
class GroupMove {
  readonly group: RenamedGroup;
  readonly #from: string;
  readonly #fromEnd: string;
  readonly #to: string;
  readonly #toEnd: string;

  constructor(root: string, group: RenamedGroup) {
    this.group = group;
    [this.#from, this.#fromEnd] = [`${root}${group.inStore}/`, `${root}${group.inStore}0`];
    [this.#to, this.#toEnd] = [`${root}${group.inEtcd}/`, `${root}${group.inEtcd}0`];
  }

  keyTo(key: StoreKey): string {
    if (!key.startsWith(this.#to)) return replaceStart(key, this.#from, this.#to);
    throw new StorageError('BadDatabase', `the key ${JSON.stringify(key)} has no place in etcd: those of ${this.group.inStore} lie there`, {
      hint: `Do not serve the group ${this.group.inEtcd} from this etcd.`,
    });
  }

  back(key: string): StoreKey {
    return replaceStart(key, this.#to, this.#from);
  }

  /** Where the first key at or after `bound`, which may be any text, has its place. */
  boundTo(bound: string): string {
    if (bound.startsWith(this.#from)) return replaceStart(bound, this.#from, this.#to);
    if (isWithin(bound, this.#to, this.#from)) return this.#to;
    return bound === this.#fromEnd || isWithin(bound, this.#fromEnd, this.#toEnd) ? this.#toEnd : bound;
  }

  /** The ranges that have to be empty: what lies between, and the old place of the group. */
  between(): readonly (readonly [from: string, to: string])[] {
    const ranges = [
      [this.#from, this.#to],
      [this.#toEnd, this.#fromEnd],
    ] as const;
    return ranges.filter(([from, to]) => compareKeys(from, to) < 0);
  }
}

function isWithin(text: string, from: string, to: string): boolean {
  return compareKeys(text, from) >= 0 && compareKeys(text, to) < 0;
}

function replaceStart(text: string, from: string, to: string): string {
  return text.startsWith(from) ? `${to}${text.slice(from.length)}` : text;
}

function encode(key: string): Uint8Array {
  return new TextEncoder().encode(key);
}
