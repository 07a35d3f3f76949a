import type { ReconcileRequest } from '@arc/controller';

/** Limits how many steps run at once over all Workflows. Whoever had to wait is called in the order of asking. */
export class Slots {
  readonly #max: number;
  readonly #held = new Set<string>();
  readonly #waiting = new Map<string, ReconcileRequest>();
  /** Who was called and has not been looked at since. */
  readonly #called = new Set<string>();
  readonly #call: (request: ReconcileRequest) => void;

  constructor(max: number, call: (request: ReconcileRequest) => void) {
    this.#max = max;
    this.#call = call;
  }

  get max(): number {
    return this.#max;
  }

  /** A step that runs already holds its slot, whatever the limit. */
  hold(key: string): void {
    this.#held.add(key);
  }

  /** False: there is none now, and `waiting` is called when there may be one. */
  acquire(key: string, waiting: ReconcileRequest): boolean {
    if (this.#held.has(key)) return true;
    if (this.#held.size < this.#max) {
      this.#held.add(key);
      return true;
    }
    this.#waiting.set(nameOf(waiting), waiting);
    return false;
  }

  release(key: string): void {
    if (this.#held.delete(key)) this.#offer();
  }

  /** Somebody has been looked at. Who was called and needs no slot any more, being gone perhaps, must not keep it from the next. */
  lookedAt(request: ReconcileRequest): void {
    if (this.#called.delete(nameOf(request))) this.#offer();
  }

  #offer(): void {
    for (const [name, request] of this.#waiting) {
      if (this.#held.size + this.#called.size >= this.#max) return;
      this.#waiting.delete(name);
      this.#called.add(name);
      this.#call(request);
    }
  }
}

function nameOf({ namespace, name }: ReconcileRequest): string {
  return `${namespace ?? ''}/${name}`;
}
