import assert from 'node:assert/strict';
import { createMemoryStore } from '../memory/memory-store.ts';
import type { Store } from '../store.ts';
import type { CachedObject, CachedResource, Delivery, Watcher } from './contract.ts';

export const orders: CachedResource = {
  prefix: '/registry/g/orders/',
  namespaced: true,
  fieldsOf: (object) => ({ phase: String(object['phase'] ?? '') }),
};

export interface OrderContent {
  readonly labels?: Readonly<Record<string, string>>;
  readonly phase?: string;
  /** Uids. */
  readonly owners?: readonly string[];
}

export function orderKey(path: string): string {
  return `${orders.prefix}${path}`;
}

export function orderJson(path: string, { labels, phase, owners }: OrderContent = {}): Buffer {
  const [namespace = '', name = ''] = path.split('/');
  const ownerReferences = owners?.map((uid) => ({ uid }));
  const metadata = { name, namespace, uid: `uid-${name}`, labels, ownerReferences };
  return Buffer.from(JSON.stringify({ apiVersion: 'g/v1', kind: 'Order', metadata, phase }));
}

/** Writes Orders by `namespace/name`, knowing their revisions. */
export class OrderWriter {
  readonly #revisions = new Map<string, number>();
  readonly store: Store;

  constructor(store: Store = createMemoryStore()) {
    this.store = store;
  }

  put(path: string, content: OrderContent = {}): Promise<number> {
    return this.putRaw(path, orderJson(path, content));
  }

  delete(path: string): Promise<number> {
    return this.putRaw(path, null);
  }

  async putRaw(path: string, value: Uint8Array | null): Promise<number> {
    const [outcome] = await this.store.commit([{ key: orderKey(path), expect: this.#revisions.get(path) ?? 'absent', value }]);
    assert.ok(outcome?.committed === true, `write of ${path} was refused`);
    if (value === null) this.#revisions.delete(path);
    else this.#revisions.set(path, outcome.revision);
    return outcome.revision;
  }
}

export function pathsOf(objects: readonly CachedObject[]): string[] {
  return objects.map(({ namespace, name }) => `${namespace}/${name}`);
}

export function jsonOf(bytes: Uint8Array): unknown {
  return JSON.parse(Buffer.from(bytes).toString());
}

/** A delivery in short: `12: ADDED ns/a@11, DELETED ns/b@12`. */
function summary({ revision, events }: Delivery): string {
  return `${revision}: ${events.map(({ type, object }) => `${type} ${object.namespace}/${object.name}@${object.revision}`).join(', ')}`;
}

/** Reads deliveries one at a time. */
export function reader(watcher: Watcher): { readonly next: () => Promise<string> } {
  const iterator = watcher[Symbol.asyncIterator]();
  return {
    async next() {
      const { done, value } = await iterator.next();
      return done === true ? 'end' : summary(value);
    },
  };
}
