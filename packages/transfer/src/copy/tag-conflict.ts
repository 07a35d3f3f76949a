import type { Digest } from '../digest/digest.ts';
import { TransferError } from '../transfer-error.ts';

/**
 * What to do about a destination tag that stands for something else: `fail` moves nothing, `skip` leaves that tag alone
 * and sets the others, `overwrite` moves it.
 */
export type ConflictPolicy = 'fail' | 'skip' | 'overwrite';

/** A destination tag that was left alone, and what it stands for. */
export interface KeptTag {
  readonly tag: string;
  readonly digest: Digest;
}

export function tagConflict(reference: string, present: Digest, wanted: Digest): TransferError {
  return new TransferError('TagConflict', `${reference} stands for ${present} already, not for ${wanted}`, {
    hint: 'Choose another tag, or set onConflict to overwrite (moves the tag) or skip (leaves it alone).',
  });
}

/** @throws TransferError `InvalidReference` */
export function parseConflictPolicy(text: string | undefined): ConflictPolicy | undefined {
  if (text === undefined || text === 'fail' || text === 'skip' || text === 'overwrite') return text;
  throw new TransferError('InvalidReference', `${JSON.stringify(text.slice(0, 80))} is not fail, skip or overwrite`);
}
