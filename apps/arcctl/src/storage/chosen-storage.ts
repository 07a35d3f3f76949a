import { UsageError } from '@arc/cli-kit';
import { textOption } from '../command.ts';
import type { Invocation } from '../command.ts';
import { parseStorageUrl } from '@arc/composition/storage';
import type { StorageChoice } from '@arc/composition/storage';

export interface ChosenStorage {
  readonly choice: StorageChoice;
  readonly password: string | undefined;
}

/**
 * What --storage, or another option, names; it outlives the process.
 *
 * @throws UsageError
 */
export function chosenStorage(invocation: Invocation, option = 'storage'): ChosenStorage {
  const choice = parseStorageUrl(textOption(invocation, option) ?? '');
  if (choice.kind === 'memory') {
    throw new UsageError('memory: holds nothing that another process could see', {
      hint: 'Name sqlite:FILE, postgres://... or etcd://...',
    });
  }
  return { choice, password: invocation.environment['PGPASSWORD'] };
}
