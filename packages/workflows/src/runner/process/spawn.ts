import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { ArcError, messageOf } from '@arc/kernel';
import type { AttemptDirectory } from './attempt-directory.ts';
import type { StagedAttempt } from './stage.ts';
import { enterScript, supervisorScript } from './supervisor.ts';
import type { PathMode } from './supervisor.ts';

export interface SpawnOptions {
  readonly staged: StagedAttempt;
  /** Descriptor standard output and error go to. */
  readonly log: number | 'ignore';
  readonly mode: PathMode;
  readonly captureResult: boolean;
  readonly mark: string;
}

export interface SpawnedSupervisor {
  /** Never rejects. */
  readonly exited: Promise<void>;
  /** Lets this process end without waiting for the supervisor. */
  detach(): void;
}

/**
 * Starts the supervisor of an attempt in a session of its own. Resolves once it runs.
 *
 * @throws ArcError `SpawnFailed`
 */
export async function spawnSupervisor(directory: AttemptDirectory, options: SpawnOptions): Promise<SpawnedSupervisor> {
  const { staged, log, mode, captureResult, mark } = options;
  const [name = ''] = mark.split('=', 1);
  const value = mark.slice(name.length + 1);
  try {
    const child = spawn(
      '/bin/sh',
      [
        '-c',
        supervisorScript,
        'arc-step',
        directory.path,
        captureResult ? '1' : '0',
        mode,
        directory.root,
        staged.workingDir,
        ...staged.argv,
      ],
      {
        detached: true,
        stdio: ['ignore', log, log],
        cwd: directory.path,
        env: { ...staged.env, [name]: value, ...(mode !== 'direct' && { ARC_ENTER: enterScript }) },
      },
    );
    const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    await once(child, 'spawn');
    return { exited, detach: () => child.unref() };
  } catch (error) {
    throw new ArcError('SpawnFailed', `the step could not be started: ${messageOf(error)}`, { cause: error });
  }
}
