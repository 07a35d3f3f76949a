/** The parts of a package.json that matter to a release. */
export interface PackageDescription {
  readonly name: string;
  readonly version: string;
  readonly private?: boolean;
  readonly exports?: Readonly<Record<string, string>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly [field: string]: unknown;
}

/** The range of Node versions that built packages say they need. */
const supportedNode = '>=24.15';

/**
 * What a package of this repository says of itself once it is built: the given version, for itself and for the packages of this
 * repository it needs; compiled files with their types instead of TypeScript, which Node does not read below `node_modules`.
 *
 * @throws Error of an export that is neither TypeScript below `src` nor plain JavaScript
 */
export function describeBuilt(description: PackageDescription, version: string): PackageDescription {
  const { private: _, devDependencies: __, exports: sources, dependencies, ...rest } = description;
  return {
    ...rest,
    version,
    engines: { node: supportedNode },
    files: ['src', 'bin', 'LICENSE'],
    ...(sources !== undefined && {
      exports: Object.fromEntries(Object.entries(sources).map(([name, path]) => [name, builtExport(description.name, path)])),
    }),
    ...(dependencies !== undefined && {
      dependencies: Object.fromEntries(
        Object.entries(dependencies).map(([name, range]) => [name, name.startsWith('@arc/') ? version : range]),
      ),
    }),
  } as PackageDescription;
}

function builtExport(name: string, path: string): string | { readonly types: string; readonly default: string } {
  if (path.endsWith('.mjs')) return path;
  if (!/^\.\/src\/.+\.ts$/.test(path)) throw new Error(`${name} exports ${path}: only TypeScript below ./src and .mjs files are built`);
  const bare = path.slice(0, -'.ts'.length);
  return { types: `${bare}.d.ts`, default: `${bare}.js` };
}

/** A plain JavaScript file with imports of TypeScript files, as it must be beside the compiled ones. */
export function importCompiled(source: string): string {
  return source.replaceAll(/(\bimport\(|\bfrom )'(\.[^']*)\.ts'/g, "$1'$2.js'");
}
