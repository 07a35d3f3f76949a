import { compareKeys, keyAfter } from '../key-order.ts';
import { type Run, SegmentedMap } from '../segmented-map.ts';
import type { StoreKey } from '../store.ts';
import type { StoredObject } from './cached-object.ts';
import type { Requirement } from './contract.ts';
import { valuesOf } from './selection.ts';

/** Objects in key order, as a SegmentedMap hands them out. */
export interface OrderedObjects {
  runs(start: StoreKey, end: StoreKey | undefined): Iterable<Run<StoredObject>>;
}

/** Most values of most labels belong to one object, for which a map of its own would be several times as large. */
type Posting = StoredObject | SegmentedMap<StoredObject>;

/** The objects of one resource by what they have under one property. */
export class ObjectIndex {
  /** Any requirement about the property. */
  readonly #property: Requirement;
  readonly #postings = new Map<string, Posting>();
  /** The objects before this key have been taken in; undefined: all. */
  #builtTo: StoreKey | undefined = '';

  constructor(property: Requirement) {
    this.#property = property;
  }

  /** Only then does `objectsWith` know all objects. */
  get complete(): boolean {
    return this.#builtTo === undefined;
  }

  /** Takes in up to `count` more of the objects there are. */
  build(objects: SegmentedMap<StoredObject>, count: number): void {
    const from = this.#builtTo;
    if (from === undefined) return;
    const batch: StoredObject[] = [];
    objects.walk(from, undefined, (object) => batch.push(object) < count);
    for (const object of batch) this.#add(object);
    const last = batch.at(-1);
    this.#builtTo = last === undefined || batch.length < count ? undefined : keyAfter(last.key);
  }

  /** Follows a change of one object; undefined: there is none. */
  replace(previous: StoredObject | undefined, object: StoredObject | undefined): void {
    const key = (object ?? previous)?.key;
    if (key === undefined || (this.#builtTo !== undefined && compareKeys(key, this.#builtTo) >= 0)) return;
    const before = previous === undefined ? [] : valuesOf(previous, this.#property);
    const after = object === undefined ? [] : valuesOf(object, this.#property);
    for (const value of before) if (!after.includes(value)) this.#remove(value, key);
    if (object !== undefined) for (const value of after) this.#put(value, object);
  }

  /** How many objects from `start` to `end` have one of the values, those with several counted several times. */
  count(values: readonly string[], start: StoreKey, end: StoreKey | undefined): number {
    return this.#postingsOf(values).reduce((sum, posting) => sum + (posting instanceof SegmentedMap ? posting.count(start, end) : 1), 0);
  }

  objectsWith(values: readonly string[]): OrderedObjects {
    const postings = this.#postingsOf(values);
    const [only] = postings;
    if (postings.length === 1 && only instanceof SegmentedMap) return only;
    return { runs: (start, end) => runOf(gathered(postings, start, end), start, end) };
  }

  #postingsOf(values: readonly string[]): readonly Posting[] {
    return [...new Set(values)].flatMap((value) => this.#postings.get(value) ?? []);
  }

  #add(object: StoredObject): void {
    for (const value of valuesOf(object, this.#property)) this.#put(value, object);
  }

  #put(value: string, object: StoredObject): void {
    const posting = this.#postings.get(value);
    if (posting instanceof SegmentedMap) posting.set(object);
    else if (posting === undefined || posting.key === object.key) this.#postings.set(value, object);
    else {
      const several = new SegmentedMap<StoredObject>();
      several.set(posting);
      several.set(object);
      this.#postings.set(value, several);
    }
  }

  #remove(value: string, key: StoreKey): void {
    const posting = this.#postings.get(value);
    if (posting instanceof SegmentedMap) posting.delete(key);
    const empty = posting instanceof SegmentedMap ? posting.size === 0 : posting?.key === key;
    if (empty) this.#postings.delete(value);
  }
}

/** What several postings hold in a range, in the order of keys, each object once. */
function gathered(postings: readonly Posting[], start: StoreKey, end: StoreKey | undefined): readonly StoredObject[] {
  const found = new Set<StoredObject>();
  for (const posting of postings) {
    if (posting instanceof SegmentedMap) posting.walk(start, end, (object) => found.add(object).size > 0);
    else found.add(posting);
  }
  return [...found].sort((a, b) => compareKeys(a.key, b.key));
}

/** Those of some objects in key order that lie in a range. */
export function runOf(objects: readonly StoredObject[], start: StoreKey, end: StoreKey | undefined): readonly Run<StoredObject>[] {
  const segment = objects.filter(({ key }) => isBetween(key, start, end));
  return segment.length === 0 ? [] : [{ segment, from: 0, to: segment.length }];
}

/** From `start` (inclusive) to `end` (exclusive; undefined = to the last). */
export function isBetween(key: StoreKey, start: StoreKey, end: StoreKey | undefined): boolean {
  return compareKeys(key, start) >= 0 && (end === undefined || compareKeys(key, end) < 0);
}
