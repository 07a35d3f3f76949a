import type { KubeObject } from '@arc/apimachinery/client';
import { ArcError } from '@arc/kernel';
import type { IndexFunction } from './informer.ts';

/** Objects by namespace and name, with indexes that are kept up with every change. */
export class InformerStore<T extends KubeObject> {
  readonly #objects = new Map<string, T>();
  readonly #namespaces = new Map<string, Map<string, T>>();
  readonly #indexes: readonly {
    readonly name: string;
    readonly valuesOf: IndexFunction<T>;
    readonly buckets: Map<string, Map<string, T>>;
  }[];

  constructor(indexes: Readonly<Record<string, IndexFunction<T>>>) {
    this.#indexes = Object.entries(indexes).map(([name, valuesOf]) => ({ name, valuesOf, buckets: new Map() }));
  }

  get keys(): readonly string[] {
    return [...this.#objects.keys()];
  }

  get(key: string): T | undefined {
    return this.#objects.get(key);
  }

  list(namespace: string | undefined): readonly T[] {
    const objects = namespace === undefined ? this.#objects : this.#namespaces.get(namespace);
    return objects === undefined ? [] : [...objects.values()];
  }

  /** @throws ArcError `UnknownIndex` */
  byIndex(name: string, value: string): readonly T[] {
    const index = this.#indexes.find((candidate) => candidate.name === name);
    if (index === undefined) {
      throw new ArcError('UnknownIndex', `the informer has no index ${JSON.stringify(name)}`, {
        hint: `Declare it when the informer is created; it has: ${this.#indexes.map((known) => known.name).join(', ') || 'none'}.`,
      });
    }
    return [...(index.buckets.get(value)?.values() ?? [])];
  }

  set(key: string, object: T): void {
    this.remove(key);
    this.#objects.set(key, object);
    addTo(this.#namespaces, object.metadata.namespace ?? '', key, object);
    for (const { valuesOf, buckets } of this.#indexes) {
      for (const value of valuesOf(object)) addTo(buckets, value, key, object);
    }
  }

  remove(key: string): void {
    const old = this.#objects.get(key);
    if (old === undefined) return;
    this.#objects.delete(key);
    removeFrom(this.#namespaces, old.metadata.namespace ?? '', key);
    for (const { valuesOf, buckets } of this.#indexes) {
      for (const value of valuesOf(old)) removeFrom(buckets, value, key);
    }
  }
}

/** Distinguishes `a/b` in a namespace from a cluster-scoped name, which has an empty first part. */
export function storeKey(namespace: string | undefined, name: string): string {
  return `${namespace ?? ''}/${name}`;
}

function addTo<T>(buckets: Map<string, Map<string, T>>, value: string, key: string, object: T): void {
  const bucket = buckets.get(value);
  if (bucket === undefined) buckets.set(value, new Map([[key, object]]));
  else bucket.set(key, object);
}

function removeFrom<T>(buckets: Map<string, Map<string, T>>, value: string, key: string): void {
  const bucket = buckets.get(value);
  if (bucket === undefined) return;
  bucket.delete(key);
  if (bucket.size === 0) buckets.delete(value);
}
