import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { memoryStreams } from '@arc/cli-kit';
import { systemClock } from '@arc/kernel';
import { buildImage, buildReferrer, findProgram, runCommand, seedRegistry, startTestRegistry } from '@arc/testkit';
import type { TestRegistry } from '@arc/testkit';
import { runCli } from '../run-cli.ts';

const base = { layers: 2, bytes: 200_000, seed: 'base' };
const first = buildImage([{ version: 'one' }], { random: base });
const second = buildImage([{ version: 'two' }], { random: base });
const database = buildImage([{ database: 'x' }], { random: { layers: 1, bytes: 100_000, seed: 'database' } });
const signature = buildReferrer(first, 'application/vnd.example.signature', 'signed');
const skopeo = findProgram('skopeo');
const umoci = findProgram('umoci');

interface Place extends AsyncDisposable {
  readonly folder: string;
  readonly outside: TestRegistry;
  readonly inside: TestRegistry;
}

async function setUp(): Promise<Place> {
  const [folder, outside, inside] = await Promise.all([mkdtemp(join(tmpdir(), 'arc-carry-')), startTestRegistry(), startTestRegistry()]);
  seedRegistry(outside, 'team/app', first, ['v1.0.0', 'latest']);
  seedRegistry(outside, 'team/app', signature);
  seedRegistry(outside, 'team/app', second, ['v1.1.0']);
  seedRegistry(outside, 'team/app', buildImage([{ signature: 'legacy' }], { single: true }), [`${first.digest.replace(':', '-')}.sig`]);
  seedRegistry(outside, 'team/db', database, ['v1.0.0']);
  return {
    folder,
    outside,
    inside,
    [Symbol.asyncDispose]: async () => {
      await Promise.all([outside.close(), inside.close(), rm(folder, { recursive: true })]);
    },
  };
}

async function arcctl(...args: string[]) {
  const streams = memoryStreams();
  const { signal } = new AbortController();
  const code = await runCli(['artifact', ...args], { streams, environment: { HOME: '/nonexistent' }, clock: systemClock, signal });
  return { code, stdout: streams.stdout.text, stderr: streams.stderr.text };
}

async function succeed(...args: string[]): Promise<string> {
  const quiet = args[0] === 'inventory' ? [] : ['--progress', 'none'];
  const { code, stdout, stderr } = await arcctl(...args, ...quiet);
  assert.equal(code, 0, stderr);
  return stdout;
}

function blobBytesSent(registry: TestRegistry): number {
  return registry.requests.matching({ method: 'PUT', path: /\/blobs\// }).reduce((sum, { requestBytes }) => sum + requestBytes, 0);
}

for (const name of ['disk', 'disk.tar']) {
  test(`several artifacts with what refers to them cross a gap as ${name}, and again without what is there`, async () => {
    await using place = await setUp();
    const { outside, inside } = place;
    const disk = join(place.folder, name);
    const references = [`${outside.host}/team/app:v1.0.0`, `${outside.host}/team/db:v1.0.0`];
    await succeed('export', ...references, '--to', disk);
    const inventory = join(place.folder, 'inventory.json');
    await succeed('import', disk, `${inside.host}/zone`, '--inventory', inventory);
    const { content } = inside;
    assert.deepEqual(
      [...content.tags('zone/team/app')].filter(([tag]) => !tag.startsWith('sha256-')),
      [['v1.0.0', first.digest]],
    );
    assert.ok(content.tags('zone/team/app').has(`${first.digest.replace(':', '-')}.sig`), 'the legacy signature came along');
    assert.equal(content.tags('zone/team/db').get('v1.0.0'), database.digest);
    for (const { digest, bytes } of [...first.manifests, ...signature.manifests])
      assert.deepEqual(content.manifest('zone/team/app', digest)?.bytes, bytes);
    for (const [digest, bytes] of [...first.blobs, ...signature.blobs]) assert.deepEqual(content.blob('zone/team/app', digest), bytes);

    // The next disk carries only what the first one did not: the second version shares its large layers with the first.
    for (const [index, against] of [inventory, `${inside.host}/zone`].entries()) {
      const small = join(place.folder, `small-${index}${name.endsWith('.tar') ? '.tar' : ''}`);
      const said = await succeed('export', `${outside.host}/team/app:v1.1.0`, '--to', small, '--against', against);
      assert.match(said, index === 0 ? /^left out 2 blobs \(405 kB\)/m : /^left out 5 blobs \(406 kB\): the other side has them$/m);
      const carried = JSON.parse(
        await succeed('export', `${outside.host}/team/app:v1.1.0`, '--to', small, '--against', against, '-o', 'json'),
      ) as { artifacts: { bytes: { copied: number } }[] };
      assert.equal(carried.artifacts[0]?.bytes.copied, 0, 'a second export of the same writes nothing');
      const repository = `zone-${index}`;
      // Into a registry that lacks them nothing is written, and what is missing is said.
      await using other = await startTestRegistry();
      const refused = await arcctl('import', small, other.host, '--progress', 'none');
      assert.equal(refused.code, 1);
      assert.match(
        refused.stderr,
        /error\[Incomplete\]: source: read oci-\w+:\/\/.*: [25] things are neither in it nor in the receiving registry/,
      );
      assert.deepEqual(other.content.repositories(), []);
      inside.requests.clear();
      await succeed('import', small, `${inside.host}/zone`);
      const missing = [...second.blobs].filter(([digest]) => !first.blobs.has(digest)).reduce((sum, [, { length }]) => sum + length, 0);
      assert.equal(blobBytesSent(inside), index === 0 ? missing : 0, repository);
      assert.equal(content.tags('zone/team/app').get('v1.1.0'), second.digest);
    }
  });
}

test('what the inventory knows of another repository is mounted from there', async () => {
  await using place = await setUp();
  const inventory = join(place.folder, 'inventory.json');
  seedRegistry(place.inside, 'zone/elsewhere', first, ['v1']);
  await succeed('inventory', `${place.inside.host}/zone`, 'elsewhere', '--to', inventory);
  const disk = join(place.folder, 'disk.tar');
  await succeed('export', `${place.outside.host}/team/app:v1.1.0`, '--to', disk, '--against', inventory);
  assert.ok((await stat(disk)).size < 100_000);
  const planned = await succeed('import', disk, `${place.inside.host}/zone`, '--dry-run');
  assert.match(planned, /would copy/);
  assert.equal(place.inside.content.has('zone/team/app'), false);
  await succeed('import', disk, `${place.inside.host}/zone`);
  assert.equal(place.inside.content.tags('zone/team/app').get('v1.1.0'), second.digest);
  assert.equal(place.inside.requests.matching({ method: 'POST', path: /mount=/ }).length, 2);
});

test('an export that was cut anywhere is no archive to import, and goes on where it was', async () => {
  await using place = await setUp();
  const disk = join(place.folder, 'disk.tar');
  const reference = `${place.outside.host}/team/app:v1.0.0`;
  await succeed('export', reference, '--to', disk);
  const { size } = await stat(disk);
  const whole = await readFile(disk);
  for (const [step, length] of [0.1, 0.5, 0.8, 0.97].map((share) => Math.floor(size * share)).entries()) {
    await truncate(disk, length);
    assert.notEqual((await arcctl('import', disk, place.inside.host)).code, 0, `cut after ${length} bytes`);
    assert.deepEqual(place.inside.content.repositories(), []);
    place.outside.requests.clear();
    await succeed('export', reference, '--to', disk);
    const read = place.outside.requests.matching({ method: 'GET', path: /\/blobs\// });
    if (step > 0)
      assert.ok(read.reduce((sum, { responseBytes }) => sum + responseBytes, 0) <= size - length + 201_000, 'a blob at most is read again');
  }
  // Power went away: the length is right, a piece in the middle never reached the disk.
  const holed = Buffer.from(whole);
  holed.fill(0, Math.floor(size / 2), Math.floor(size / 2) + 4096);
  await writeFile(disk, holed);
  await succeed('export', reference, '--to', disk);
  await succeed('import', disk, place.inside.host);
  assert.equal(place.inside.content.tags('team/app').get('v1.0.0'), first.digest);
});

test('a signature that is not there, or not whole, is missed before anything is written', async () => {
  await using place = await setUp();
  const disk = join(place.folder, 'disk');
  await succeed('export', `${place.outside.host}/team/app:v1.0.0`, '--to', disk);
  const [payload = ''] = [...signature.blobs.keys()].slice(-1);
  await rm(join(disk, 'blobs', 'sha256', payload.slice(7)));
  const refused = await arcctl('import', disk, place.inside.host, '--progress', 'none');
  assert.match(refused.stderr, new RegExp(`error\\[Incomplete\\]: .*something is neither .*${payload}`));
  assert.deepEqual(place.inside.content.repositories(), []);
  await succeed('import', disk, place.inside.host, '--referrers', 'none');
  await rm(join(disk, 'blobs', 'sha256', signature.digest.slice(7)));
  const manifestless = await arcctl('import', disk, place.inside.host, '--progress', 'none');
  assert.match(manifestless.stderr, new RegExp(`error\\[Incomplete\\]: .*${signature.digest}`));
  assert.equal(place.inside.content.tags('team/app').get('v1.0.0'), first.digest);
});

test('an import that broke off moves the rest the next time, and shows no tag before', async () => {
  await using place = await setUp();
  const disk = join(place.folder, 'disk.tar');
  await succeed('export', `${place.outside.host}/team/app:v1.0.0`, '--to', disk);
  using broken = place.inside.faults.add({
    match: { method: 'PUT', path: /\/blobs\// },
    skip: 2,
    times: 100,
    action: { kind: 'status', status: 403 },
  });
  const failed = await arcctl('import', disk, place.inside.host);
  assert.equal(failed.code, 4, failed.stderr);
  assert.equal(place.inside.content.tags('team/app').size, 0);
  const held = place.inside.content
    .blobs('team/app')
    .reduce((sum, digest) => sum + (place.inside.content.blob('team/app', digest)?.length ?? 0), 0);
  broken[Symbol.dispose]();
  place.inside.requests.clear();
  await succeed('import', disk, place.inside.host);
  const legacy = place.outside.content.manifest('team/app', `${first.digest.replace(':', '-')}.sig`);
  const { config, layers } = JSON.parse(String(legacy?.bytes)) as { config: { size: number }; layers: { size: number }[] };
  const all = [...first.blobs, ...signature.blobs].reduce((sum, [, { length }]) => sum + length, 0);
  assert.equal(blobBytesSent(place.inside), all + config.size + layers.reduce((sum, layer) => sum + layer.size, 0) - held);
});

test('versions of a range, by digest, and what is wrong with a call', async () => {
  await using place = await setUp();
  const disk = join(place.folder, 'disk');
  await succeed('export', `${place.outside.host}/team/app`, '--versions', '>=1 <2', '--to', disk);
  await succeed('export', `${place.outside.host}/team/db@${database.digest}`, '--to', disk);
  await succeed('import', disk, place.inside.host, '--only', '*/team/app:*');
  const tags = [...place.inside.content.tags('team/app').keys()].filter((tag) => !tag.startsWith('sha256-'));
  assert.deepEqual(tags, ['v1.0.0', 'v1.1.0']);
  assert.equal(place.inside.content.has('team/db'), false);
  await succeed('import', disk, place.inside.host);
  assert.deepEqual(place.inside.content.manifest('team/db', database.digest)?.bytes, database.bytes);
  for (const args of [
    ['export', 'team/app:v1', '--to', disk],
    ['export', `${place.outside.host}/team/app:v1`, '--versions', '1.x', '--to', disk],
    ['import', disk, '/tmp/registry'],
    ['copy', 'team/app', place.inside.host],
  ])
    assert.equal((await arcctl(...args)).code, 2, args.join(' '));
  assert.equal((await arcctl('import', join(place.folder, 'none.tar'), place.inside.host)).code, 3);
});

test('copy between registries, with progress as JSON lines and a summary of what was skipped and why', async () => {
  await using place = await setUp();
  const source = `${place.outside.host}/team/app:v1.0.0`;
  const { code, stdout, stderr } = await arcctl('copy', source, `${place.inside.host}/app:v1`, '--tag', 'stable', '--progress', 'json');
  assert.equal(code, 0, stderr);
  const records = stderr.trim().split('\n').map((line) => JSON.parse(line) as Record<string, unknown>); // prettier-ignore
  const last = records.findLast(({ event }) => event === 'progress');
  assert.ok(last !== undefined && last['doneBytes'] === last['totalBytes'] && last['remainingMs'] === 0 && Array.isArray(last['layers']));
  assert.deepEqual(records.at(-1), { artifact: source, event: 'done' });
  assert.match(stdout, /copied \d+ kB in \d+ blobs and 4 manifests, 2 referrers/);
  const again = await succeed('copy', source, `${place.inside.host}/app:v1`);
  assert.match(again, /copied 0 B in 0 blobs and 0 manifests.*\n {2}skipped \d+ kB in \d+ blobs: there already\n/);
  const one = JSON.parse(await succeed('copy', source, `${place.inside.host}/amd64:v1`, '--platform', 'linux/amd64', '-o', 'json')) as {
    mapping: { from: string; to: string; why: string }[];
  };
  assert.deepEqual(
    one.mapping.map(({ from, to }) => [from, to]),
    [[first.digest, first.platforms.get('linux/amd64')?.digest]],
  );
  assert.match(one.mapping[0]?.why ?? '', /only linux\/amd64 was chosen/);
});

test('many artifacts are mirrored below a registry, each under its own name, and a second time nothing moves', async () => {
  await using place = await setUp();
  const { outside, inside } = place;
  const call = ['mirror', `${outside.host}/team/app`, `${outside.host}/team/db`, '--versions', '>=1', '--to', `${inside.host}/zone`];
  const said = await succeed(...call);
  assert.equal(said.match(/: copied /g)?.length, 3);
  const tags = [...inside.content.tags('zone/team/app')].filter(([tag]) => !tag.startsWith('sha256-'));
  assert.deepEqual(tags, [['v1.0.0', first.digest], ['v1.1.0', second.digest]]); // prettier-ignore
  assert.equal(inside.content.tags('zone/team/db').get('v1.0.0'), database.digest);
  inside.requests.clear();
  const again = JSON.parse(await succeed(...call, '-o', 'json')) as { reference: string; bytes: { copied: number } }[];
  assert.deepEqual(again.map(({ bytes }) => bytes.copied), [0, 0, 0]); // prettier-ignore
  assert.equal(inside.requests.matching({ method: 'PUT' }).length, 0);
  const other = await arcctl(...call.slice(0, -1), '/tmp/disk', '--progress', 'none');
  assert.equal(other.code, 2);
});

test(
  'skopeo and umoci read our directories and archives, and we read theirs',
  { skip: skopeo === undefined ? 'skopeo is not installed' : umoci === undefined ? 'umoci is not installed' : false },
  async () => {
    await using place = await setUp();
    const run = async (program: string | undefined, ...args: string[]): Promise<string> => {
      const { code, stdout, stderr } = await runCommand(program ?? '', args);
      assert.equal(code, 0, stderr);
      return stdout;
    };
    const name = `${place.outside.host}/team/app:v1.0.0`;
    for (const [scheme, path] of [
      ['oci', 'disk'],
      ['oci-archive', 'disk.tar'],
    ] as const) {
      const disk = join(place.folder, path);
      await succeed('export', name, `${place.outside.host}/team/db:v1.0.0`, '--to', disk);
      assert.equal(await run(skopeo, 'inspect', '--raw', `${scheme}:${disk}:${name}`), first.bytes.toString('utf8'));
      const theirs = join(place.folder, `theirs-${path}`);
      await run(skopeo, 'copy', '--all', '--preserve-digests', `${scheme}:${disk}:${name}`, `${scheme}:${theirs}:v1`);
      await using back = await startTestRegistry();
      await succeed('import', theirs, back.host, '--repository', 'team/app');
      assert.deepEqual(back.content.manifest('team/app', 'v1')?.bytes, first.bytes);
    }
    assert.match(await run(umoci, 'ls', '--layout', join(place.folder, 'disk')), /team\/app:v1\.0\.0/);
    const made = join(place.folder, 'made');
    await run(umoci, 'init', '--layout', made);
    await run(umoci, 'new', '--image', `${made}:v3`);
    await run(umoci, 'insert', '--image', `${made}:v3`, join(place.folder, 'theirs-disk', 'oci-layout'), '/layout');
    await succeed('import', made, place.inside.host, '--repository', 'made/app');
    const raw = await run(skopeo, 'inspect', '--raw', '--tls-verify=false', `docker://${place.inside.host}/made/app:v3`);
    assert.ok((await readdir(join(made, 'blobs', 'sha256'))).length >= 3);
    assert.deepEqual(place.inside.content.manifest('made/app', 'v3')?.bytes, Buffer.from(raw));
  },
);
