import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { buildImage, type CommandResult, runCommand, seedRegistry, startTestRegistry, type TestRegistry } from '@arc/testkit';

const program = fileURLToPath(new URL('../bin/arc-worker.mjs', import.meta.url));
const image = buildImage((platform) => [{ 'etc/platform': platform }], { random: { layers: 2, bytes: 200_000 } });
const password = 'correct horse battery';

interface Setting extends AsyncDisposable {
  readonly folder: string;
  readonly source: TestRegistry;
  readonly destination: TestRegistry;
  run(command: string, env?: Record<string, string>): Promise<CommandResult>;
}

async function setUp(): Promise<Setting> {
  const folder = await mkdtemp(join(tmpdir(), 'arc-worker-'));
  const source = await startTestRegistry({ auth: { kind: 'token', users: { reader: password } } });
  const destination = await startTestRegistry({ auth: { kind: 'basic', users: { writer: password } } });
  seedRegistry(source, 'demo/app', image, ['v1']);
  await secret(join(folder, 'src'), { username: 'reader', password: `${password}\n` });
  const config = { auths: { [destination.host]: { auth: Buffer.from(`writer:${password}`).toString('base64') } } };
  await secret(join(folder, 'dst'), { '.dockerconfigjson': JSON.stringify(config) });
  return {
    folder,
    source,
    destination,
    run: (command, env) =>
      runCommand(process.execPath, [program, command], { env: { ...environment(folder, source, destination), ...env } }),
    [Symbol.asyncDispose]: async () => {
      await Promise.all([source.close(), destination.close(), rm(folder, { recursive: true })]);
    },
  };
}

async function secret(folder: string, keys: Record<string, string>): Promise<void> {
  await mkdir(folder);
  await Promise.all(Object.entries(keys).map(([key, value]) => writeFile(join(folder, key), value)));
}

function environment(folder: string, source: TestRegistry, destination: TestRegistry): Record<string, string> {
  return {
    ARC_SRC_TYPE: 'oci',
    ARC_SRC_URL: source.url,
    ARC_SRC_SECRET_DIR: join(folder, 'src'),
    ARC_DST_TYPE: 'oci',
    ARC_DST_URL: `${destination.url}/zone-a`,
    ARC_DST_SECRET_DIR: join(folder, 'dst'),
    ARC_SPEC_JSON: JSON.stringify({ image: 'demo/app:v1', override: 'app:v1', tags: ['stable'] }),
    ARC_RECEIPT_FILE: join(folder, 'receipt.json'),
    ARGO_PROGRESS_FILE: join(folder, 'progress'),
  };
}

test('oci-copy copies with credentials from mounted secrets, and says what it did', async () => {
  await using setting = await setUp();
  const { code, stdout, stderr } = await setting.run('oci-copy');
  assert.deepEqual([code, stderr], [0, '']);
  const { content } = setting.destination;
  assert.deepEqual(
    [...content.tags('zone-a/app')],
    [
      ['stable', image.digest],
      ['v1', image.digest],
    ],
  );
  const bytes = [...image.blobs.values()].reduce((sum, blob) => sum + blob.length, 0);
  assert.equal(await readFile(join(setting.folder, 'progress'), 'utf8'), `${bytes}/${bytes}`);
  const { startedAt, finishedAt, ...receipt } = JSON.parse(await readFile(join(setting.folder, 'receipt.json'), 'utf8')) as Record<
    string,
    unknown
  >;
  assert.ok(Date.parse(String(startedAt)) <= Date.parse(String(finishedAt)));
  assert.deepEqual(receipt, {
    schemaVersion: 1,
    kind: 'oci-copy',
    source: { reference: `${setting.source.host}/demo/app:v1`, digest: image.digest, mediaType: image.mediaType },
    destination: {
      references: [`${setting.destination.host}/zone-a/app:v1`, `${setting.destination.host}/zone-a/app:stable`],
      digest: image.digest,
      mediaType: image.mediaType,
    },
    kept: [],
    dryRun: false,
    rewritten: false,
    platforms: ['linux/amd64', 'linux/arm64'],
    manifests: { copied: 3, present: 0 },
    blobs: { copied: image.blobs.size, present: 0, mounted: 0 },
    bytes: { copied: bytes, total: bytes },
    referrers: 0,
    warnings: [],
    checks: [{ name: 'signature', result: 'skipped', detail: 'there is no policy that says who must have signed' }],
  });
  for (const word of ['copying ', 'resolved ', 'planned ', 'copied ', 'tagged ', 'done '])
    assert.match(stdout, new RegExp(`^${word}`, 'm'));
  const receiptText = await readFile(join(setting.folder, 'receipt.json'), 'utf8');
  const verified = await setting.run('oci-verify', { ARC_RECEIPT_JSON: receiptText });
  assert.deepEqual([verified.code, verified.stderr], [0, '']);
  assert.match(verified.stdout, /^source .*sha256:[0-9a-f]{64}$/m);
  assert.match(verified.stdout, /^verified .*digests are equal$/m);
  assert.ok(!`${stdout}${verified.stdout}${receiptText}`.includes(password));
});

test('oci-verify finds another digest and missing parts', async () => {
  await using setting = await setUp();
  await setting.run('oci-copy');
  setting.destination.content.deleteBlob('zone-a/app', [...image.blobs.keys()][0] ?? '');
  const incomplete = await setting.run('oci-verify');
  assert.equal(incomplete.code, 1);
  assert.match(incomplete.stderr, /^error: destination: verify: 1 of \d+ parts are not there, the first is sha256:/);
  seedRegistry(setting.destination, 'zone-a/app', buildImage([{ other: 'x' }]), ['stable']);
  seedRegistry(setting.destination, 'zone-a/app', image);
  const moved = await setting.run('oci-verify');
  assert.equal(moved.code, 1);
  assert.match(moved.stderr, /zone-a\/app:stable is sha256:.*, not sha256:/);
});

test('the last line of a failure says the side, the operation, the reference and what to do', async () => {
  await using setting = await setUp();
  const last = (result: CommandResult): string => result.stderr.trimEnd().split('\n').at(-1) ?? '';
  const absent = await setting.run('oci-copy', { ARC_SPEC_JSON: '{"image":"demo/app:v9"}' });
  assert.equal(absent.code, 1);
  assert.equal(
    last(absent),
    `error: source: read manifest ${setting.source.host}/demo/app:v9: there is no such image. Check the repository and the tag or digest of the image, and that the account may read it.`,
  );
  await writeFile(
    join(setting.folder, 'dst', '.dockerconfigjson'),
    JSON.stringify({ auths: { [setting.destination.host]: { username: 'writer', password: 'wrong' } } }),
  );
  const refused = await setting.run('oci-copy');
  assert.equal(refused.code, 1);
  assert.match(last(refused), /^error: destination: read manifest .*refuses the credentials\. Check username and password/);
  assert.ok(!refused.stderr.includes('wrong'));
  await rm(join(setting.folder, 'src'), { recursive: true });
  const anonymous = await setting.run('oci-copy');
  assert.match(last(anonymous), /^error: source: resolve .*requires authentication and there are no credentials for it\. Name a Secret/);
  assert.equal(setting.destination.content.repositories().length, 0);
});

test('configuration errors name the variable, wrong calls exit with 2', async () => {
  await using setting = await setUp();
  const cases: readonly (readonly [Record<string, string>, RegExp])[] = [
    [{ ARC_SRC_URL: '' }, /ARC_SRC_URL: it is not set/],
    [{ ARC_DST_TYPE: 's3' }, /ARC_DST_TYPE: the type "s3" cannot be copied/],
    [{ ARC_CONCURRENCY: '99' }, /ARC_CONCURRENCY: "99" is not a whole number from 1 to 16/],
    [{ ARC_SPEC_JSON: '{}' }, /spec\.image: the artifact names no image/],
    [{ ARC_DST_URL: `http://me:${encodeURIComponent(password)}@127.0.0.1:1` }, /destination: use the endpoint: .*it holds credentials/],
  ];
  await Promise.all(
    cases.map(async ([env, expected]) => {
      const { code, stderr } = await setting.run('oci-copy', env);
      assert.equal(code, 1);
      assert.match(stderr, expected);
      assert.ok(!stderr.includes('horse'));
    }),
  );
  assert.equal((await setting.run('oci-move')).code, 2);
});

test('SIGTERM ends a copy without a tag', async () => {
  await using setting = await setUp();
  const stalled = setting.source.faults.add({
    match: { method: 'GET', path: /blobs/ },
    times: 100,
    action: { kind: 'stall', afterBytes: 10 },
  });
  const child = spawn(process.execPath, [program, 'oci-copy'], {
    env: { ...process.env, ...environment(setting.folder, setting.source, setting.destination) },
  });
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => (stderr += String(chunk)));
  const closed = once(child, 'close');
  await stalled.hit;
  child.kill('SIGTERM');
  assert.deepEqual(await closed, [143, null]);
  assert.match(stderr, /stopped by SIGTERM; nothing was tagged/);
  assert.equal(setting.destination.content.tags('zone-a/app').size, 0);
});

test('kill -9 in the middle leaves no tag; the next run moves only what is missing', async () => {
  await using setting = await setUp();
  const stalled = setting.source.faults.add({
    match: { method: 'GET', path: /blobs/ },
    skip: 3,
    times: 100,
    action: { kind: 'stall', afterBytes: 10 },
  });
  const env = { ...process.env, ...environment(setting.folder, setting.source, setting.destination), ARC_CONCURRENCY: '1' };
  const child = spawn(process.execPath, [program, 'oci-copy'], { env });
  const closed = once(child, 'close');
  await stalled.hit;
  child.kill('SIGKILL');
  await closed;
  assert.equal(setting.destination.content.tags('zone-a/app').size, 0);
  stalled[Symbol.dispose]();
  const { code } = await setting.run('oci-copy');
  assert.equal(code, 0);
  const receipt = JSON.parse(await readFile(join(setting.folder, 'receipt.json'), 'utf8')) as {
    blobs: { copied: number; present: number };
  };
  assert.deepEqual(receipt.blobs, { copied: image.blobs.size - 3, present: 3, mounted: 0 });
  assert.equal(setting.destination.writers.of('zone-a/app').maxConcurrentWriters, 1);
  assert.equal(setting.destination.writers.of('zone-a/app').sequence.length, 2);
});

test('a dry run counts and writes nothing; a tag that stands for something else is left alone unless told', async () => {
  await using setting = await setUp();
  const lines = (await setting.run('oci-copy', { ARC_DRY_RUN: 'true', ARC_PROGRESS: 'json' })).stdout.trim().split('\n');
  const records = lines
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as { event: string; bytes?: { total: number } });
  assert.ok(records.some(({ event }) => event === 'progress'));
  assert.deepEqual(
    [records.at(-1)?.event, records.at(-1)?.bytes?.total],
    ['done', [...image.blobs.values()].reduce((sum, { length }) => sum + length, 0)],
  );
  const planned = await setting.run('oci-copy', { ARC_DRY_RUN: 'true' });
  assert.deepEqual([planned.code, planned.stderr], [0, '']);
  assert.match(planned.stdout, new RegExp(`^plan +${image.blobs.size} blobs to copy .*; nothing was written$`, 'm'));
  assert.doesNotMatch(planned.stdout, /^copied/m);
  assert.deepEqual(setting.destination.content.repositories(), []);
  const receiptOfPlan = await readFile(join(setting.folder, 'receipt.json'), 'utf8');
  const unproven = await setting.run('oci-verify', { ARC_RECEIPT_JSON: receiptOfPlan });
  assert.deepEqual([unproven.code, unproven.stdout], [0, 'skipped      nothing was delivered that could be verified: it was a dry run\n']);

  const other = buildImage([{ other: 'x' }]);
  seedRegistry(setting.destination, 'zone-a/app', other, ['v1']);
  const refused = await setting.run('oci-copy');
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /^error: destination: tag .*\/zone-a\/app:v1: .* stands for sha256:.* already.*onConflict/);
  const skipped = await setting.run('oci-copy', { ARC_ON_CONFLICT: 'skip' });
  assert.equal(skipped.code, 0, skipped.stderr);
  const { content } = setting.destination;
  assert.deepEqual([content.tags('zone-a/app').get('v1'), content.tags('zone-a/app').get('stable')], [other.digest, image.digest]);
  const verified = await setting.run('oci-verify', { ARC_RECEIPT_JSON: await readFile(join(setting.folder, 'receipt.json'), 'utf8') });
  assert.equal(verified.code, 0, verified.stderr);
  const spec = { image: 'demo/app:v1', override: 'app:v1', onConflict: 'overwrite' };
  const moved = await setting.run('oci-copy', { ARC_ON_CONFLICT: 'fail', ARC_SPEC_JSON: JSON.stringify(spec) });
  assert.equal(moved.code, 0, moved.stderr);
  assert.equal(content.tags('zone-a/app').get('v1'), image.digest);
});
