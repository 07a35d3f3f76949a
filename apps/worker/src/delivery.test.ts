import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import {
  buildChart,
  buildImage,
  type CommandResult,
  digestOf,
  type FileServer,
  helmRepository,
  runCommand,
  seedRegistry,
  startFileServer,
  startTestRegistry,
  type TestRegistry,
} from '@arc/testkit';
import type { DeliveryReceipt } from './delivery/delivery-receipt.ts';

const program = fileURLToPath(new URL('../bin/arc-worker.mjs', import.meta.url));
const tool = randomBytes(300_000);
const toolDigest = digestOf(tool);
const charts = [buildChart('podinfo', '1.0.0'), buildChart('podinfo', '1.2.0')] as const;
const password = 'correct horse battery';

interface Setting extends AsyncDisposable {
  readonly folder: string;
  readonly server: FileServer;
  readonly registry: TestRegistry;
  run(command: string, spec: Record<string, unknown>, env?: Record<string, string>): Promise<CommandResult>;
  receipt(): Promise<DeliveryReceipt>;
  verify(command: string, env?: Record<string, string>): Promise<CommandResult>;
}

async function setUp(): Promise<Setting> {
  const folder = await mkdtemp(join(tmpdir(), 'arc-delivery-'));
  const sums = `${createHash('sha512').update(tool).digest('hex')}  tool 1.2.tgz\n`;
  const server = await startFileServer({
    files: {
      '/files/tool/tool 1.2.tgz': tool,
      '/files/tool/SHA512SUMS': sums,
      ...helmRepository(charts, { path: '/charts/' }),
    },
    auth: { kind: 'basic', username: 'reader', password, hidden: true },
  });
  const registry = await startTestRegistry();
  await Promise.all([mkdir(join(folder, 'src')), mkdir(join(folder, 'out')), mkdir(join(folder, 'staging'))]);
  await writeFile(join(folder, 'src', 'username'), 'reader');
  await writeFile(join(folder, 'src', 'password'), `${password}\n`);
  const receiptFile = join(folder, 'receipt.json');
  const environment = {
    ARC_SRC_TYPE: 'http',
    ARC_SRC_URL: `${server.url}/files`,
    ARC_SRC_SECRET_DIR: join(folder, 'src'),
    ARC_DST_TYPE: 'oci',
    ARC_DST_URL: `${registry.url}/zone-a`,
    ARC_DST_SECRET_DIR: join(folder, 'dst'),
    ARC_RECEIPT_FILE: receiptFile,
    ARC_STAGING_DIR: join(folder, 'staging'),
    ARGO_PROGRESS_FILE: join(folder, 'progress'),
  };
  let last: Record<string, string> = {};
  const run = (command: string, env: Record<string, string>): Promise<CommandResult> =>
    runCommand(process.execPath, [program, command], { env: { ...environment, ...env } });
  return {
    folder,
    server,
    registry,
    run: (command, spec, env = {}) => {
      last = { ...env, ARC_SPEC_JSON: JSON.stringify(spec) };
      return run(command, last);
    },
    receipt: async () => JSON.parse(await readFile(receiptFile, 'utf8')) as DeliveryReceipt,
    verify: async (command, env = {}) => run(command, { ...last, ARC_RECEIPT_JSON: await readFile(receiptFile, 'utf8'), ...env }),
    [Symbol.asyncDispose]: async () => {
      await Promise.all([server.close(), registry.close(), rm(folder, { recursive: true })]);
    },
  };
}

const spec = {
  path: 'tool/tool%201.2.tgz',
  digest: toolDigest,
  override: 'tools/tool:1.2',
  tags: ['stable'],
  mediaType: 'application/gzip',
};

function gets(setting: Setting): number {
  return setting.server.requests.matching({ method: 'GET', path: /tool%201\.2/ }).length;
}

test('a file becomes an artifact with one layer, streamed when its digest is known; a second run fetches nothing', async () => {
  await using setting = await setUp();
  const { code, stdout, stderr } = await setting.run('http-copy', spec);
  assert.deepEqual([code, stderr], [0, '']);
  const { content } = setting.registry;
  const manifest = JSON.parse(String(content.manifest('zone-a/tools/tool', '1.2')?.bytes)) as Record<string, unknown>;
  assert.deepEqual(manifest, {
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    artifactType: 'application/vnd.opendefense.arc.file.v1',
    config: { mediaType: 'application/vnd.oci.empty.v1+json', digest: digestOf(Buffer.from('{}')), size: 2 },
    layers: [
      {
        mediaType: 'application/gzip',
        digest: toolDigest,
        size: tool.length,
        annotations: { 'org.opencontainers.image.title': 'tool 1.2.tgz' },
      },
    ],
  });
  assert.deepEqual(content.blob('zone-a/tools/tool', toolDigest), tool);
  assert.equal(content.tags('zone-a/tools/tool').get('stable'), content.tags('zone-a/tools/tool').get('1.2'));
  assert.doesNotMatch(stdout, /staged/);
  assert.equal(await readFile(join(setting.folder, 'progress'), 'utf8'), `${tool.length + 2}/${tool.length + 2}`);
  const receipt = await setting.receipt();
  assert.deepEqual(receipt.checks, [{ name: 'digest', result: 'passed', detail: `${toolDigest}, says the order` }]);
  assert.deepEqual(receipt.files, [{ name: 'tool 1.2.tgz', digest: toolDigest, size: tool.length }]);
  assert.deepEqual(
    receipt.destination.references,
    ['1.2', 'stable'].map((tag) => `${setting.registry.host}/zone-a/tools/tool:${tag}`),
  );
  const verified = await setting.verify('http-verify');
  assert.deepEqual([verified.code, verified.stderr], [0, '']);
  assert.match(verified.stdout, /^passed +digest[^]*^verified +3 parts/m);
  assert.equal(gets(setting), 1);
  assert.equal((await setting.run('http-copy', spec)).code, 0);
  assert.deepEqual([gets(setting), (await setting.receipt()).bytes.copied], [1, 0]);
  assert.ok(!`${stdout}${JSON.stringify(receipt)}${verified.stdout}`.includes(password));
});

test('a file of checksums is obeyed; what has no digest is staged, said to be unchecked, and leaves nothing behind', async () => {
  await using setting = await setUp();
  const { digest: _none, ...without } = spec;
  const checked = await setting.run('http-copy', { ...without, checksums: 'tool/SHA512SUMS' });
  assert.equal(checked.code, 0, checked.stderr);
  assert.match(checked.stdout, /^staged /m);
  assert.match((await setting.receipt()).checks[0]?.detail ?? '', /^sha512:[0-9a-f]{128}, says 127\.0\.0\.1:\d+\/files\/tool\/SHA512SUMS$/);
  const first = (await setting.receipt()).destination.digest;
  const unchecked = await setting.run('http-copy', without);
  assert.equal(unchecked.code, 0, unchecked.stderr);
  assert.deepEqual([(await setting.receipt()).checks[0]?.result, (await setting.receipt()).destination.digest], ['skipped', first]);
  assert.match((await setting.verify('http-verify')).stdout, /^skipped +digest: the order names neither/m);
  setting.server.files.set('/files/tool/SHA512SUMS', Buffer.from(`${'a'.repeat(128)}  tool 1.2.tgz\n`));
  const wrong = await setting.run('http-copy', { ...without, checksums: 'tool/SHA512SUMS', override: 'other:1' });
  assert.equal(wrong.code, 1);
  assert.match(wrong.stderr, /^error: source: read .*wrong content: expected sha512:a+, received sha512:/m);
  assert.deepEqual(await readdir(join(setting.folder, 'staging')), []);
  assert.equal(setting.registry.content.tags('zone-a/other').size, 0);
});

test('content of another digest is never tagged; a broken connection goes on', async () => {
  await using setting = await setUp();
  setting.server.faults.add({ match: { method: 'GET' }, times: 9, action: { kind: 'corrupt' } });
  const corrupt = await setting.run('http-copy', spec);
  assert.equal(corrupt.code, 1);
  assert.match(corrupt.stderr, /^error: source: read blob .*wrong content: expected sha256:/m);
  assert.equal(setting.registry.content.tags('zone-a/tools/tool').size, 0);
  setting.server.faults.clear();
  setting.server.faults.add({ match: { method: 'GET' }, action: { kind: 'cut', afterBytes: 100_000 } });
  const resumed = await setting.run('http-copy', spec);
  assert.equal(resumed.code, 0, resumed.stderr);
  assert.match(resumed.stdout, /^waiting .*then on from byte \d{5,6} \(source: /m);
});

test('a file arrives in a directory where it was below the source, or where the order says', async () => {
  await using setting = await setUp();
  const directory = { ARC_DST_TYPE: 'file', ARC_DST_URL: `file://${setting.folder}/out` };
  const { override: _none, ...plain } = spec;
  const planned = await setting.run('http-copy', plain, { ...directory, ARC_DRY_RUN: 'true' });
  assert.deepEqual([planned.code, await readdir(join(setting.folder, 'out')), gets(setting)], [0, [], 0]);
  const written = await setting.run('http-copy', plain, directory);
  assert.equal(written.code, 0, written.stderr);
  const path = join(setting.folder, 'out', 'tool', 'tool 1.2.tgz');
  assert.deepEqual(await readFile(path), tool);
  assert.equal((await setting.verify('http-verify')).code, 0);
  await writeFile(path, 'changed');
  const changed = await setting.verify('http-verify');
  assert.equal(changed.code, 1);
  assert.match(changed.stderr, /^error: destination: verify: file:.*tool 1\.2\.tgz is sha256:.*, not sha256:/);
  const refused = await setting.run('http-copy', plain, directory);
  assert.match(refused.stderr, /^error: destination: write .*onConflict/m);
  const kept = await setting.run('http-copy', { ...plain, onConflict: 'skip' }, directory);
  assert.equal(kept.code, 0, kept.stderr);
  assert.equal(await readFile(path, 'utf8'), 'changed');
  assert.match((await setting.verify('http-verify')).stdout, /^skipped +nothing was delivered/m);
  assert.equal((await setting.run('http-copy', { ...plain, onConflict: 'overwrite' }, directory)).code, 0);
  assert.deepEqual(await readFile(path), tool);
  const escape = await setting.run('http-copy', { ...spec, override: '../evil' }, directory);
  assert.equal(escape.code, 1);
  assert.match(escape.stderr, /not a name for a file/);
});

test('what is wrong with an order for a file is said with the field or side', async () => {
  await using setting = await setUp();
  const cases: readonly (readonly [Record<string, unknown>, Record<string, string>, RegExp])[] = [
    [{}, {}, /names no file/],
    [{ ...spec, digest: 'md5:1' }, {}, /spec\.digest: not a digest/],
    [{ path: 'tool/x' }, {}, /spec\.override: a file has no repository and tag/],
    [{ ...spec, path: '../charts/index.yaml' }, {}, /source: find .*does not lie below/],
    [{ ...spec, path: 'none' }, {}, /source: read .*has no such file/],
    [{ ...spec, path: '100%' }, {}, /source: read .*has no such file/],
    [
      { ...spec, override: { repository: 'x' } },
      { ARC_DST_TYPE: 'file', ARC_DST_URL: setting.folder },
      /spec\.override: override is not a string/,
    ],
    [spec, { ARC_SRC_TYPE: 'ocm' }, /ARC_SRC_TYPE: the type "ocm" cannot be copied by this step, only "http"/],
    [spec, { ARC_SRC_TYPE: 's3' }, /source: look at .*does not answer as an S3 service does/],
    [spec, { ARC_MAX_BYTES: '1000' }, /more than the 1000 bytes/],
  ];
  await Promise.all(
    cases.map(async ([wrong, env, expected]) => {
      const { code, stderr } = await setting.run('http-copy', wrong, env);
      assert.equal(code, 1, JSON.stringify(wrong));
      assert.match(stderr, expected);
    }),
  );
  assert.deepEqual(setting.registry.content.repositories(), []);
});

test('a chart of a repository arrives in a registry with its provenance, and in a directory', async () => {
  await using setting = await setUp();
  const helm = { ARC_SRC_TYPE: 'helm', ARC_SRC_URL: `${setting.server.url}/charts` };
  const copied = await setting.run('helm-copy', { chart: 'podinfo', version: '^1.0', tags: ['stable'] }, helm);
  assert.deepEqual([copied.code, copied.stderr], [0, '']);
  assert.deepEqual([...setting.registry.content.tags('zone-a/podinfo').keys()].sort(), ['1.2.0', 'stable']);
  assert.deepEqual(setting.registry.content.blob('zone-a/podinfo', charts[1].digest), charts[1].archive);
  const receipt = await setting.receipt();
  assert.deepEqual(
    receipt.checks.map(({ name, result }) => [name, result]),
    [
      ['digest', 'passed'],
      ['chart', 'passed'],
      ['provenance digest', 'passed'],
      ['provenance signature', 'skipped'],
    ],
  );
  assert.deepEqual([receipt.source.version, receipt.source.digest], ['1.2.0', charts[1].digest]);
  assert.equal((await setting.verify('helm-verify')).code, 0);
  setting.registry.content.deleteBlob('zone-a/podinfo', charts[1].digest);
  assert.match((await setting.verify('helm-verify')).stderr, /blob sha256:.* is not there/);
  const written = await setting.run(
    'helm-copy',
    { chart: 'podinfo', version: '1.0.0' },
    { ...helm, ARC_DST_TYPE: 'file', ARC_DST_URL: `${setting.folder}/out` },
  );
  assert.equal(written.code, 0, written.stderr);
  assert.deepEqual((await readdir(join(setting.folder, 'out'))).sort(), ['index.yaml', 'podinfo-1.0.0.tgz', 'podinfo-1.0.0.tgz.prov']);
  assert.equal((await setting.verify('helm-verify')).code, 0);
  setting.server.files.delete('/charts/podinfo-1.0.0.tgz.prov');
  const unsigned = await setting.run('helm-copy', { chart: 'podinfo', version: '1.0.0', provenance: 'required' }, helm);
  assert.match(unsigned.stderr, /^error: source: fetch chart .*has no provenance file/m);
});

test('a chart of a registry is copied as it is; what is no chart is refused', async () => {
  await using setting = await setUp();
  await setting.run(
    'helm-copy',
    { chart: 'podinfo', version: '1.0.0' },
    { ARC_SRC_TYPE: 'helm', ARC_SRC_URL: `${setting.server.url}/charts` },
  );
  await setting.run('helm-copy', { chart: 'podinfo' }, { ARC_SRC_TYPE: 'helm', ARC_SRC_URL: `${setting.server.url}/charts` });
  await using other = await startTestRegistry();
  const onward = {
    ARC_SRC_TYPE: 'oci',
    ARC_SRC_URL: `${setting.registry.url}/zone-a`,
    ARC_SRC_SECRET_DIR: '/nonexistent',
    ARC_DST_URL: other.url,
  };
  const copied = await setting.run('helm-copy', { chart: 'podinfo', version: '<2', override: 'charts/{{.name}}' }, onward);
  assert.equal(copied.code, 0, copied.stderr);
  const source = setting.registry.content.tags('zone-a/podinfo').get('1.2.0');
  assert.deepEqual([...other.content.tags('charts/podinfo')], [['1.2.0', source]]);
  assert.deepEqual([(await setting.receipt()).source.version, (await setting.receipt()).files[0]?.digest], ['1.2.0', charts[1].digest]);
  assert.equal((await setting.verify('helm-verify')).code, 0);
  seedRegistry(setting.registry, 'zone-a/image', buildImage([{ x: 'y' }]), ['1.0.0']);
  const image = await setting.run('helm-copy', { chart: 'image', version: '1.0.0' }, onward);
  assert.match(image.stderr, /^error: source: resolve .*is no Helm chart/m);
});
