import { UsageError } from '@arc/cli-kit';
import { textOption } from '../command.ts';
import type { Invocation } from '../command.ts';
import { chosenStorage } from './chosen-storage.ts';
import { openExisting } from './open-existing.ts';

/**
 * `arcctl storage compact`.
 *
 * @throws UsageError; StorageError `BadDatabase`, `Unavailable`, `Locked`
 */
export async function compactStorage(invocation: Invocation): Promise<void> {
  const keep = textOption(invocation, 'keep') ?? '';
  if (!/^\d{1,12}$/.test(keep)) throw new UsageError(`--keep has to be a number of revisions, not ${keep}`);
  const { signal, streams } = invocation;
  await using store = await openExisting(chosenStorage(invocation), signal);
  const target = (await store.currentRevision({ signal })) - Number(keep);
  const before = await store.compactedRevision();
  if (target > before) await store.compact(target);
  streams.stdout.write(
    target > before
      ? `History up to revision ${target} is forgotten; watches resume from there on.\n`
      : `Nothing to forget: history begins at revision ${before}.\n`,
  );
}
