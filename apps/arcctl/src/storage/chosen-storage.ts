import { UsageError } from '@arc/cli-kit';
import { textOption } from '../command.ts';
import type { Invocation } from '../command.ts';
import { parseStorageUrl } from '../up/storage-url.ts';
import type { StorageChoice } from '../up/storage-url.ts';

export interface ChosenStorage {
  readonly choice: StorageChoice;
  readonly password: string | undefined;
}

/**
 * What --storage names; it outlives the process.
 *
 * @throws UsageError
 */
export function chosenStorage(invocation: Invocation): ChosenStorage {
  const choice = parseStorageUrl(textOption(invocation, 'storage') ?? '');
  if (choice.kind === 'memory') {
    throw new UsageError('memory: holds nothing that another process could see', {
      hint: 'Name sqlite:FILE, postgres://... or etcd://...',
    });
  }
  return { choice, password: invocation.environment['PGPASSWORD'] };
}
