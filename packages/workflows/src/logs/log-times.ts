/**
 * When the bytes of a log were seen: by the time of entry `i`, the log had grown to `offset`. Steps write plain files
 * without times, so this is what `--timestamps` and `--since-time` go by.
 */
export interface LogTimes {
  /** Milliseconds since the epoch at which the byte at this offset was seen. */
  at(offset: number): number;
}

export function parseTimes(text: string, otherwise: number): LogTimes {
  const offsets: number[] = [];
  const times: number[] = [];
  for (const line of text.split('\n')) {
    const [offset, time] = line.split(' ').map(Number);
    if (offset === undefined || time === undefined || Number.isNaN(offset) || Number.isNaN(time)) continue;
    offsets.push(offset);
    times.push(time);
  }
  return {
    at(offset) {
      let low = 0;
      let high = offsets.length;
      while (low < high) {
        const middle = (low + high) >> 1;
        if ((offsets[middle] ?? 0) > offset) high = middle;
        else low = middle + 1;
      }
      return times[low] ?? otherwise;
    },
  };
}
