export interface CleanTextOptions {
  /** Longest result, in bytes of UTF-8. */
  readonly maxBytes: number;
  /** Which part of a longer text stays. Default: the beginning. */
  readonly keep?: 'beginning' | 'end';
}

/** Makes text of unknown origin fit for a status: no escape sequences or control characters but newline and tab, bounded. */
export function cleanText(text: string, options: CleanTextOptions): string {
  const { maxBytes, keep = 'beginning' } = options;
  const printable = text
    .replaceAll(/\u001b\[[0-?]*[ -/]*[@-~]|\u001b\][^\u0007\u001b]*(?:\u0007|\u001b\\)?/g, '')
    .replaceAll(/\r\n?/g, '\n')
    .replaceAll(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g, '')
    .toWellFormed();
  const bytes = Buffer.from(printable);
  if (bytes.length <= maxBytes) return printable;
  const room = Math.max(0, maxBytes - Buffer.byteLength('…'));
  return keep === 'beginning' ? `${headOf(bytes, room)}…` : `…${tailOf(bytes, room)}`;
}

/** At most `count` bytes from the beginning, never half a character. */
function headOf(bytes: Buffer, count: number): string {
  let end = count;
  while (end > 0 && isContinuation(bytes[end])) end -= 1;
  return bytes.toString('utf8', 0, end);
}

function tailOf(bytes: Buffer, count: number): string {
  let start = bytes.length - count;
  while (start < bytes.length && isContinuation(bytes[start])) start += 1;
  return bytes.toString('utf8', start);
}

function isContinuation(byte: number | undefined): boolean {
  return byte !== undefined && (byte & 0b1100_0000) === 0b1000_0000;
}
