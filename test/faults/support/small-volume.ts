import { mkdtemp, rm } from 'node:fs/promises';
import { closeSync, openSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { codeOf } from '@arc/kernel';
import { runCommand } from '@arc/testkit';

/** Why no volume can be mounted here; undefined when one can. */
export const missingMounts = process.getuid?.() === 0 ? undefined : 'mounting a volume needs root';

/** A volume in memory that belongs to one test. */
export interface SmallVolume extends AsyncDisposable {
  readonly path: string;
  /** Takes all the room there is. */
  fill(): void;
  /** Gives it back. */
  free(): Promise<void>;
  remount(options: 'ro' | 'rw'): Promise<void>;
}

export async function mountSmallVolume(bytes: number): Promise<SmallVolume> {
  const path = await mkdtemp(join(tmpdir(), 'arc-faults-volume-'));
  await run('mount', '-t', 'tmpfs', '-o', `size=${bytes}`, 'arc-faults', path);
  const ballast = join(path, 'ballast');
  return {
    path,
    fill() {
      const file = openSync(ballast, 'a');
      try {
        for (const chunk = Buffer.alloc(4096, 1); ;) writeSync(file, chunk);
      } catch (error) {
        if (codeOf(error) !== 'ENOSPC') throw error;
      } finally {
        closeSync(file);
      }
    },
    free: () => rm(ballast),
    remount: (options) => run('mount', '-o', `remount,${options}`, path),
    async [Symbol.asyncDispose]() {
      await run('umount', '--lazy', path);
      await rm(path, { recursive: true });
    },
  };
}

/** Shows `source` under `target` as well, until disposed of. */
export async function bindMount(source: string, target: string): Promise<AsyncDisposable> {
  await run('mount', '--bind', source, target);
  return { [Symbol.asyncDispose]: () => run('umount', '--lazy', target) };
}

async function run(program: string, ...args: readonly string[]): Promise<void> {
  const { code, stderr } = await runCommand(program, args);
  if (code !== 0) throw new Error(`${program} ${args.join(' ')} failed: ${stderr}`);
}
