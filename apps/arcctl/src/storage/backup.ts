import { open, rename, rm } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { UsageError } from '@arc/cli-kit';
import type { OutputStream } from '@arc/cli-kit';
import { ArcError, messageOf } from '@arc/kernel';
import { writeBackup } from '@arc/storage';
import { textOption } from '../command.ts';
import type { Invocation } from '../command.ts';
import { arcctlVersion } from '../version/version.ts';
import { chosenStorage } from './chosen-storage.ts';
import { countingLine } from './counting-line.ts';
import { openSource } from './open-source.ts';
import { dataDirectoryNote, reportContent } from './report-content.ts';

/**
 * `arcctl storage backup`: one consistent state, also beside a running server.
 *
 * @throws UsageError; ArcError `UnwritableFile`; StorageError `BadDatabase`, `Unavailable`, `Compacted`
 */
export async function backupStorage(invocation: Invocation): Promise<void> {
  const { signal, streams, clock } = invocation;
  const file = textOption(invocation, 'to') ?? '';
  if (file === '-' && streams.stdout.isTerminal) throw new UsageError('a backup is binary and holds Secrets: send it to a file or a pipe');
  const chosen = chosenStorage(invocation);
  await using source = await openSource(chosen, { signal, offline: false });
  using line = countingLine(streams.stderr, clock);
  let written: { objects: number; bytes: number; resources: Readonly<Record<string, number>>; sha256: string } | undefined;
  const facts = { time: new Date(clock.now()).toISOString(), backend: chosen.choice.kind, arcVersion: await arcctlVersion() };
  const bytes = writeBackup(source.snapshot, facts, {
    signal,
    onProgress: (done) => line.show('reading', done),
    onComplete: (trailer) => (written = trailer),
  });
  if (file === '-') await writeToStream(bytes, streams.stdout);
  else await writePrivately(bytes, file);
  line[Symbol.dispose]();
  if (written === undefined) throw new ArcError('BadBackup', 'the backup ended early');
  const { revision } = source.snapshot;
  if (textOption(invocation, 'output') === 'json' && file !== '-') {
    streams.stdout.write(`${JSON.stringify({ file, revision, ...facts, ...written }, null, 2)}\n`);
    return;
  }
  const output = file === '-' ? streams.stderr : streams.stdout;
  reportContent(output, 'Backed up', written);
  output.write(`State at revision ${revision}, SHA-256 of its lines: ${written.sha256}\n`);
  output.write(`It holds the Secrets in the clear. ${dataDirectoryNote}\n`);
}

async function writeToStream(bytes: AsyncIterable<Uint8Array>, output: OutputStream): Promise<void> {
  for await (const chunk of bytes) {
    output.closed.throwIfAborted();
    output.write(chunk);
    await output.drained();
  }
}

/** Readable by its owner only, and under its name when it is complete and on disk. */
async function writePrivately(bytes: AsyncIterable<Uint8Array>, file: string): Promise<void> {
  const scratch = `${file}.${process.pid}.new`;
  try {
    const handle = await openScratch(scratch);
    await pipeline(bytes, handle.createWriteStream({ flush: true }));
    await rename(scratch, file);
  } catch (error) {
    await rm(scratch, { force: true });
    throw error;
  }
}

async function openScratch(scratch: string) {
  try {
    return await open(scratch, 'wx', 0o600);
  } catch (error) {
    throw new ArcError('UnwritableFile', `the backup cannot be written: ${messageOf(error)}`, {
      hint: 'Name a file in a directory that exists and that this user may write to.',
      cause: error,
    });
  }
}
