import { lookup as dnsLookup } from 'node:dns';
import type { LookupAddress, LookupAllOptions } from 'node:dns';

type Answered = (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void;

/** Finds all addresses of a name, unless the signal aborts before it is its turn. */
export type BoundedLookup = (hostname: string, options: LookupAllOptions, signal: AbortSignal, answered: Answered) => void;

interface BoundedLookupOptions {
  /** Lookups at the same time. */
  readonly limit?: number;
  readonly lookup?: (hostname: string, options: LookupAllOptions, answered: Answered) => void;
}

/**
 * Looks names up a few at a time. Each lookup holds one of the threads the whole process shares, four unless told, for as long as a
 * silent name server makes it wait: probes of a dozen names nobody answers for would stop every access to a file.
 */
export function boundedLookup({ limit = 2, lookup = dnsLookup }: BoundedLookupOptions = {}): BoundedLookup {
  const waiting: { readonly signal: AbortSignal; begin(): void }[] = [];
  let active = 0;
  const beginNext = (): void => {
    while (active < limit) {
      const next = waiting.shift();
      if (next === undefined) return;
      if (!next.signal.aborted) next.begin();
    }
  };
  return (hostname, options, signal, answered) => {
    const begin = (): void => {
      active += 1;
      lookup(hostname, options, (error, addresses) => {
        active -= 1;
        beginNext();
        answered(error, addresses);
      });
    };
    waiting.push({ signal, begin });
    beginNext();
  };
}
