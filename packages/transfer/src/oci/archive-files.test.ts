import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { buildImage, seedRegistry, startTestRegistry, tar } from '@arc/testkit';
import { copyArtifact } from '../copy/copy-artifact.ts';
import { importArtifacts } from '../carry/import-artifacts.ts';
import { digestOf, encodedOf } from '../digest/digest.ts';
import { parseEndpointURL } from '../reference/endpoint-url.ts';
import { isTransferError } from '../transfer-error.ts';
import { archiveHeader, archivePadding, archiveTrailer } from './archive-entries.ts';
import { ArchiveFiles } from './archive-files.ts';
import { DirectoryFiles } from './directory-files.ts';
import type { LayoutFiles } from './layout-files.ts';
import { openEndpoint } from './open-repository.ts';

const image = buildImage([{ 'etc/motd': 'hello' }], { single: true });

async function temporary(): Promise<{ folder: string } & AsyncDisposable> {
  const folder = await mkdtemp(join(tmpdir(), 'arc-archive-'));
  return { folder, [Symbol.asyncDispose]: () => rm(folder, { recursive: true }) };
}

/** A whole layout of the image, with what is given added or replaced. */
function layout(more: Readonly<Record<string, string | Buffer>> = {}): Record<string, string | Buffer> {
  const blobs = [...image.blobs, [image.digest, image.bytes] as const];
  const descriptor = { mediaType: image.mediaType, digest: image.digest, size: image.bytes.length };
  return {
    'oci-layout': '{"imageLayoutVersion":"1.0.0"}',
    'index.json': indexOf(descriptor, 'registry.example.org/team/app:v1'),
    ...Object.fromEntries(blobs.map(([digest, bytes]) => [`blobs/sha256/${digest.slice(7)}`, bytes])),
    ...more,
  };
}

function indexOf(descriptor: object, name: string): string {
  const annotations = { 'org.opencontainers.image.ref.name': name };
  return JSON.stringify({ schemaVersion: 2, manifests: [{ ...descriptor, annotations }] });
}

/** An entry as an attacker writes it: any type, any claimed size. */
function entry(path: string, content: Buffer, change: { readonly type?: string; readonly size?: number } = {}): Buffer {
  const header = archiveHeader(path, change.size ?? content.length);
  header.write(change.type ?? '0', 156, 'latin1');
  header.write('        ', 148, 'latin1');
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return Buffer.concat([header, content, archivePadding(content.length)]);
}

async function importInto(files: LayoutFiles): Promise<{ readonly code: string | undefined; readonly repositories: string[] }> {
  await using inside = await startTestRegistry();
  using endpoint = openEndpoint(parseEndpointURL(inside.url));
  try {
    await importArtifacts(files, (repository) => endpoint.destination(repository));
    return { code: undefined, repositories: inside.content.repositories() };
  } catch (error) {
    return {
      code: (error as { code?: string }).code,
      repositories: [...inside.content.repositories()].filter((name) => inside.content.tags(name).size > 0),
    };
  }
}

async function importArchive(folder: string, bytes: Buffer): Promise<Awaited<ReturnType<typeof importInto>>> {
  const path = join(folder, 'attack.tar');
  await writeFile(path, bytes);
  try {
    await using files = await ArchiveFiles.open(path);
    return await importInto(files);
  } catch (error) {
    if (!isTransferError(error)) throw error;
    return { code: error.code, repositories: [] };
  }
}

test('paths that leave the archive, links, devices and lies about sizes are refused before anything is read', async () => {
  await using place = await temporary();
  const whole = tar(layout());
  assert.deepEqual(await importArchive(place.folder, whole), { code: undefined, repositories: ['team/app'] });
  const attacks: Readonly<Record<string, Buffer>> = {
    'out of it': entry('../../etc/cron.d/x', Buffer.from('x')),
    'out in the middle': entry('blobs/../../x', Buffer.from('x')),
    absolute: entry('/etc/passwd', Buffer.from('x')),
    backslashes: entry('blobs\\..\\x', Buffer.from('x')),
    'a symbolic link': entry(`blobs/sha256/${'0'.repeat(64)}`, Buffer.alloc(0), { type: '2' }),
    'a hard link': entry(`blobs/sha256/${'0'.repeat(64)}`, Buffer.alloc(0), { type: '1' }),
    'a device': entry('blobs/null', Buffer.alloc(0), { type: '3' }),
    'a pipe': entry('index.json', Buffer.alloc(0), { type: '6' }),
    'more than there is': entry('blobs/x', Buffer.from('x'), { size: 1_000_000 }),
    'more than any disk': entry('blobs/x', Buffer.from('x'), { size: 2 ** 52 }),
    'a name of a megabyte': entry('././@LongLink', Buffer.alloc(1024 * 1024, 'a'), { type: 'L' }),
    'a name that leaves it': Buffer.concat([entry('././@LongLink', Buffer.from('../x\0'), { type: 'L' }), entry('x', Buffer.from('x'))]),
    'a pax name that leaves it': Buffer.concat([
      entry('pax', Buffer.from('16 path=../../x\n'), { type: 'x' }),
      entry('x', Buffer.from('x')),
    ]),
  };
  for (const [what, attack] of Object.entries(attacks)) {
    const bytes = Buffer.concat([attack, whole]);
    const { code, repositories } = await importArchive(place.folder, bytes);
    assert.ok(code === 'InvalidManifest' || code === 'TooLarge', `${what}: ${code}`);
    assert.deepEqual(repositories, [], what);
  }
});

test('what a layout says and what it holds are two things', async () => {
  await using place = await temporary();
  const { mediaType, digest, bytes } = image;
  const [layer = ''] = [...image.blobs.keys()];
  const real = { mediaType, digest, size: bytes.length };
  const evil = Buffer.from('{"schemaVersion":2,"manifests":[]}');
  const bomb = `${'['.repeat(200_000)}${']'.repeat(200_000)}`;
  const cases: readonly (readonly [string, Record<string, string | Buffer>, string])[] = [
    ['a manifest with other bytes', { [`blobs/sha256/${digest.slice(7)}`]: evil }, 'DigestMismatch'],
    [
      'a blob with other bytes of the same length',
      { [`blobs/sha256/${layer.slice(7)}`]: Buffer.alloc(image.blobs.get(layer)?.length ?? 0) },
      'DigestMismatch',
    ],
    ['a blob that is longer', { [`blobs/sha256/${layer.slice(7)}`]: Buffer.alloc(100_000) }, 'Incomplete'],
    ['a repository that is a path', { 'index.json': indexOf(real, 'registry.example.org/../../app:v1') }, 'InvalidReference'],
    ['a tag that is a path', { 'index.json': indexOf(real, 'registry.example.org/team/app:../x') }, 'InvalidReference'],
    ['a tag with a query', { 'index.json': indexOf(real, 'registry.example.org/team/app:v1?x=y') }, 'InvalidReference'],
    ['a digest that is none', { 'index.json': indexOf({ ...real, digest: 'sha256:../../x' }, 'r.example/app:v1') }, 'InvalidManifest'],
    ['a manifest that is not there', { 'index.json': indexOf({ ...real, digest: digestOf(evil) }, 'r.example/app:v1') }, 'Incomplete'],
    ['an index of another version', { 'oci-layout': '{"imageLayoutVersion":"2.0.0"}' }, 'UnexpectedAnswer'],
    ['an index that is nested deeply', { 'index.json': bomb }, 'InvalidManifest'],
    ['an index that says it twice', { 'index.json': '{"manifests":[],"manifests":[]}' }, 'InvalidManifest'],
    ['an index of 33 MB', { 'index.json': Buffer.alloc(33 * 1024 * 1024, ' ') }, 'TooLarge'],
    ['a record that points elsewhere', { 'arc-export.json': '{"schemaVersion":1,"omitted":{"sha256:x":"../../x"}}' }, 'InvalidDigest'],
  ];
  for (const [what, change, expected] of cases) {
    const result = await importArchive(place.folder, tar(layout(change)));
    assert.deepEqual(result, { code: expected, repositories: [] }, what);
  }
});

test('in a directory, links and pipes under the name of a blob are not opened', async () => {
  await using place = await temporary();
  const secret = join(place.folder, 'secret');
  await writeFile(secret, image.bytes);
  const disk = join(place.folder, 'disk');
  const attacks: readonly ((path: string) => Promise<void>)[] = [
    (path) => symlink(secret, path),
    async (path) => void execFileSync('sh', ['-c', 'mkfifo "$0"', path]),
  ];
  for (const attack of attacks) {
    for (const [path, content] of Object.entries(layout())) {
      await mkdir(join(disk, path, '..'), { recursive: true });
      if (path.endsWith(encodedOf(digestOf(image.bytes)))) await attack(join(disk, path));
      else await writeFile(join(disk, path), content);
    }
    assert.deepEqual(await importInto(new DirectoryFiles(disk)), { code: 'InvalidManifest', repositories: [] });
    await rm(disk, { recursive: true });
  }
});

test('an archive that is cut or changed anywhere is imported whole or refused', async () => {
  await using place = await temporary();
  const whole = tar(layout());
  await fc.assert(
    fc.asyncProperty(fc.nat(whole.length - 1), fc.integer({ min: 1, max: 255 }), fc.boolean(), async (at, flip, cut) => {
      const bytes = Buffer.from(whole);
      bytes[at] = (bytes[at] ?? 0) ^ flip;
      const { code, repositories } = await importArchive(place.folder, cut ? whole.subarray(0, at) : bytes);
      if (code !== undefined) assert.deepEqual(repositories, []);
    }),
    { numRuns: 60 },
  );
});

test('an archive is an endpoint like a directory of layouts, readable by tar after every tag', async () => {
  await using place = await temporary();
  await using outside = await startTestRegistry();
  await using inside = await startTestRegistry();
  const path = join(place.folder, 'disk.tar');
  const other = buildImage([{ other: 'x' }], { random: { layers: 1, bytes: 300_000 } });
  seedRegistry(outside, 'team/app', image, ['v1']);
  seedRegistry(outside, 'team/other', other, ['v1']);
  for (const repository of ['team/app', 'team/other']) {
    using from = openEndpoint(parseEndpointURL(outside.url));
    using to = openEndpoint(parseEndpointURL(`oci-archive://${path}`));
    await copyArtifact(await from.source(repository), 'v1', await to.destination(repository), { tags: ['v1', 'stable'] });
    const listed = execFileSync('tar', ['-tf', path], { encoding: 'utf8' });
    assert.match(listed, /^index\.json$/m);
  }
  // A sha512 digest is too long a name for ustar.
  const bytes = Buffer.from('content');
  const digest = digestOf(bytes, 'sha512');
  const blob = { mediaType: 'application/octet-stream', digest, size: bytes.length };
  {
    using to = openEndpoint(parseEndpointURL(`oci-archive://${path}`));
    const layout = await to.destination('team/app');
    await layout.pushBlob(blob, [bytes] as unknown as AsyncIterable<Buffer>);
    const manifest = await layout.fetchManifest('v1');
    assert.ok(manifest !== undefined);
    await layout.tagManifest(manifest, 'v2');
  }
  assert.match(execFileSync('tar', ['-tf', path], { encoding: 'utf8' }), new RegExp(`^blobs/sha512/${encodedOf(digest)}$`, 'm'));
  using from = openEndpoint(parseEndpointURL(`oci-archive://${path}`));
  const pieces: Buffer[] = [];
  for await (const piece of (await from.source('team/app')).fetchBlob(blob)) pieces.push(piece);
  assert.deepEqual(Buffer.concat(pieces), bytes);
  using to = openEndpoint(parseEndpointURL(inside.url));
  await copyArtifact(await from.source('team/other'), 'stable', await to.destination('back'), { tags: ['v1'] });
  assert.equal(inside.content.tags('back').get('v1'), other.digest);
  await assert.rejects(from.source('team/none'), { code: 'NotFound' });
  const [header] = [archiveHeader('big', 9_000_000_000)];
  await writeFile(join(place.folder, 'big.tar'), Buffer.concat([header, archiveTrailer]));
  const read = execFileSync('sh', ['-c', `tar -tvf ${join(place.folder, 'big.tar')} 2>/dev/null || true`], { encoding: 'utf8' });
  assert.match(read, / 9000000000 .* big/, 'tar reads sizes from 8 GiB on as we write them');
});
