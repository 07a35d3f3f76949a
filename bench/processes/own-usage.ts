/** What a process has used of the machine. */
export interface Usage {
  readonly cpuMs: number;
  readonly rssBytes: number;
  readonly heapBytes: number;
  /** Memory outside of the heap that the heap refers to. */
  readonly externalBytes: number;
}

/** Of this process; with `collect` after a garbage collection, where Node was started with --expose-gc. */
export function usageOf({ collect }: { readonly collect: boolean }): Usage {
  // Twice: finalizers of the first free what only the second can collect.
  for (let time = 0; collect && time < 2; time += 1) globalThis.gc?.();
  const { rss, heapUsed, external } = process.memoryUsage();
  const { user, system } = process.cpuUsage();
  return { cpuMs: (user + system) / 1000, rssBytes: rss, heapBytes: heapUsed, externalBytes: external };
}
