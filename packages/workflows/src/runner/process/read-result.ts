import { lstat, open, readlink } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { codeOf, messageOf } from '@arc/kernel';
import type { AttemptResult } from '../runner.ts';
import type { AttemptDirectory, AttemptRecord } from './attempt-directory.ts';
import { actualPath } from './path-table.ts';
import type { PathEntry } from './path-table.ts';

/** Argo keeps the last 256 KiB of a result; a parameter larger than that does not fit a status either. */
const maxValueBytes = 256 * 1024;

/** Puts together what an ended attempt left behind. `exitCode` and `finishedAt` are used when it left no exit file. */
export async function readResult(
  directory: AttemptDirectory,
  record: AttemptRecord,
  killed: { readonly exitCode: number; readonly finishedAt: number },
): Promise<AttemptResult> {
  const exit = await directory.readExit();
  const stopped = await directory.readStop();
  const progress = await directory.readProgress();
  const stdout = record.captureResult ? await directory.readStdout() : undefined;
  const outputs: Record<string, string> = {};
  let error = await directory.readSetupError();
  for (const { name, path } of record.outputs) {
    try {
      const content = await readOutput(record.paths, path);
      if (content !== undefined) outputs[name] = content;
    } catch (failure) {
      error ??= `output parameter ${JSON.stringify(name)}: ${messageOf(failure)}`;
    }
  }
  return {
    startedAt: record.startedAt,
    finishedAt: exit?.at ?? killed.finishedAt,
    exitCode: exit?.code ?? killed.exitCode,
    outputs,
    ...(error !== undefined && { error }),
    ...(stopped !== undefined && { stopped }),
    ...(stdout !== undefined && { result: withoutNewline(stdout.subarray(Math.max(0, stdout.length - maxValueBytes)).toString()) }),
    ...(progress !== undefined && { progress }),
  };
}

/** Symbolic links are followed as the step would see them, not as the host does. */
async function readOutput(paths: readonly PathEntry[], declared: string): Promise<string | undefined> {
  let seen = declared;
  for (let links = 0; links < 16; links++) {
    const actual = actualPath(paths, seen) ?? seen;
    try {
      const info = await lstat(actual);
      if (info.isSymbolicLink()) {
        seen = resolve(dirname(seen), await readlink(actual));
        continue;
      }
      if (!info.isFile()) throw new Error(`${declared} is not a file`);
      return await readText(actual, declared);
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return undefined;
      throw error;
    }
  }
  throw new Error(`${declared} has too many symbolic links`);
}

async function readText(path: string, declared: string): Promise<string> {
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    if (size > maxValueBytes) throw new Error(`${declared} holds ${size} bytes, more than the ${maxValueBytes} a parameter may have`);
    return withoutNewline(await file.readFile('utf8'));
  } finally {
    await file.close();
  }
}

function withoutNewline(text: string): string {
  return text.endsWith('\n') ? text.slice(0, -1) : text;
}
