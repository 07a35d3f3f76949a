/** What goes wrong. Byte counts are of the response body, or of the request body for POST, PATCH and PUT. */
export type FaultAction =
  /** Answers `status` without doing anything, as 401, 429 (with `retry-after`), 500. */
  | { readonly kind: 'status'; readonly status: number; readonly headers?: Readonly<Record<string, string>>; readonly body?: string }
  /** Destroys the connection after `afterBytes` bytes of body. */
  | { readonly kind: 'cut'; readonly afterBytes: number }
  /** Serves the body with one byte changed, under the headers of the right one. */
  | { readonly kind: 'corrupt' }
  /** Sends the client elsewhere. */
  | { readonly kind: 'redirect'; readonly location: string; readonly status?: number }
  /** Sends `afterBytes` bytes and then nothing more, with the connection open. */
  | { readonly kind: 'stall'; readonly afterBytes: number }
  /** Slow loris: `chunkBytes` bytes every `everyMs` milliseconds. */
  | { readonly kind: 'drip'; readonly chunkBytes: number; readonly everyMs: number }
  /** Does the work, but sets these headers on the answer (an undefined value removes one). */
  | { readonly kind: 'headers'; readonly set: Readonly<Record<string, string | undefined>> }
  /** Does the work, but then answers `status`: the client cannot know that it happened. */
  | { readonly kind: 'lie'; readonly status: number }
  /** Waits for `until` before doing anything. */
  | { readonly kind: 'hold'; readonly until: Promise<void> };

export interface FaultRule {
  /** Both parts must match; an absent part matches everything. `path` is tested against path and query. */
  readonly match: { readonly method?: string | readonly string[]; readonly path?: RegExp };
  /** How often it happens; 1 unless told. */
  readonly times?: number;
  /** How many matching requests pass unharmed first; 0 unless told. */
  readonly skip?: number;
  readonly action: FaultAction;
}

/** A rule in force. Disposing it ends it. */
export interface Fault extends Disposable {
  /** How often it has happened. */
  readonly hits: number;
  /** Resolves when it happens for the first time. */
  readonly hit: Promise<void>;
}

interface ActiveFault extends Fault {
  hits: number;
  skipped: number;
  readonly rule: FaultRule;
  readonly fire: () => void;
}

/** Faults as data: rules are consulted in the order in which they were added, the first that matches and is not used up wins. */
export class FaultPlan {
  #active: ActiveFault[] = [];

  add(rule: FaultRule): Fault {
    const { promise, resolve } = Promise.withResolvers<void>();
    const fault: ActiveFault = {
      rule,
      hits: 0,
      skipped: 0,
      hit: promise,
      fire: resolve,
      [Symbol.dispose]: () => {
        this.#active = this.#active.filter((other) => other !== fault);
      },
    };
    this.#active.push(fault);
    return fault;
  }

  clear(): void {
    this.#active = [];
  }

  /** Consumes and returns the action for a request, if it is to fail. */
  take(method: string, url: string): FaultAction | undefined {
    for (const fault of this.#active) {
      const { match, times = 1, skip = 0, action } = fault.rule;
      if (fault.hits >= times) continue;
      if (match.method !== undefined && ![match.method].flat().includes(method)) continue;
      if (match.path !== undefined && !match.path.test(url)) continue;
      if (fault.skipped < skip) {
        fault.skipped += 1;
        continue;
      }
      fault.hits += 1;
      fault.fire();
      return action;
    }
    return undefined;
  }
}
