import assert from 'node:assert/strict';
import { appendFile, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { buildImage, buildReferrer, digestOf, seedRegistry, startTestRegistry } from '@arc/testkit';
import { copyArtifact, type CopyResult } from '../copy/copy-artifact.ts';
import { type Digest, parseDigest } from '../digest/digest.ts';
import { parseEndpointURL } from '../reference/endpoint-url.ts';
import { OciLayout } from './layout.ts';
import { openEndpoint } from './open-repository.ts';

const image = buildImage((platform) => [{ 'etc/platform': platform }], { random: { layers: 1, bytes: 100_000 } });

async function temporary(): Promise<{ folder: string } & AsyncDisposable> {
  const folder = await mkdtemp(join(tmpdir(), 'arc-layout-'));
  return { folder, [Symbol.asyncDispose]: () => rm(folder, { recursive: true }) };
}

async function copy(from: string, to: string): Promise<CopyResult> {
  using source = openEndpoint(parseEndpointURL(from));
  using destination = openEndpoint(parseEndpointURL(to));
  return await copyArtifact(await source.source('demo/app'), 'v1', await destination.destination('demo/app'), {
    tags: ['v1', 'stable'],
    onConflict: 'overwrite',
  });
}

test('registry to layout to registry gives back every byte, with what refers to the image', async () => {
  await using place = await temporary();
  await using source = await startTestRegistry();
  await using destination = await startTestRegistry();
  seedRegistry(source, 'demo/app', image, ['v1']);
  const signature = buildReferrer(image, 'application/vnd.example.signature', 'signed');
  seedRegistry(source, 'demo/app', signature);
  assert.equal((await copy(source.url, `oci-layout://${place.folder}`)).referrers, 1);
  assert.deepEqual(JSON.parse(await readFile(join(place.folder, 'demo/app/oci-layout'), 'utf8')), { imageLayoutVersion: '1.0.0' });
  const back = await copy(place.folder, destination.url);
  assert.deepEqual([back.referrers, back.warnings], [1, []]);
  for (const { digest, bytes } of [...image.manifests, ...signature.manifests]) {
    assert.deepEqual(destination.content.manifest('demo/app', digest)?.bytes, bytes);
  }
  for (const [digest, bytes] of [...image.blobs, ...signature.blobs]) assert.deepEqual(destination.content.blob('demo/app', digest), bytes);
  const again = await copy(source.url, place.folder);
  assert.deepEqual([again.bytes.copied, again.manifests.copied], [0, 0]);
});

test('tags move, untagged entries stay, and listings name each tag once', async () => {
  await using place = await temporary();
  await using source = await startTestRegistry();
  seedRegistry(source, 'demo/app', image, ['v1']);
  await copy(source.url, place.folder);
  const newer = buildImage([{ newer: 'x' }]);
  seedRegistry(source, 'demo/app', newer, ['v1']);
  await copy(source.url, place.folder);
  const layout = await OciLayout.open(join(place.folder, 'demo/app'));
  assert.equal((await layout.resolve('v1'))?.digest, newer.digest);
  assert.equal(await layout.resolve('v2'), undefined);
  assert.equal((await layout.resolve(image.digest))?.digest, image.digest);
  const tags: string[] = [];
  for await (const tag of layout.listTags()) tags.push(tag);
  assert.deepEqual(tags.sort(), ['stable', 'v1']);
});

test('a stream that fails leaves no file behind', async () => {
  await using place = await temporary();
  const layout = await OciLayout.create(place.folder);
  const digest: Digest = parseDigest(digestOf(Buffer.from('hello')));
  async function* failing(): AsyncGenerator<Buffer> {
    yield Buffer.from('hel');
    throw new Error('cut');
  }
  await assert.rejects(layout.pushBlob({ mediaType: 'application/octet-stream', digest, size: 5 }, failing()), /cut/);
  assert.deepEqual(await readdir(join(place.folder, 'blobs', 'sha256')), []);
});

test('damage in a layout is found before anything is handed on', async () => {
  await using place = await temporary();
  await using source = await startTestRegistry();
  await using destination = await startTestRegistry();
  seedRegistry(source, 'demo/app', image, ['v1']);
  await copy(source.url, place.folder);
  const [blob = ''] = [...image.blobs.keys()];
  await appendFile(join(place.folder, 'demo/app/blobs/sha256', blob.slice(7)), 'x');
  await assert.rejects(copy(place.folder, destination.url), { origin: 'source', code: 'SizeMismatch' });
  await writeFile(join(place.folder, 'demo/app/blobs/sha256', image.digest.slice(7)), '{"schemaVersion":2,"manifests":[]}');
  await assert.rejects(copy(place.folder, destination.url), { origin: 'source', code: 'DigestMismatch' });
  assert.equal(destination.content.tags('demo/app').size, 0);
});

test('a directory without a layout, and one of another version, are refused', async () => {
  await using place = await temporary();
  await assert.rejects(OciLayout.open(place.folder), { code: 'NotFound' });
  await writeFile(join(place.folder, 'oci-layout'), '{"imageLayoutVersion":"9.0.0"}');
  await assert.rejects(OciLayout.open(place.folder), { code: 'UnexpectedAnswer' });
});
