import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { BuiltPackage } from './compile-packages.ts';

/** Packs built packages as npm would publish them. @returns the paths of the archives, sorted */
export function packPackages(packages: readonly BuiltPackage[], folder: string): readonly string[] {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  run('npm', ['pack', '--silent', '--pack-destination', folder, ...packages.map((one) => one.folder)], folder);
  return readdirSync(folder)
    .filter((name) => name.endsWith('.tgz'))
    .sort()
    .map((name) => join(folder, name));
}

/** Installs packed packages into an empty folder, as a user would who has only them. */
export function installPacked(archives: readonly string[], folder: string): void {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  run('npm', ['install', '--prefix', folder, '--no-audit', '--no-fund', '--prefer-offline', '--loglevel=error', ...archives], folder);
}

/** @throws Error with what it printed when it does not end with 0 */
export function run(program: string, args: readonly string[], folder: string): string {
  const { status, stdout, stderr, error } = spawnSync(program, args, { cwd: folder, encoding: 'utf8', maxBuffer: 64 << 20 });
  if (error !== undefined) throw new Error(`${program} could not be started: ${error.message}`);
  if (status !== 0) throw new Error(`${program} ${args[0] ?? ''} ended with ${status}:\n${stderr}${stdout}`);
  return stdout;
}
