import { writeFile } from 'node:fs/promises';
import { ArcError, messageOf } from '@arc/kernel';

/** Writes a receipt as JSON, nowhere without a path. @throws ArcError `ReceiptNotWritten` */
export async function writeReceipt(path: string | undefined, receipt: object): Promise<void> {
  if (path === undefined) return;
  try {
    await writeFile(path, `${JSON.stringify(receipt)}\n`);
  } catch (error) {
    throw new ArcError('ReceiptNotWritten', `the copy is done, but its receipt cannot be written: ${messageOf(error)}`, {
      hint: 'Set ARC_RECEIPT_FILE to a path the step may write.',
      cause: error,
    });
  }
}
