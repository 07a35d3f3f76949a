/** Bytes a second, smoothed: recent seconds count more than old ones. */
export interface TransferRate {
  /** Takes note of the total moved so far at a time in milliseconds. */
  observe(totalBytes: number, nowMs: number): void;
  /** Undefined before two observations a while apart. */
  readonly bytesPerSecond: number | undefined;
}

const memoryMs = 4000;
/** Shorter spans say more about timers than about the network. */
const shortestSpanMs = 50;

export function createTransferRate(): TransferRate {
  let last: { readonly bytes: number; readonly at: number } | undefined;
  let rate: number | undefined;
  return {
    observe(totalBytes, nowMs) {
      if (last === undefined || totalBytes < last.bytes) {
        last = { bytes: totalBytes, at: nowMs };
        rate = undefined;
        return;
      }
      const span = nowMs - last.at;
      if (span < shortestSpanMs) return;
      const current = ((totalBytes - last.bytes) / span) * 1000;
      const weight = 1 - Math.exp(-span / memoryMs);
      rate = rate === undefined ? current : rate + (current - rate) * weight;
      last = { bytes: totalBytes, at: nowMs };
    },
    get bytesPerSecond() {
      return rate;
    },
  };
}
