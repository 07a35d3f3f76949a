import { confirm } from '@arc/cli-kit';
import { ArcError, codeOf, messageOf } from '@arc/kernel';
import { assertDecodable } from '@arc/storage';
import type { StoredValue } from '@arc/storage';
import { hasFlag } from '../command.ts';
import type { Invocation } from '../command.ts';
import type { ChosenStorage } from './chosen-storage.ts';
import { openExisting } from './open-existing.ts';

/**
 * Removes one value that cannot be read, after saying what it is and asking, unless `--yes` is given.
 *
 * @throws ArcError `NotFound`, `Readable` when it is an object like any other, `Declined`, `Conflict` when somebody else has written it
 *   meanwhile; what opening fails with
 */
export async function removeValue(invocation: Invocation, chosen: ChosenStorage, key: string): Promise<void> {
  const { streams, signal } = invocation;
  await using store = await openExisting(chosen, signal);
  const stored = await store.get(key, { signal });
  if (stored === undefined) {
    throw new ArcError('NotFound', `nothing is stored under ${key}`, { hint: 'Take the key as arcctl storage doctor prints it.' });
  }
  streams.stderr.write(`${reasonOf(stored)}. It has ${stored.value.length} bytes.\n`);
  if (!hasFlag(invocation, 'yes') && !(await confirm(streams, 'Remove it for good?'))) {
    throw new ArcError('Declined', 'nothing was removed', { hint: 'Say --yes where there is no terminal to ask on.' });
  }
  const [outcome] = await store.commit([{ key, expect: stored.revision, value: null }]);
  if (outcome?.committed !== true) {
    throw new ArcError('Conflict', `somebody else has written ${key} meanwhile`, { hint: 'Run arcctl storage doctor again.' });
  }
  streams.stdout.write(`Removed ${key} at revision ${outcome.revision}.\n`);
}

/** Why it cannot be read. */
function reasonOf(stored: StoredValue): string {
  try {
    assertDecodable(stored);
  } catch (error) {
    if (codeOf(error) === 'Undecodable') return messageOf(error);
    throw error;
  }
  throw new ArcError('Readable', `what is stored under ${stored.key} can be read: it is an object like any other`, {
    hint: 'Delete it with kubectl or arcctl, so that its owners and finalizers are respected.',
  });
}
