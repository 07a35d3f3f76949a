const units = ['B', 'kB', 'MB', 'GB', 'TB'] as const;

/** `12.3 MB`, in powers of 1000 as arcctl shows them. */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit] ?? 'B'}`;
}

/** `30.1 MB/s`, or `-` when too little time has passed to say. */
export function formatRate(bytes: number, ms: number): string {
  return ms < 1 ? '-' : `${formatBytes(Math.round((bytes * 1000) / ms))}/s`;
}

/** `sha256:0123456789ab…`, for lines people read; receipts hold digests in full. */
export function shortDigest(digest: string): string {
  const colon = digest.indexOf(':');
  return digest.length - colon > 14 ? `${digest.slice(0, colon + 13)}…` : digest;
}
