import { cpSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { billOfMaterials, type ReleaseFacts } from './release/bill-of-materials.ts';
import { runChecklist } from './release/checklist.ts';
import { type BuiltPackage, compilePackages } from './release/compile-packages.ts';
import { buildImages } from './release/images.ts';
import { type ForeignPackage, installTree } from './release/install-tree.ts';
import { installPacked, packPackages, run } from './release/pack-packages.ts';
import { type PackageDescription } from './release/package-description.ts';
import { provenanceOf, sha256Of } from './release/provenance.ts';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const { version: ownVersion } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as PackageDescription;
const { values } = parseArgs({
  options: {
    version: { type: 'string', default: ownVersion },
    out: { type: 'string', default: join(root, 'dist') },
    /** For a rehearsal: a tree with changes and a version without a section in the changelog are let through. */
    rehearsal: { type: 'boolean', default: false },
  },
});
const { version, rehearsal } = values;
const out = resolve(values.out);
const released = join(out, 'release');
const git = (...args: string[]): string => run('git', args, root).trim();

let packages: readonly BuiltPackage[] = [];
let foreign: readonly ForeignPackage[] = [];
let archives: readonly string[] = [];
const facts: ReleaseFacts = { version, commit: git('rev-parse', 'HEAD'), time: git('show', '-s', '--format=%cI', 'HEAD') };

function write(name: string, document: Readonly<Record<string, unknown>>): string {
  writeFileSync(join(released, name), `${JSON.stringify(document, null, 2)}\n`);
  return name;
}

const ok = runChecklist(
  [
    {
      name: 'version',
      run: () => {
        if (!/^\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?$/.test(version)) throw new Error(`${version} is no semantic version`);
        return `${version} of ${facts.commit.slice(0, 12)}`;
      },
    },
    {
      name: 'working tree',
      run: () => {
        const changes = git('status', '--porcelain');
        if (changes === '') return 'clean';
        if (rehearsal) return { skipped: 'it has changes, let through as a rehearsal' };
        throw new Error(`it has changes, commit or stash them:\n${changes}`);
      },
    },
    {
      name: 'changelog',
      run: () => {
        if (readFileSync(join(root, 'CHANGELOG.md'), 'utf8').includes(`\n## ${version}`)) return `it has a section ${version}`;
        if (rehearsal) return { skipped: `no section ${version}, let through as a rehearsal` };
        throw new Error(`CHANGELOG.md has no section "## ${version}": move what is under "Unreleased" there`);
      },
    },
    {
      name: 'tag',
      run: () => {
        const tagged = git('tag', '--list', `v${version}`) === '' ? undefined : git('rev-parse', `v${version}^{commit}`);
        if (tagged === undefined) return `v${version} is free`;
        if (tagged === facts.commit) return `v${version} is this commit`;
        throw new Error(`v${version} is another commit, ${tagged}: choose another version`);
      },
    },
    {
      name: 'build',
      run: () => {
        rmSync(out, { recursive: true, force: true });
        mkdirSync(released, { recursive: true });
        packages = compilePackages(root, join(out, 'build'), version);
        foreign = installTree(root, packages, join(out, 'image'));
        return `${packages.length} packages, ${foreign.length} of others`;
      },
    },
    {
      name: 'packages',
      run: () => {
        archives = packPackages(packages, join(out, 'npm'));
        for (const path of archives) cpSync(path, join(released, basename(path)));
        return `${archives.length} archives, ${Math.round(archives.reduce((sum, path) => sum + statSync(path).size, 0) / 1024)} KiB`;
      },
    },
    {
      name: 'installation',
      run: () => {
        const folder = join(out, 'installed');
        installPacked(archives, folder);
        const printed = run(process.execPath, [join(folder, 'node_modules/.bin/arcctl'), 'version'], folder).trim();
        if (!printed.startsWith(`arcctl ${version} `)) throw new Error(`the installed arcctl says ${JSON.stringify(printed)}`);
        return printed;
      },
    },
    { name: 'images', run: () => buildImages(root, version, facts.commit) },
    { name: 'bill of materials', run: () => write('sbom.cdx.json', billOfMaterials(facts, packages, foreign)) },
    {
      name: 'provenance',
      run: () =>
        write('provenance.intoto.json', provenanceOf([...archives, join(released, 'sbom.cdx.json')], facts, process.versions.node)),
    },
    {
      name: 'checksums',
      run: () => {
        const names = readdirSync(released).sort();
        writeFileSync(join(released, 'SHA256SUMS'), names.map((name) => `${sha256Of(join(released, name))}  ${name}\n`).join(''));
        return `${names.length} files in ${released}`;
      },
    },
  ],
  (line) => process.stdout.write(`${line}\n`),
);
if (ok)
  process.stdout.write(`To publish: git tag -s v${version}, sign provenance.intoto.json, npm publish the archives, push the images.\n`);
else process.exitCode = 1;
