import { ArcError, messageOf } from '@arc/kernel';
import { copyContent } from '@arc/storage';
import type { ContentSummary, CopyResult, StoreSnapshot } from '@arc/storage';
import { hasFlag, textOption } from '../command.ts';
import type { Invocation } from '../command.ts';
import type { ChosenStorage } from './chosen-storage.ts';
import { countingLine } from './counting-line.ts';
import { openTarget } from './open-target.ts';
import { dataDirectoryNote, reportContent } from './report-content.ts';
import { storageName } from './storage-name.ts';

export interface Filling {
  readonly target: ChosenStorage;
  /** The command line that goes on with it. */
  readonly command: string;
  /** In the past tense, for the report. */
  readonly done: string;
  readonly raiseBy?: number;
  readonly beforeFinish?: (copied: ContentSummary) => Promise<void>;
}

/** Fills the target of a command with a snapshot and reports what was done. */
export async function fillTarget(invocation: Invocation, snapshot: StoreSnapshot, filling: Filling): Promise<void> {
  const { signal, streams, clock } = invocation;
  const { raiseBy, beforeFinish, command } = filling;
  await using target = await openTarget(filling.target, signal);
  using line = countingLine(streams.stderr, clock);
  let hasBegun = false;
  const result = await copyContent(snapshot, target, {
    signal,
    command,
    replace: hasFlag(invocation, 'replace'),
    onProgress({ phase, done, total }) {
      hasBegun ||= phase === 'writing';
      line.show(phase, done, total);
    },
    ...(raiseBy !== undefined && { raiseBy }),
    ...(beforeFinish !== undefined && { beforeFinish }),
  }).catch((error: unknown) => {
    throw hasBegun && signal.aborted ? interrupted(error) : error;
  });
  line[Symbol.dispose]();
  const facts = { ...filling, keepsRevisions: target.keepsRevisions };
  if (textOption(invocation, 'output') === 'json') streams.stdout.write(`${JSON.stringify(asJson(result, facts), null, 2)}\n`);
  else report(invocation, result, facts);
}

function interrupted(cause: unknown): ArcError {
  return new ArcError('Interrupted', `${messageOf(cause)}; the target is not filled completely, and no server starts on it`, {
    hint: 'Run the same command again: it goes on where it was.',
    cause,
  });
}

interface Facts extends Filling {
  readonly keepsRevisions: boolean;
}

function asJson({ content, target, resumedAfter }: CopyResult, { target: { choice }, keepsRevisions }: Facts): unknown {
  const { objects, bytes, resources, sha256 } = content;
  const complete = { alreadyThere: target === undefined, resumedAfter: target === undefined ? 0 : resumedAfter };
  return { target: storageName(choice), objects, bytes, resources, sha256, keepsRevisions, ...complete, ...target };
}

function report(invocation: Invocation, { content, target, resumedAfter }: CopyResult, facts: Facts): void {
  const { stdout } = invocation.streams;
  const name = storageName(facts.target.choice);
  if (target === undefined) {
    stdout.write(`${name} holds exactly this already; nothing was changed.\n`);
    return;
  }
  if (resumedAfter > 0) stdout.write(`An earlier run had written ${resumedAfter} of them.\n`);
  reportContent(stdout, facts.done, content);
  stdout.write(`SHA-256 of keys and values, read back from ${name}: ${content.sha256}\n`);
  stdout.write(
    facts.keepsRevisions
      ? `Every object has kept its resourceVersion. The newest revision is ${target.revision}, where history begins.\n`
      : `etcd has numbered the objects anew, in the same order, up to ${target.revision}, where history begins: a resourceVersion from before\n` +
          'means nothing here. Restart clients that hold one.\n',
  );
  stdout.write(`${dataDirectoryNote}\n`);
}
