import { readFileSync, rmSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { compilePackages } from './release/compile-packages.ts';
import { installTree } from './release/install-tree.ts';
import { type PackageDescription } from './release/package-description.ts';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const { version: ownVersion } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as PackageDescription;
const { values } = parseArgs({
  options: { version: { type: 'string', default: ownVersion }, out: { type: 'string', default: join(root, 'dist') } },
});

const out = resolve(values.out);
rmSync(out, { recursive: true, force: true });
const packages = compilePackages(root, join(out, 'build'), values.version);
const foreign = installTree(root, packages, join(out, 'image'));
process.stdout.write(`Built ${packages.length} packages of version ${values.version} in ${out}, with ${foreign.length} of others.\n`);
