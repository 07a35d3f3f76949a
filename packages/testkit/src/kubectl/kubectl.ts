import { existsSync, realpathSync } from 'node:fs';
import { basename, delimiter, dirname, join } from 'node:path';
import { runCommand } from '../process/run.ts';
import type { CommandResult, RunOptions } from '../process/run.ts';

export interface Kubectl {
  /** As the binary itself reports it, for example `1.31`. */
  readonly minor: string;
  readonly path: string;
}

const minors = ['1.27', '1.28', '1.29', '1.30', '1.31', '1.32', '1.33', '1.34', '1.35'];

/**
 * The kubectl binaries to test with, 1.27 or newer, one a minor: those named in KUBECTL_BINS (separated as PATH is), else
 * whatever `kubectl` is on the PATH and every `kubectl.<minor>` beside it, or beside what it links to.
 */
export async function findKubectls(env: Readonly<Record<string, string | undefined>> = process.env): Promise<readonly Kubectl[]> {
  const named = env['KUBECTL_BINS']?.split(delimiter).filter((path) => path !== '');
  const onPath = (env['PATH'] ?? '')
    .split(delimiter)
    .map((folder) => join(folder, 'kubectl'))
    .filter((path) => existsSync(path));
  const folders = new Set(onPath.flatMap((path) => [dirname(path), dirname(realpathSync(path))]));
  const beside = [...folders].flatMap((folder) => minors.map((minor) => join(folder, `kubectl.${minor}`)));
  const found = new Map<string, Kubectl>();
  for (const path of named ?? [...beside, ...onPath]) {
    if (!existsSync(path)) continue;
    const minor = await minorOf(path);
    if (minor !== undefined && minors.includes(minor) && !found.has(minor)) found.set(minor, { minor, path });
  }
  return [...found.values()].sort((a, b) => minors.indexOf(a.minor) - minors.indexOf(b.minor));
}

async function minorOf(path: string): Promise<string | undefined> {
  const { stdout } = await runCommand(path, ['version', '--client', '-o', 'json']);
  const match = /"gitVersion":\s*"v(\d+\.\d+)/.exec(stdout);
  return match?.[1];
}

/** Runs a kubectl against one kubeconfig; its discovery cache is kept beside that file, apart from the user's own. */
export function kubectlRunner(
  kubectl: Kubectl,
  kubeconfig: string,
): (args: readonly string[], options?: RunOptions) => Promise<CommandResult> {
  const cache = `${kubeconfig}.${basename(kubectl.path)}.cache`;
  return (args, options = {}) =>
    runCommand(kubectl.path, ['--kubeconfig', kubeconfig, '--cache-dir', cache, ...args], {
      ...options,
      env: { KUBECONFIG: kubeconfig, ...options.env },
    });
}
