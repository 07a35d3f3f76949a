import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { buildImage, buildReferrer, findProgram, seedRegistry, startDockerRegistry, startTestRegistry } from '@arc/testkit';
import { openEndpoint, parseDigest, parseEndpointURL, parseManifest, type WritableRepository } from '@arc/transfer';
import { randomNumbers, seed } from './support/random.ts';
import { type RecordingProxy, startRecordingProxy } from './support/recording-proxy.ts';

const transfers = 50;
const worker = fileURLToPath(new URL('../../apps/worker/bin/arc-worker.mjs', import.meta.url));
const image = buildImage((platform) => [{ 'etc/platform': platform }], { random: { layers: 4, bytes: 300_000 } });
const signature = buildReferrer(image, 'application/vnd.example.signature', 'signed');
const manifests = [...image.manifests, ...signature.manifests];
const blobs = new Map([...image.blobs, ...signature.blobs]);
const dockerRegistry = findProgram('docker-registry');

test('kill -9 at any point of a copy into our registry shows no half artifact, and the next copy moves what is missing', async (t) => {
  await using destination = await startTestRegistry();
  await killAndRetry(t, destination.url);
});

test(
  'kill -9 at any point of a copy into docker-registry shows no half artifact, and the next copy moves what is missing',
  { skip: dockerRegistry === undefined && 'docker-registry is not installed' },
  async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'arc-killed-'));
    try {
      await using destination = await startDockerRegistry(dockerRegistry ?? '', folder);
      await killAndRetry(t, destination.url);
    } finally {
      await rm(folder, { recursive: true });
    }
  },
);

async function killAndRetry(t: TestContext, registry: string): Promise<void> {
  await using source = await startTestRegistry();
  seedRegistry(source, 'demo/app', image, ['v1']);
  seedRegistry(source, 'demo/app', signature);
  await using proxy = await startRecordingProxy(registry);
  using endpoint = openEndpoint(parseEndpointURL(registry));
  const random = randomNumbers(7);
  t.diagnostic(`FAULT_SEED=${seed}`);

  assert.equal(await copy(source.url, proxy, 'whole'), 0);
  const requests = proxy.requests.length;
  const bytes = proxy.requests.reduce((sum, request) => sum + request.received + request.sent, 0);

  let killed = 0;
  let unfinished = 0;
  for (let transfer = 0; transfer < transfers; transfer += 1) {
    const repository = `mirror/app-${transfer}`;
    const held = await endpoint.destination(repository);
    // Half of them at a request, where manifests and tags are as likely as blobs; half at a byte, which is in a blob.
    const point = transfer % 2 === 0 ? { request: random(requests) } : { byte: random(bytes) };
    const where = `transfer ${transfer}, killed at ${JSON.stringify(point)}, FAULT_SEED=${seed}`;
    if ((await copy(source.url, proxy, repository, point)) === undefined) killed += 1;
    await proxy.quiet();
    const tagged = await assertNothingHalf(held, where);
    if (tagged.length === 0) unfinished += 1;
    const missing = await missingOf(held);

    proxy.clear();
    source.requests.clear();
    assert.equal(await copy(source.url, proxy, repository), 0, where);
    assert.deepEqual(await assertNothingHalf(held, where), ['stable', 'v1'], where);
    assert.deepEqual(await missingOf(held), { bytes: 0, manifests: [] }, where);
    const uploaded = proxy.requests.filter(({ path }) => path.includes('/blobs/uploads/'));
    assert.equal(
      uploaded.reduce((sum, { received }) => sum + received, 0),
      missing.bytes,
      `${where}: bytes sent to the destination`,
    );
    const read = source.requests.matching({ method: 'GET', path: /\/blobs\// });
    assert.equal(
      read.reduce((sum, { responseBytes }) => sum + responseBytes, 0),
      missing.bytes,
      `${where}: bytes read at the source`,
    );
    const written = proxy.requests.filter(({ method, path }) => method === 'PUT' && /\/manifests\/sha256:/.test(path));
    assert.deepEqual(
      written.map(({ path }) => path.slice(path.lastIndexOf('/') + 1)).sort(),
      missing.manifests.toSorted(),
      `${where}: manifests sent`,
    );
  }
  t.diagnostic(`${killed} of ${transfers} were killed before their end, ${unfinished} of them before their first tag`);
  assert.ok(killed >= transfers * 0.8, `only ${killed} of ${transfers} were killed before their end`);
}

/** Runs the worker; its exit code, or undefined when it was killed at `point`. */
async function copy(
  source: string,
  destination: RecordingProxy,
  repository: string,
  point?: Parameters<RecordingProxy['at']>[0],
): Promise<number | undefined> {
  const child = spawn(process.execPath, [worker, 'oci-copy'], {
    stdio: 'ignore',
    env: {
      PATH: process.env['PATH'],
      NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'],
      ARC_SRC_URL: source,
      ARC_DST_URL: destination.url,
      ARC_SPEC_JSON: JSON.stringify({ image: 'demo/app:v1', override: `${repository}:v1`, tags: ['stable'] }),
    },
  });
  if (point !== undefined) destination.at(point, () => child.kill('SIGKILL'));
  const [code] = (await once(child, 'exit')) as [number | null];
  return code ?? undefined;
}

/** Whatever a tag or digest of the destination names is there to its last byte, with its signature. Returns the tags. */
async function assertNothingHalf(repository: WritableRepository, where: string): Promise<string[]> {
  const tags: string[] = [];
  for await (const tag of repository.listTags()) if (!tag.startsWith('sha256-')) tags.push(tag);
  for (const tag of tags) assert.equal((await repository.resolve(tag))?.digest, image.digest, `${where}: tag ${tag}`);
  for (const manifest of manifests) {
    const found = await repository.fetchManifest(manifest.digest);
    if (tags.length > 0) assert.ok(found !== undefined, `${where}: ${manifest.digest} is missing below a tag`);
    for (const blob of found?.blobs ?? []) assert.ok(await repository.hasBlob(blob), `${where}: blob ${blob.digest} is missing`);
    for (const child of found?.children ?? []) assert.ok((await repository.resolve(child.digest)) !== undefined, where);
  }
  if (tags.length > 0) {
    assert.deepEqual(await referrersOf(repository), [signature.digest], `${where}: the tag came before the signature`);
  }
  return tags.sort();
}

async function referrersOf(repository: WritableRepository): Promise<string[]> {
  const referrers = await repository.listReferrers(parseManifest(image.bytes, image.mediaType).descriptor);
  return referrers.map(({ digest }) => digest);
}

/** Blob bytes that are not there, and manifests (a signature is there when its subject lists it). */
async function missingOf(repository: WritableRepository): Promise<{ readonly bytes: number; readonly manifests: readonly string[] }> {
  let bytes = 0;
  for (const [digest, { length }] of blobs) {
    const held = await repository.hasBlob({ mediaType: 'application/octet-stream', digest: parseDigest(digest), size: length });
    if (!held) bytes += length;
  }
  const absent: string[] = [];
  for (const { digest } of manifests) if ((await repository.resolve(digest)) === undefined) absent.push(digest);
  const unlisted = (await referrersOf(repository)).includes(signature.digest) ? [] : [signature.digest];
  return { bytes, manifests: [...new Set([...absent, ...unlisted])] };
}
