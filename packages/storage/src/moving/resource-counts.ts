import type { StoreKey } from '../store.ts';

/** Counts objects by resource. */
export class ResourceCounts {
  readonly #counts = new Map<string, number>();

  add(key: StoreKey, count = 1): void {
    const resource = resourceOf(key);
    this.#counts.set(resource, (this.#counts.get(resource) ?? 0) + count);
  }

  /** By resource, as in `orders.arc.opendefense.cloud`; in the order of names. */
  toRecord(): Readonly<Record<string, number>> {
    return Object.fromEntries([...this.#counts].toSorted(([a], [b]) => (a < b ? -1 : 1)));
  }
}

/** `orders.arc.opendefense.cloud` of `/registry/arc.opendefense.cloud/orders/default/a`; the core group has no name. */
export function resourceOf(key: StoreKey): string {
  const [, group, resource] = /^\/[^/]+\/([^/]+)\/([^/]+)\/./.exec(key) ?? [];
  if (group === undefined || resource === undefined) return '(other)';
  return group === 'core' ? resource : `${resource}.${group}`;
}
