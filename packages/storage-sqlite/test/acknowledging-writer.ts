import { codeOf } from '@arc/kernel';
import { openSqliteStore } from '@arc/storage-sqlite';

/** What the program reports to the test that forked it. */
export type Report =
  /** A batch whose commit was acknowledged under these revisions. */
  { readonly batch: string; readonly revisions: readonly number[] } | { readonly failed: string | undefined; readonly current: number };

export const keysPerBatch = 3;

/** Writes batches of three keys, some at a time, until a commit fails or the process is killed. */
async function writeForEver(file: string): Promise<void> {
  const store = await openSqliteStore({ file });
  const report = (message: Report): void => void process.send?.(message);
  const write = async (batch: string): Promise<void> => {
    const values = Array.from(
      { length: keysPerBatch },
      (_, i) => ({ key: `/${batch}/${i}`, expect: 'absent', value: contentOf(batch, i) }) as const,
    );
    const outcomes = await store.commit(values);
    report({ batch, revisions: outcomes.map((outcome) => (outcome.committed ? outcome.revision : 0)) });
  };
  let round = 0;
  try {
    for (; ; round++) await Promise.all(['a', 'b', 'c', 'd'].map((writer) => write(`${process.pid}-${round}-${writer}`)));
  } catch (error) {
    report({ failed: codeOf(error), current: await store.currentRevision() });
  }
}

export function contentOf(batch: string, index: number): Uint8Array {
  return Buffer.from(`${batch}/${index} `.repeat(100));
}

if (process.send !== undefined) {
  process.once('message', (file) => {
    // The test has died: nobody will kill this process any more.
    process.once('disconnect', () => process.kill(process.pid, 'SIGKILL'));
    void writeForEver(String(file));
  });
}
