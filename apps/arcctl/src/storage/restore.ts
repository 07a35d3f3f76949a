import { createReadStream } from 'node:fs';
import { UsageError } from '@arc/cli-kit';
import { ArcError, codeOf, messageOf } from '@arc/kernel';
import { readBackup } from '@arc/storage';
import { textOption } from '../command.ts';
import type { Invocation } from '../command.ts';
import { chosenStorage } from './chosen-storage.ts';
import { fillTarget } from './fill-target.ts';
import { commandLine, storageName } from './storage-name.ts';

/**
 * How far the newest revision is moved beyond that of the backup: above whatever the storage that was lost had reached since,
 * at 230 writes a second for 50 days, so that nobody goes on from a revision that now means something else. etcd's manual
 * recommends this number for the same purpose.
 */
const raiseBy = 1_000_000_000;

/**
 * `arcctl storage restore`. The whole file is checked before anything is changed.
 *
 * @throws UsageError; ArcError `BadBackup`, `UnreadableFile`, `NotEmpty`, `SourceChanged`; StorageError `BadDatabase`,
 *   `Unavailable`, `Locked`
 */
export async function restoreStorage(invocation: Invocation): Promise<void> {
  const file = textOption(invocation, 'from') ?? '';
  if (file === '-') throw new UsageError('a backup is read twice, so it has to be a file');
  const target = chosenStorage(invocation);
  await fillTarget(invocation, await readBackup(() => bytesOf(file)), {
    target,
    command: commandLine(['arcctl', 'storage', 'restore', '--from', file, '--storage', storageName(target.choice)]),
    done: 'Restored',
    raiseBy,
  });
}

async function* bytesOf(file: string): AsyncGenerator<Uint8Array, void, void> {
  try {
    for await (const chunk of createReadStream(file)) yield chunk as Buffer;
  } catch (error) {
    const hint = codeOf(error) === 'ENOENT' ? 'Check the path.' : 'Check who may read it.';
    throw new ArcError('UnreadableFile', `the backup cannot be read: ${messageOf(error)}`, { hint, cause: error });
  }
}
