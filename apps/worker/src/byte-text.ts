const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const;

/** `12.3 MiB` */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit] ?? 'B'}`;
}

/** `30.1 MiB/s`, or `-` when too little time has passed to say. */
export function formatRate(bytes: number, ms: number): string {
  return ms < 1 ? '-' : `${formatBytes(Math.round((bytes * 1000) / ms))}/s`;
}

/** `sha256:0123456789ab…`, for lines people read; receipts hold digests in full. */
export function shortDigest(digest: string): string {
  const colon = digest.indexOf(':');
  return digest.length - colon > 14 ? `${digest.slice(0, colon + 13)}…` : digest;
}
