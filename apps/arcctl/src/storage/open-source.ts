import { ArcError } from '@arc/kernel';
import { snapshotOf, summarise } from '@arc/storage';
import type { ContentSummary, StoreSnapshot } from '@arc/storage';
import { lockDatabase, openSqliteSnapshot } from '@arc/storage-sqlite';
import { openStore } from '@arc/composition/storage';
import type { ChosenStorage } from './chosen-storage.ts';

/** A storage that is read in full. */
export interface Source extends AsyncDisposable {
  readonly snapshot: StoreSnapshot;
  /**
   * Checks that the storage still holds what was copied.
   *
   * @throws ArcError `SourceChanged`
   */
  assertUnchanged(copied: ContentSummary): Promise<void>;
}

export interface SourceOptions {
  readonly signal: AbortSignal;
  /** True: no server may have it open, where that can be prevented. */
  readonly offline: boolean;
}

/** @throws StorageError `BadDatabase`, `Unavailable`, `Locked`; ArcError `InvalidStorageUrl` */
export async function openSource({ choice, password }: ChosenStorage, { signal, offline }: SourceOptions): Promise<Source> {
  await using opening = new AsyncDisposableStack();
  if (choice.kind === 'sqlite') {
    const snapshot = opening.use(openSqliteSnapshot({ file: choice.file }));
    if (offline) opening.use(lockDatabase(choice.file));
    const resources = opening.move();
    return { snapshot, assertUnchanged: async () => {}, [Symbol.asyncDispose]: () => resources.disposeAsync() };
  }
  const store = opening.use(await openStore(choice, { signal, password, readOnly: true }));
  const snapshot = await snapshotOf(store, signal);
  const resources = opening.move();
  return {
    snapshot,
    async assertUnchanged(copied) {
      const now = await snapshotOf(store, signal);
      if (now.revision === snapshot.revision) return;
      // Whatever else is in an etcd raises its revision, too.
      if (choice.kind === 'etcd' && (await summarise(now.objects(signal))).fingerprint === copied.fingerprint) return;
      throw new ArcError('SourceChanged', `the source was written while it was copied: it is at revision ${now.revision} now`, {
        hint: 'Stop the servers that use it, then run the command again with --replace. The target is not finished.',
      });
    },
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}
