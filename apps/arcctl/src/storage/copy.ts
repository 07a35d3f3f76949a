import { UsageError } from '@arc/cli-kit';
import type { Invocation } from '../command.ts';
import { chosenStorage } from './chosen-storage.ts';
import { fillTarget } from './fill-target.ts';
import { openSource } from './open-source.ts';
import { commandLine, storageName } from './storage-name.ts';

/**
 * `arcctl storage copy`, while no server uses either storage.
 *
 * @throws UsageError; ArcError `NotEmpty`, `SourceChanged`; StorageError `BadDatabase`, `Unavailable`, `Locked`
 */
export async function copyStorage(invocation: Invocation): Promise<void> {
  const { signal } = invocation;
  const [from, to] = [chosenStorage(invocation, 'from'), chosenStorage(invocation, 'to')];
  const [fromName, toName] = [storageName(from.choice), storageName(to.choice)];
  if (fromName === toName) throw new UsageError('--from and --to name the same storage');
  await using source = await openSource(from, { signal, offline: true });
  await fillTarget(invocation, source.snapshot, {
    target: to,
    command: commandLine(['arcctl', 'storage', 'copy', '--from', fromName, '--to', toName]),
    done: 'Copied',
    beforeFinish: (copied) => source.assertUnchanged(copied),
  });
}
