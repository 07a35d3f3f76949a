import type { StoredObject } from './cached-object.ts';
import type { CachedEvent, ObjectFilter } from './contract.ts';

/** A CachedEvent that also knows how it looks to a watcher whose selection it enters or leaves. */
export class CacheEvent implements CachedEvent {
  readonly type: CachedEvent['type'];
  readonly object: StoredObject;
  readonly previous: StoredObject | undefined;
  #entering: CacheEvent | undefined;
  #leaving: CacheEvent | undefined;

  constructor(type: CachedEvent['type'], object: StoredObject, previous: StoredObject | undefined) {
    this.type = type;
    this.object = object;
    this.previous = previous;
  }

  /** Bytes kept alive by this event alone once the object has moved on. */
  get heldBytes(): number {
    return (this.previous?.bytes.length ?? 0) + (this.type === 'DELETED' ? this.object.bytes.length : 0);
  }

  /**
   * The event as a watcher that picks some objects sees it: as it is, as ADDED when the object enters the selection, as
   * DELETED with the previous content under the new revision when it leaves, or not at all (wire contract 4.7).
   */
  seenThrough(picks: ObjectFilter | undefined): CacheEvent | undefined {
    if (picks === undefined) return this;
    const { previous } = this;
    if (this.type !== 'MODIFIED' || previous === undefined) return picks(previous ?? this.object) ? this : undefined;
    const was = picks(previous);
    const is = picks(this.object);
    if (was && is) return this;
    if (is) return (this.#entering ??= new CacheEvent('ADDED', this.object, undefined));
    if (was) return (this.#leaving ??= new CacheEvent('DELETED', previous.withRevision(this.object.revision), previous));
    return undefined;
  }
}
