import { SegmentedMap } from '../segmented-map.ts';
import type { ChangeEvent, StoredValue } from '../store.ts';
import type { HistoryLimits } from './event-history.ts';

/** Values and changes of resources nobody has asked for yet, undecoded because nobody has said what they are. */
export class UnclaimedState {
  readonly #values = new SegmentedMap<StoredValue>();
  #changes: ChangeEvent[] = [];
  readonly #maxChanges: number;
  #floor: number;

  constructor(limits: HistoryLimits, floor: number) {
    this.#maxChanges = limits.events;
    this.#floor = floor;
  }

  /** Changes are complete for everything after this revision. */
  get floor(): number {
    return this.#floor;
  }

  load(stored: StoredValue): void {
    // An exact copy: the bytes may be a view of a whole page of results.
    this.#values.set({ ...stored, value: new Uint8Array(stored.value) });
  }

  apply(change: ChangeEvent): void {
    const { key, revision, value } = change;
    if (value === null) this.#values.delete(key);
    else this.load({ key, revision, value });
    this.remember([change]);
  }

  remember(changes: readonly ChangeEvent[]): void {
    this.#changes.push(...changes);
    if (this.#changes.length <= 2 * this.#maxChanges) return;
    const dropped = this.#changes.splice(0, this.#changes.length - this.#maxChanges);
    this.#floor = dropped.at(-1)?.revision ?? this.#floor;
  }

  /** Hands over everything under `prefix`. */
  take(prefix: string): { readonly values: readonly StoredValue[]; readonly changes: readonly ChangeEvent[] } {
    const values: StoredValue[] = [];
    this.#values.walk(prefix, undefined, (value) => value.key.startsWith(prefix) && values.push(value) > 0);
    for (const value of values) this.#values.delete(value.key);
    const changes = this.#changes.filter(({ key }) => key.startsWith(prefix));
    this.#changes = this.#changes.filter(({ key }) => !key.startsWith(prefix));
    return { values, changes };
  }
}
