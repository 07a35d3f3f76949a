import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  buildImage,
  buildReferrer,
  type DockerRegistry,
  findProgram,
  runCommand,
  seedRegistry,
  startDockerRegistry,
  startTestRegistry,
} from '@arc/testkit';
import { copyArtifact, openEndpoint, parseEndpointURL } from '../index.ts';

const dockerRegistry = findProgram('docker-registry');
const skopeo = findProgram('skopeo');
const skip = dockerRegistry === undefined ? 'docker-registry is not installed' : skopeo === undefined ? 'skopeo is not installed' : false;
const image = buildImage((platform) => [{ 'etc/platform': platform }], { random: { layers: 3, bytes: 400_000 } });

async function withRegistries(work: (first: DockerRegistry, second: DockerRegistry, folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'arc-registry-'));
  try {
    await using first = await startDockerRegistry(dockerRegistry ?? '', join(folder, 'first'));
    await using second = await startDockerRegistry(dockerRegistry ?? '', join(folder, 'second'));
    await work(first, second, folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function copy(from: string, to: string, options: { chunkBytes?: number; repository?: string } = {}): ReturnType<typeof copyArtifact> {
  using source = openEndpoint(parseEndpointURL(from));
  using destination = openEndpoint(parseEndpointURL(to), { chunkBytes: options.chunkBytes ?? 0 });
  return await copyArtifact(await source.source('demo/app'), 'v1', await destination.destination(options.repository ?? 'demo/app'), {
    tags: ['v1', 'latest'],
  });
}

async function run(program: string, args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await runCommand(program, args);
  assert.equal(code, 0, stderr);
  return stdout;
}

async function rawManifest(host: string, reference: string): Promise<Buffer> {
  return Buffer.from(await run(skopeo ?? '', ['inspect', '--raw', '--tls-verify=false', `docker://${host}/${reference}`]));
}

test('docker-registry to docker-registry: skopeo reads the same bytes on both sides', { skip }, async () => {
  await withRegistries(async (first, second) => {
    await using seed = await startTestRegistry();
    seedRegistry(seed, 'demo/app', image, ['v1']);
    const signature = buildReferrer(image, 'application/vnd.example.signature', 'signed');
    seedRegistry(seed, 'demo/app', signature);
    await copy(seed.url, first.url, { chunkBytes: 150_000 });
    const result = await copy(first.url, second.url);
    assert.deepEqual(result.warnings, []);
    assert.equal(result.referrers, 1);
    for (const host of [first.host, second.host]) {
      assert.deepEqual(await rawManifest(host, 'demo/app:latest'), image.bytes);
      assert.deepEqual(await rawManifest(host, `demo/app@${signature.digest}`), signature.bytes);
    }
    const again = await copy(first.url, second.url);
    assert.deepEqual([again.bytes.copied, again.manifests.copied], [0, 0]);
    const mounted = await copy(second.url, second.url, { repository: 'other/app' });
    assert.deepEqual(mounted.blobs, { copied: 0, present: 0, mounted: image.blobs.size + signature.blobs.size });
  });
});

test('skopeo pulls a whole index that we pushed, and we copy one that skopeo pushed', { skip }, async () => {
  await withRegistries(async (first, second, folder) => {
    await using seed = await startTestRegistry();
    seedRegistry(seed, 'demo/app', image, ['v1']);
    await copy(seed.url, first.url);
    const preserve = ['copy', '--all', '--preserve-digests', '--src-tls-verify=false', '--dest-tls-verify=false'];
    await run(skopeo ?? '', [...preserve, `docker://${first.host}/demo/app:v1`, `oci:${folder}/pulled:v1`]);
    await run(skopeo ?? '', [...preserve, `oci:${folder}/pulled:v1`, `docker://${second.host}/demo/app:v1`]);
    await using end = await startTestRegistry();
    await copy(second.url, end.url);
    assert.equal(end.content.manifest('demo/app', 'v1')?.digest, image.digest);
    await using fromLayout = await startTestRegistry();
    await copy(`oci-layout://${folder}/pulled`, fromLayout.url);
    assert.deepEqual(fromLayout.content.blobs('demo/app'), end.content.blobs('demo/app'));
  });
});

test('skopeo reads a layout that we wrote', { skip }, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'arc-layout-'));
  try {
    await using seed = await startTestRegistry();
    seedRegistry(seed, 'demo/app', image, ['v1']);
    await copy(seed.url, folder);
    await run(skopeo ?? '', ['copy', '--all', '--preserve-digests', `oci:${folder}/demo/app:v1`, `oci:${folder}/copy:v1`]);
    const index = JSON.parse(await readFile(join(folder, 'copy', 'index.json'), 'utf8')) as { manifests: { digest: string }[] };
    assert.equal(index.manifests[0]?.digest, image.digest);
  } finally {
    await rm(folder, { recursive: true });
  }
});
