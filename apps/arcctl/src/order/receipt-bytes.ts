/** How much a worker has copied, or would copy, of what there is. */
export interface ReceiptBytes {
  readonly copied: number;
  readonly total: number;
}

/** What a receipt of the shipped worker says about bytes; undefined for receipts of others. */
export function bytesOfReceipt(receipt: string | undefined): ReceiptBytes | undefined {
  let value: unknown;
  try {
    value = JSON.parse(receipt ?? 'null');
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null || !('bytes' in value)) return undefined;
  const { bytes } = value;
  if (typeof bytes !== 'object' || bytes === null || !('copied' in bytes) || !('total' in bytes)) return undefined;
  const { copied, total } = bytes;
  return typeof copied === 'number' && typeof total === 'number' ? { copied, total } : undefined;
}
