import assert from 'node:assert/strict';
import { mkdir, mkdtempDisposable, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { buildChart, buildImage, helmRepository, seedRegistry, startFileServer, startTestRegistry } from '@arc/testkit';
import { createAuthority, issueServerCertificate } from '@arc/pki';
import { sideOptions } from './artifact-sides.ts';
import { verifyDelivery } from './delivery/verify-delivery.ts';
import { readEnvironment, type SideEnvironment } from './environment.ts';
import { helmCopy } from './helm-copy.ts';

const app = buildImage([{ app: 'a' }]);
const base = buildImage([{ base: 'b' }]);
const values = 'image: {registry: images.example.org, repository: team/app, tag: "1.0"}\nother: {image: "busybox:1"}\n';
const chart = buildChart('podinfo', '1.2.0', { files: { 'podinfo/values.yaml': values } });

test('the images that a chart names come along from allowed registries, without the credentials of the chart repository', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'arc-images-'));
  await using server = await startFileServer({
    files: helmRepository([chart]),
    auth: { kind: 'basic', username: 'reader', password: 'hunter2' },
  });
  await using images = await startTestRegistry();
  await using destination = await startTestRegistry();
  seedRegistry(images, 'team/app', app, ['1.0']);
  seedRegistry(images, 'library/busybox', base, ['1']);
  await mkdir(join(folder.path, 'src'));
  await writeFile(join(folder.path, 'src', 'username'), 'reader');
  await writeFile(join(folder.path, 'src', 'password'), 'hunter2');
  const lines: string[] = [];
  const receiptFile = join(folder.path, 'receipt.json');
  const env = {
    ARC_SRC_TYPE: 'helm',
    ARC_SRC_URL: server.url,
    ARC_SRC_SECRET_DIR: join(folder.path, 'src'),
    ARC_DST_URL: `${destination.url}/zone`,
    ARC_DST_SECRET_DIR: join(folder.path, 'none'),
    ARC_SPEC_JSON: JSON.stringify({ chart: 'podinfo', images: 'named' }),
    ARC_RECEIPT_FILE: receiptFile,
    ARC_STAGING_DIR: folder.path,
  };
  const { signal } = new AbortController();
  const copy = (more: Record<string, string>): Promise<void> =>
    helmCopy(readEnvironment({ ...env, ...more }), (line) => lines.push(line), signal);
  await assert.rejects(copy({ ARC_IMAGE_REGISTRIES: 'images.example.org' }), {
    code: 'ImageNotAllowed',
    message: /not from allowed registries: docker\.io\/library\/busybox:1$/,
  });
  await assert.rejects(copy({ ARC_DST_TYPE: 'file', ARC_DST_URL: folder.path }), { code: 'InvalidConfiguration' });
  assert.deepEqual(destination.content.repositories(), []);

  const allowed = { ARC_IMAGE_REGISTRIES: `images.example.org=${images.url}, docker.io=${images.url}` };
  await copy(allowed);
  assert.equal(destination.content.tags('zone/team/app').get('1.0'), app.digest);
  assert.equal(destination.content.tags('zone/library/busybox').get('1'), base.digest);
  assert.ok(destination.content.tags('zone/podinfo').has('1.2.0'));
  assert.ok(images.requests.entries.every(({ headers }) => headers['authorization'] === undefined));
  const receipt = await readFile(receiptFile, 'utf8');
  const { images: listed } = JSON.parse(receipt) as { images: { repository: string; tags: string[]; digest: string }[] };
  assert.deepEqual(
    listed.map(({ repository, tags, digest }) => [repository, tags, digest]),
    [
      ['team/app', ['1.0'], app.digest],
      ['library/busybox', ['1'], base.digest],
    ],
  );
  await copy({ ...allowed, ARC_SPEC_JSON: JSON.stringify({ chart: 'podinfo', images: 'rewritten', override: 'rewritten/podinfo' }) });
  const rewritten = JSON.parse(await readFile(receiptFile, 'utf8')) as {
    source: { digest: string };
    files: { digest: string }[];
    mapping: { from: string; to: string; why: string }[];
  };
  assert.deepEqual(
    rewritten.mapping.map(({ from, to }) => [from, to]),
    [[rewritten.source.digest, rewritten.files[0]?.digest]],
  );
  assert.match(rewritten.mapping[0]?.why ?? '', /provenance and signatures do not cover it/);
  assert.equal(rewritten.files.length, 1, 'the provenance file of the other chart stays behind');
  assert.ok(
    lines.some((line) => line.includes(`podinfo/values.yaml: images.example.org/team/app is ${destination.host}/zone/team/app`)),
    lines.join('\n'),
  );
  await verifyDelivery(readEnvironment({ ...env, ARC_RECEIPT_JSON: await readFile(receiptFile, 'utf8') }), () => {}, signal);
  const verify = (): Promise<void> => verifyDelivery(readEnvironment({ ...env, ARC_RECEIPT_JSON: receipt }), () => {}, signal);
  await verify();
  seedRegistry(destination, 'zone/team/app', base, ['1.0']);
  await assert.rejects(verify(), { code: 'Mismatch', message: /image .*team\/app:1\.0 is sha256/ });
});

test('another registry than the endpoint is neither believed without a trusted certificate nor shown the one of the endpoint', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'arc-images-'));
  const authority = createAuthority({ commonName: 'test' });
  const { certPem: cert, keyPem: key } = issueServerCertificate(authority, { names: [], addresses: ['127.0.0.1'] });
  await using server = await startFileServer({ files: helmRepository([chart]) });
  await using images = await startTestRegistry({ tls: { cert, key } });
  await using destination = await startTestRegistry();
  seedRegistry(images, 'team/app', app, ['1.0']);
  seedRegistry(images, 'library/busybox', base, ['1']);
  const env = {
    ARC_SRC_TYPE: 'helm',
    ARC_SRC_URL: server.url,
    ARC_SRC_SECRET_DIR: join(folder.path, 'none'),
    ARC_SRC_INSECURE_SKIP_TLS_VERIFY: 'true',
    ARC_SRC_SERVER_NAME: 'charts.example.org',
    ARC_DST_URL: destination.url,
    ARC_DST_SECRET_DIR: join(folder.path, 'none'),
    ARC_SPEC_JSON: JSON.stringify({ chart: 'podinfo', images: 'named' }),
    ARC_STAGING_DIR: folder.path,
    ARC_IMAGE_REGISTRIES: `images.example.org=${images.url}, docker.io=${images.url}`,
  };
  const copy = (more: Record<string, string> = {}): Promise<void> =>
    helmCopy(readEnvironment({ ...env, ...more }), () => {}, new AbortController().signal);
  await assert.rejects(copy(), { code: 'TLSFailed' });
  await copy({ ARC_SRC_CA: authority.certPem });
  assert.equal(destination.content.tags('team/app').get('1.0'), app.digest);

  await writeFile(join(folder.path, 'tls.crt'), cert);
  await writeFile(join(folder.path, 'tls.key'), key);
  const { source, ...environment } = readEnvironment({ ...env, ARC_SRC_SECRET_DIR: folder.path });
  const identityFor = async (side: SideEnvironment) => (await sideOptions('source', side, environment, () => {})).tls?.cert;
  assert.equal(await identityFor(source), cert);
  assert.equal(await identityFor({ ...source, isElsewhere: true }), undefined);
});
