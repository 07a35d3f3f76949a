import type { ChangeEvent } from '@arc/storage';
import type { Recorded } from '@arc/storage/conformance';

/** Gives each acknowledged deletion the revision at which the log tells that the version it named was deleted; leaves 0 where it tells of none. */
export function tellDeletions(recorded: readonly Recorded[], log: readonly ChangeEvent[]): readonly Recorded[] {
  const deletions = new Map(log.flatMap(({ revision, value, previous }) => (value === null ? [[previous?.revision, revision]] : [])));
  return recorded.map((operation) => {
    if (operation.kind !== 'write' || operation.outcome !== 'committed' || operation.value !== null) return operation;
    return { ...operation, revision: deletions.get(operation.met) ?? 0 };
  });
}
