import { StorageError } from '@arc/storage';
import type { Connections, Row } from './connections.ts';
import { describeDatabase } from './connection-settings.ts';
import type { Statements } from './statements.ts';

/** Whether what a replica holds is a part of what the primary does: `behind` and `ahead` pass with time, or with its repair. */
export type ReplicaState = 'agrees' | 'behind' | 'ahead';

/** It is not, and will not become, a replica of this primary. */
export class NotReplica extends StorageError {}

/**
 * Compares a replica with its primary: the same system, and the newest change the replica has is the primary's, too. A server that
 * was promoted, restored or left on the history of a former primary shows by that.
 *
 * @throws NotReplica; otherwise as `Connections.query`
 */
export async function compareWithPrimary(
  replica: Connections,
  primary: Connections,
  { statements, signal }: { readonly statements: Statements; readonly signal: AbortSignal },
): Promise<ReplicaState> {
  const { identity, changeAt } = statements;
  const [[system, recovering] = []] = await replica.query({ text: identity }, signal);
  const [[wanted] = []] = await primary.query({ text: identity }, signal);
  if (recovering !== true) throw notReplica(replica, 'is no replica: it accepts writes', 'Name a streaming replica, or no read URL.');
  if (system !== wanted) {
    throw notReplica(replica, `is a replica of another server than ${describeDatabase(primary.settings)}`, 'Correct one of the two URLs.');
  }
  const [newest] = await replica.query({ text: changeAt, values: [null] }, signal);
  const [, , revision, batch] = newest ?? [];
  if (revision === null || revision === undefined) return 'agrees';
  const [same] = await primary.query({ text: changeAt, values: [revision] }, signal);
  return verdict(Number(revision), batch, same, replica);
}

function verdict(revision: number, batch: unknown, [newest, compacted, , own]: Row = [], replica: Connections): ReplicaState {
  if (revision > Number(newest)) return 'ahead';
  if (own === batch) return 'agrees';
  if (revision <= Number(compacted)) return 'behind';
  throw notReplica(
    replica,
    `holds another change at revision ${revision} than the primary`,
    'It follows a former primary or was restored: make it anew from the present one.',
  );
}

function notReplica({ settings }: Connections, what: string, hint: string): NotReplica {
  return new NotReplica('BadDatabase', `the database ${describeDatabase(settings)} ${what}`, { hint });
}
