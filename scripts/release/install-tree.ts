import { cpSync, existsSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import type { BuiltPackage } from './compile-packages.ts';
import type { PackageDescription } from './package-description.ts';

/** A package of somebody else that the programs need at run time, where npm has installed it. */
export interface ForeignPackage {
  readonly name: string;
  readonly version: string;
  readonly license: string;
  readonly folder: string;
}

/**
 * Puts the built packages and all they need at run time into `folder/node_modules`, exactly as the lockfile chose them and
 * without asking a registry: what an image holds. Optional packages of other platforms are left out.
 *
 * @returns the packages of others, in the order of their names
 * @throws Error when one that is needed is not installed
 */
export function installTree(root: string, packages: readonly BuiltPackage[], folder: string): readonly ForeignPackage[] {
  rmSync(folder, { recursive: true, force: true });
  const foreign = foreignPackages(root, packages);
  for (const { description, folder: built } of packages) cpSync(built, join(folder, 'node_modules', description.name), { recursive: true });
  for (const one of foreign) {
    const owner = packages.find(({ sources }) => one.folder.startsWith(join(sources, 'node_modules') + sep));
    const target =
      owner === undefined ? relative(root, one.folder) : join('node_modules', owner.description.name, relative(owner.sources, one.folder));
    cpSync(one.folder, join(folder, target), { recursive: true, dereference: true });
  }
  return foreign;
}

function foreignPackages(root: string, packages: readonly BuiltPackage[]): readonly ForeignPackage[] {
  const found = new Map<string, ForeignPackage>();
  const visit = (needed: PackageDescription, from: string): void => {
    const optional = new Set(Object.keys(needed.optionalDependencies ?? {}));
    for (const name of [...Object.keys(needed.dependencies ?? {}), ...optional]) {
      if (name.startsWith('@arc/')) continue;
      const folder = findInstalled(name, from, root);
      if (folder === undefined) {
        if (optional.has(name)) continue;
        throw new Error(`${needed.name} needs ${name}, which is not installed: run npm install, then build again`);
      }
      if (found.has(folder)) continue;
      const description = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as PackageDescription;
      const license = description['license'];
      found.set(folder, { name, version: description.version, license: typeof license === 'string' ? license : 'NOASSERTION', folder });
      visit(description, folder);
    }
  };
  for (const { description, sources } of packages) visit(description, sources);
  return [...found.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** As Node looks for packages: in each folder upwards, up to the repository's own. */
function findInstalled(name: string, from: string, root: string): string | undefined {
  for (let folder = from; ; folder = dirname(folder)) {
    const candidate = join(folder, 'node_modules', name);
    if (existsSync(join(candidate, 'package.json'))) return candidate;
    if (folder === root || folder === dirname(folder)) return undefined;
  }
}
