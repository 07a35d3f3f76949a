import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describeBuilt, importCompiled, type PackageDescription } from './package-description.ts';

/** A package as it is published: a folder with compiled files, their types and a package.json. */
export interface BuiltPackage {
  readonly description: PackageDescription;
  /** Where it is built. */
  readonly folder: string;
  /** The folder of its sources in the repository. */
  readonly sources: string;
}

/** Only tests use it. */
const unpublished = new Set(['@arc/testkit']);

/**
 * Compiles every package and program of the repository into `folder`, which is emptied first.
 *
 * @throws Error when the compiler refuses
 */
export function compilePackages(root: string, folder: string, version: string): readonly BuiltPackage[] {
  rmSync(folder, { recursive: true, force: true });
  const compiler = join(root, 'node_modules', '.bin', 'tsc');
  const { status, stdout } = spawnSync(compiler, ['-p', join(root, 'tsconfig.build.json'), '--outDir', folder], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`tsc ended with ${status}:\n${stdout}`);

  return ['packages', 'apps'].flatMap((kind) =>
    readdirSync(join(root, kind)).flatMap((name): readonly BuiltPackage[] => {
      const sources = join(root, kind, name);
      const described = join(sources, 'package.json');
      if (!existsSync(described)) return [];
      const description = JSON.parse(readFileSync(described, 'utf8')) as PackageDescription;
      if (unpublished.has(description.name)) return [];
      const built = { description: describeBuilt(description, version), folder: join(folder, kind, name), sources };
      writeFileSync(join(built.folder, 'package.json'), `${JSON.stringify(built.description, null, 2)}\n`);
      cpSync(join(root, 'LICENSE'), join(built.folder, 'LICENSE'));
      copyPlainFiles(sources, built.folder);
      return [built];
    }),
  );
}

/** Launchers, and data that is read from beside the sources. */
function copyPlainFiles(sources: string, folder: string): void {
  for (const part of ['src', 'bin']) {
    if (!existsSync(join(sources, part))) continue;
    for (const path of readdirSync(join(sources, part), { recursive: true, encoding: 'utf8' })) {
      if (!path.endsWith('.mjs')) continue;
      const target = join(folder, part, path);
      mkdirSync(dirname(target), { recursive: true });
      writeFileSync(target, importCompiled(readFileSync(join(sources, part, path), 'utf8')), { mode: 0o755 });
    }
  }
}
