import { randomUUID } from 'node:crypto';
import { backoffDelay, messageOf, type Clock } from '@arc/kernel';
import { StorageError, type WriteItem, type WriteOutcome } from '@arc/storage';
import { priorOf } from './change-log.ts';
import { NotExecuted, type Connections, type Row } from './connections.ts';
import { sqlStateOf } from './failure.ts';
import { unknowableState } from './migrations/0001-objects.ts';
import type { Statements } from './statements.ts';

export interface CommitContext {
  readonly connections: Connections;
  readonly statements: Statements;
  readonly clock: Clock;
  /** How long a commit whose connection was lost is looked for, milliseconds. */
  readonly settleMs: number;
  /** A revision that was committed before this commit began. */
  readonly since: number;
  /** The value of a key at a past revision, to say what a refused write of a lost answer met. */
  readonly valueAt: (key: string, revision: number) => Promise<WriteOutcome & { readonly committed: false }>;
}

const retryDelays = { initialMs: 50, maxMs: 1_000, jitter: 0.5 };

/**
 * Commits a batch in one transaction. When the connection is lost on the way, the outcome is looked up under the writer lock:
 * either the batch is found in the log, or it is given up there, so that it cannot be executed later, and sent again.
 *
 * @throws StorageError `OutcomeUnknown` when the database does not come back within `settleMs`; otherwise nothing was written
 */
export async function commitBatch(batch: readonly WriteItem[], context: CommitContext): Promise<readonly WriteOutcome[]> {
  const { connections, clock, settleMs } = context;
  const deadline = clock.monotonic() + settleMs;
  for (;;) {
    const id = randomUUID();
    try {
      return outcomesOf(batch, await connections.attempt(commitStatement(batch, id, context.statements)));
    } catch (error) {
      if (error instanceof NotExecuted || error instanceof StorageError) throw connections.failure(error);
      const settled = await settle(batch, id, { ...context, lost: error, deadline });
      if (settled !== undefined) return settled;
      if (clock.monotonic() >= deadline) throw connections.failure(error);
    }
  }
}

/** The bytes of all values travel as one parameter: as an array they would be text of twice the size. */
function commitStatement(batch: readonly WriteItem[], id: string, statements: Statements): { text: string; values: unknown[] } {
  return {
    text: statements.commit,
    values: [
      id,
      batch.map(({ key }) => key),
      batch.map(({ expect }) => (expect === 'absent' ? null : expect)),
      batch.map(({ value }) => value?.length ?? -1),
      Buffer.concat(batch.map(({ value }) => value ?? new Uint8Array())),
    ],
  };
}

function outcomesOf(batch: readonly WriteItem[], rows: readonly Row[]): readonly WriteOutcome[] {
  return batch.map(({ key }, index) => {
    const [won, priorRevision, priorValue] = rows[index] ?? [];
    const prior = priorOf(key, priorRevision, priorValue ?? null);
    return won === null || won === undefined
      ? { committed: false, current: prior }
      : { committed: true, revision: Number(won), previous: prior };
  });
}

interface Settlement extends CommitContext {
  readonly lost: unknown;
  readonly deadline: number;
}

/** The outcomes of a batch that turns out to have been committed; undefined when it was not, and never will be. */
async function settle(batch: readonly WriteItem[], id: string, context: Settlement): Promise<readonly WriteOutcome[] | undefined> {
  const { connections, statements, clock, since, deadline } = context;
  for (let attempt = 0; ; attempt++) {
    try {
      const rows = await connections.attempt({ text: statements.settle, values: [id, since] });
      return rows.length === 0 ? undefined : await recoveredOutcomes(batch, rows, context);
    } catch (error) {
      const unknowable = (error instanceof NotExecuted && sqlStateOf(error.cause) === unknowableState) || error instanceof StorageError;
      if (unknowable || clock.monotonic() >= deadline) throw outcomeUnknown(context, error);
      await clock.sleep(backoffDelay(attempt, retryDelays));
    }
  }
}

async function recoveredOutcomes(
  batch: readonly WriteItem[],
  rows: readonly Row[],
  { valueAt }: Settlement,
): Promise<readonly WriteOutcome[]> {
  const winners = new Map(rows.map((row) => [String(row[1]), row]));
  const before = Number(rows[0]?.[0]) - 1;
  return await Promise.all(
    batch.map(async ({ key }): Promise<WriteOutcome> => {
      const winner = winners.get(key);
      if (winner === undefined) return await valueAt(key, before);
      const [revision, , priorRevision, priorValue] = winner;
      return { committed: true, revision: Number(revision), previous: priorOf(key, priorRevision, priorValue) };
    }),
  );
}

function outcomeUnknown({ connections, lost }: Settlement, error: unknown): StorageError {
  const { message } = connections.failure(lost);
  return new StorageError('OutcomeUnknown', `the connection was lost while a commit was in flight: ${message}`, {
    hint: 'Read the object again: the write may or may not have happened.',
    cause: error,
    details: { afterwards: messageOf(error) },
  });
}
