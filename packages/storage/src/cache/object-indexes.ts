import type { SegmentedMap } from '../segmented-map.ts';
import type { StoreKey } from '../store.ts';
import type { StoredObject } from './cached-object.ts';
import type { Requirement } from './contract.ts';
import { ObjectIndex, type OrderedObjects } from './object-index.ts';
import { propertyOf } from './selection.ts';

/** Properties indexed at once; the one that was asked for longest ago makes room for another. */
const maxIndexes = 16;
/** Objects taken into an index in one turn of the event loop: 2 to 4 ms. */
const buildBatch = 4096;

/**
 * The indexes over one set of objects. An index is made when a selection first asks for its property, a batch of objects per
 * turn of the event loop, and until it is complete selections do without it: what nobody selects by costs nothing.
 */
export class ObjectIndexes {
  readonly #objects: SegmentedMap<StoredObject>;
  /** The one asked for last comes last. */
  readonly #indexes = new Map<string, ObjectIndex>();

  constructor(objects: SegmentedMap<StoredObject>) {
    this.#objects = objects;
  }

  get size(): number {
    return this.#indexes.size;
  }

  /** The smallest known superset of the objects that meet all requirements; undefined when the objects of the range are as few. */
  candidates(requirements: readonly Requirement[], start: StoreKey, end: StoreKey | undefined): OrderedObjects | undefined {
    let fewest = this.#objects.count(start, end);
    let found: OrderedObjects | undefined;
    for (const requirement of requirements) {
      const index = this.#indexOf(requirement);
      if (!index.complete) continue;
      const count = index.count(requirement.values, start, end);
      if (count >= fewest) continue;
      fewest = count;
      found = index.objectsWith(requirement.values);
    }
    return found;
  }

  replace(previous: StoredObject | undefined, object: StoredObject | undefined): void {
    for (const index of this.#indexes.values()) index.replace(previous, object);
  }

  /** Forgets all indexes: objects have changed in place. */
  clear(): void {
    this.#indexes.clear();
  }

  #indexOf(requirement: Requirement): ObjectIndex {
    const property = propertyOf(requirement);
    const known = this.#indexes.get(property);
    const index = known ?? new ObjectIndex(requirement);
    this.#indexes.delete(property);
    this.#indexes.set(property, index);
    if (known !== undefined) return known;
    for (const oldest of this.#indexes.keys()) {
      if (this.#indexes.size <= maxIndexes) break;
      this.#indexes.delete(oldest);
    }
    this.#build(property, index);
    return index;
  }

  #build(property: string, index: ObjectIndex): void {
    if (this.#indexes.get(property) !== index) return;
    index.build(this.#objects, buildBatch);
    if (!index.complete) setImmediate(() => this.#build(property, index));
  }
}
