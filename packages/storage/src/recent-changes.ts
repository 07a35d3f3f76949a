import { unshared } from '@arc/kernel';
import type { ChangeBatch, ChangeEvent } from './store.ts';

const maxEvents = 1024;
const maxBytes = 4 * 1024 * 1024;

/** The newest changes, kept in memory so that followers who keep up never query the database. Revisions have no gaps. */
export class RecentChanges {
  #events: ChangeEvent[] = [];
  #bytes = 0;

  push(events: readonly ChangeEvent[]): void {
    const last = this.#events.at(-1);
    if (last !== undefined && last.revision + 1 !== events[0]?.revision) this.clear();
    for (const event of events) {
      this.#events.push(kept(event));
      this.#bytes += sizeOf(event);
    }
    if (this.#events.length > 2 * maxEvents || this.#bytes > 2 * maxBytes) this.#drop();
  }

  clear(): void {
    this.#events = [];
    this.#bytes = 0;
  }

  /** Everything after `after`; undefined when that reaches further back than what is held. */
  read(after: number): ChangeBatch | undefined {
    const first = this.#events[0]?.revision;
    const last = this.#events.at(-1)?.revision;
    if (first === undefined || last === undefined || after + 1 < first || after >= last) return undefined;
    return { revision: last, events: this.#events.slice(after + 1 - first) };
  }

  #drop(): void {
    let kept = 0;
    let bytes = 0;
    for (let at = this.#events.length - 1; at >= 0 && kept < maxEvents; at--) {
      const event = this.#events[at];
      if (event === undefined || bytes + sizeOf(event) > maxBytes) break;
      bytes += sizeOf(event);
      kept += 1;
    }
    this.#events = kept === 0 ? [] : this.#events.slice(-kept);
    this.#bytes = bytes;
  }
}

/** As large as it counts for: values may be small parts of a pool, or of what came over the network. 2,000 of 1.5 KB held 36 MB, and hold 4.6. */
function kept(event: ChangeEvent): ChangeEvent {
  const { value, previous } = event;
  return {
    ...event,
    value: value === null ? null : unshared(value),
    previous: previous === undefined ? undefined : { ...previous, value: unshared(previous.value) },
  };
}

function sizeOf(event: ChangeEvent): number {
  return (event.value?.length ?? 0) + (event.previous?.value.length ?? 0);
}
