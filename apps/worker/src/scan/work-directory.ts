import { chmod, mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { ArcError, codeOf, messageOf } from '@arc/kernel';
import type { Check } from '@arc/trust';
import { checkLine } from '../trust/enforce-policy.ts';
import type { WorkerEnvironment } from '../environment.ts';

/** The tag that an image has in the layout which is scanned. */
export const stagedTag = 'artifact';

/** Longest text of a scanner that goes into a receipt, characters. */
const shownLength = 300;

/** What the steps around a scan share. Its layout is part of what scanners rely on. */
export interface WorkDirectory {
  /** The artifact: an OCI layout, or the files. The scanner sees it read-only. */
  readonly artifact: string;
  /** Where the scanner leaves its verdict. */
  readonly scan: string;
}

export function workDirectory({ workDirectory: directory }: Pick<WorkerEnvironment, 'workDirectory'>): WorkDirectory {
  return { artifact: join(directory, 'artifact'), scan: join(directory, 'scan') };
}

/**
 * Makes both directories, empty: what an earlier attempt left behind is neither scanned nor taken for a verdict. Whoever the scanner
 * runs as may write its verdict.
 *
 * @throws ArcError `WorkDirectoryUnusable`
 */
export async function emptyWorkDirectory(environment: Pick<WorkerEnvironment, 'workDirectory'>): Promise<WorkDirectory> {
  const directory = workDirectory(environment);
  try {
    for (const path of [directory.artifact, directory.scan]) {
      await rm(path, { recursive: true, force: true });
      await mkdir(path, { recursive: true });
    }
    await chmod(directory.scan, 0o777);
    return directory;
  } catch (error) {
    throw new ArcError('WorkDirectoryUnusable', `the directory that the steps share cannot be used: ${messageOf(error)}`, {
      hint: 'Mount a volume at ARC_WORK_DIR that the worker may write.',
    });
  }
}

type ScanEnvironment = Pick<WorkerEnvironment, 'workDirectory' | 'scanner' | 'dryRun'>;

/**
 * What the scan said about what was fetched: `passed` with the last line of the scanner, `skipped` where none is named.
 *
 * @throws ArcError `NotScanned` when a scanner is named and has left no verdict
 */
export async function scanCheck(what: string, environment: ScanEnvironment, write: (line: string) => void): Promise<Check> {
  const check = await readCheck(what, environment);
  write(checkLine(check));
  return check;
}

async function readCheck(what: string, environment: ScanEnvironment): Promise<Check> {
  const { scanner, dryRun } = environment;
  if (dryRun) return { name: 'scan', result: 'skipped', detail: 'it was a dry run' };
  if (scanner === undefined) return { name: 'scan', result: 'skipped', detail: 'no scanner is named by the ArtifactType' };
  const verdict = (await readVerdict(join(workDirectory(environment).scan, 'verdict.txt'))).trim();
  if (verdict !== '') return { name: 'scan', result: 'passed', detail: `${shown(scanner)} on ${what}: ${shown(verdict)}` };
  throw new ArcError('NotScanned', `scan: there is no verdict of ${shown(scanner)}; nothing was delivered`, {
    hint: 'Let the scan step of the workflow template write the last line of the scanner to verdict.txt when it found nothing.',
  });
}

async function readVerdict(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return '';
    throw new ArcError('NotScanned', `scan: the verdict cannot be read: ${messageOf(error)}; nothing was delivered`, { cause: error });
  }
}

/** A text from outside, fit for one line: no control or formatting characters, bounded length. */
function shown(text: string): string {
  return text
    .replace(/[\p{C}\u2028\u2029]+/gu, ' ')
    .trim()
    .slice(0, shownLength);
}
