import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { FakeClock, systemClock } from '@arc/kernel';
import { buildImage, buildReferrer, seedRegistry, startTestRegistry, type TestRegistry } from '@arc/testkit';
import { type OpenEndpointOptions, openEndpoint } from '../oci/open-repository.ts';
import { parseEndpointURL } from '../reference/endpoint-url.ts';
import { BandwidthLimit } from './bandwidth-limit.ts';
import { copyArtifact, type CopyOptions, type CopyResult } from './copy-artifact.ts';
import { CopyError } from './copy-error.ts';
import type { CopyEvent } from './copy-events.ts';

const image = buildImage((platform) => [{ 'etc/platform': platform }], { random: { layers: 2, bytes: 200_000 } });
const other = buildImage([{ other: 'x' }]);
const retry = { attempts: 3, initialMs: 1, maxMs: 2, maxRetryAfterMs: 1000 };

async function copy(
  source: TestRegistry,
  to: string,
  options: CopyOptions = {},
  sourceOptions: OpenEndpointOptions = {},
): Promise<CopyResult> {
  using here = openEndpoint(parseEndpointURL(source.url), { retry, ...sourceOptions });
  using there = openEndpoint(parseEndpointURL(to), { retry });
  return await copyArtifact(await here.source('demo/app'), 'v1', await there.destination('demo/app'), {
    tags: ['v1', 'stable'],
    retry,
    ...options,
  });
}

async function seeded(): Promise<TestRegistry> {
  const source = await startTestRegistry();
  seedRegistry(source, 'demo/app', image, ['v1']);
  return source;
}

function writes(registry: TestRegistry): string[] {
  return registry.requests.entries
    .filter(({ method }) => method !== 'GET' && method !== 'HEAD')
    .map(({ method, path }) => `${method} ${path}`);
}

test('a tag that stands for something else fails the copy before anything is moved', async () => {
  await using source = await seeded();
  await using destination = await startTestRegistry();
  seedRegistry(destination, 'demo/app', other, ['stable']);
  await assert.rejects(copy(source, destination.url), (error: unknown) => {
    assert.ok(error instanceof CopyError);
    assert.deepEqual([error.code, error.origin, error.operation, error.retryable], ['TagConflict', 'destination', 'tag', false]);
    assert.ok(error.message.includes(other.digest) && error.message.includes(image.digest));
    return true;
  });
  assert.deepEqual(writes(destination), []);
  assert.equal(source.requests.matching({ method: 'GET', path: /blobs/ }).length, 0);
});

test('skip sets the other tags; when every tag is taken nothing is copied', async () => {
  await using source = await seeded();
  await using destination = await startTestRegistry();
  seedRegistry(destination, 'demo/app', other, ['stable']);
  const result = await copy(source, destination.url, { onConflict: 'skip' });
  assert.deepEqual([result.tags, result.kept], [['v1'], [{ tag: 'stable', digest: other.digest }]]);
  assert.deepEqual(
    [destination.content.tags('demo/app').get('v1'), destination.content.tags('demo/app').get('stable')],
    [image.digest, other.digest],
  );
  seedRegistry(destination, 'taken/app', other, ['v1']);
  const events: CopyEvent[] = [];
  using here = openEndpoint(parseEndpointURL(source.url));
  using there = openEndpoint(parseEndpointURL(destination.url));
  const nothing = await copyArtifact(await here.source('demo/app'), 'v1', await there.destination('taken/app'), {
    tags: ['v1'],
    onConflict: 'skip',
    onEvent: (event) => events.push(event),
  });
  assert.deepEqual([nothing.tags, nothing.blobs, nothing.manifests.copied], [[], { copied: 0, present: 0, mounted: 0 }, 0]);
  assert.ok(events.some((event) => event.kind === 'kept'));
  assert.equal(destination.content.blobs('taken/app').length, other.blobs.size);
});

test('a tag set by somebody else while the blobs were on their way is not moved either', async () => {
  await using source = await seeded();
  await using destination = await startTestRegistry();
  let raced = false;
  const onEvent = (event: CopyEvent): void => {
    if (event.kind === 'blob' && !raced) {
      raced = true;
      seedRegistry(destination, 'demo/app', other, ['v1']);
    }
  };
  await assert.rejects(
    copy(source, destination.url, { onEvent }),
    (error: unknown) => error instanceof CopyError && error.code === 'TagConflict',
  );
  assert.equal(destination.content.tags('demo/app').get('v1'), other.digest);
});

test('a dry run gives the numbers of the copy that follows it, and writes nothing', async () => {
  await using source = await seeded();
  await using destination = await startTestRegistry();
  seedRegistry(source, 'demo/app', buildReferrer(image, 'application/vnd.example.signature', 'signed'));
  const held = [...image.blobs.values()][0] ?? Buffer.alloc(0);
  destination.content.putBlob('demo/app', held);
  const plan = await copy(source, destination.url, { dryRun: true });
  assert.deepEqual(writes(destination), []);
  assert.equal(source.requests.matching({ method: 'GET', path: /blobs/ }).length, 0);
  const done = await copy(source, destination.url);
  assert.deepEqual({ ...plan, dryRun: false }, done);
  assert.equal(plan.dryRun, true);
  assert.equal(plan.blobs.present, 1);
});

test('a dry run to a layout that is not there does not make it', async () => {
  await using source = await seeded();
  const folder = await mkdtemp(join(tmpdir(), 'arc-plan-'));
  try {
    assert.equal((await copy(source, folder, { dryRun: true })).blobs.copied, image.blobs.size);
    assert.deepEqual(await readdir(folder), []);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('the bandwidth cap holds all who share it together, after a short burst', async () => {
  const clock = new FakeClock();
  const limit = new BandwidthLimit(1000, clock);
  await limit.take(100);
  await limit.take(50);
  let arrived = 0;
  const waiting = [limit.take(1000), limit.take(1000)].map((taken) => taken.then(() => (arrived += 1)));
  await clock.advance(49);
  assert.equal(arrived, 0);
  await clock.advance(1);
  assert.equal(arrived, 1);
  await clock.advance(1000);
  assert.equal(arrived, 2);
  await Promise.all(waiting);
  const stop = new AbortController();
  const abandoned = limit.take(1, stop.signal);
  stop.abort(new Error('enough'));
  await assert.rejects(abandoned, /enough/);
});

test('a capped copy takes the time the cap gives it', async () => {
  await using source = await seeded();
  await using destination = await startTestRegistry();
  let slept = 0;
  const clock = { ...systemClock, sleep: (ms: number) => ((slept += ms), Promise.resolve()) };
  const result = await copy(source, destination.url, { maxBytesPerSecond: 100_000, concurrency: 1, clock });
  assert.ok(slept > 0, 'it waited');
  assert.equal(result.blobs.copied, image.blobs.size);
});

test('a source that trickles is given up and resumed elsewhere on', async () => {
  await using source = await seeded();
  await using destination = await startTestRegistry();
  const slow = source.faults.add({
    match: { method: 'GET', path: /blobs/ },
    times: 1,
    action: { kind: 'drip', chunkBytes: 10, everyMs: 5 },
  });
  const resumed: string[] = [];
  const result = await copy(
    source,
    destination.url,
    { concurrency: 1 },
    { minThroughput: { bytesPerSecond: 50_000, windowMs: 60 }, onResume: ({ reason }) => resumed.push(reason) },
  );
  assert.equal(slow.hits, 1);
  assert.equal(resumed.length, 1);
  assert.match(resumed[0] ?? '', /too slow: \d+ bytes\/s, less than 50000/);
  assert.equal(result.blobs.copied, image.blobs.size);
});

test('layers that are marked as not to be distributed are left with a warning, or fail the copy before anything is moved', async () => {
  await using source = await startTestRegistry();
  await using destination = await startTestRegistry();
  const config = {
    mediaType: 'application/vnd.oci.image.config.v1+json',
    digest: source.content.putBlob('demo/app', Buffer.from('{}')),
    size: 2,
  };
  const foreign = { mediaType: 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip', digest: `sha256:${'f'.repeat(64)}`, size: 9 };
  const mediaType = 'application/vnd.oci.image.manifest.v1+json';
  source.content.putManifest(
    'demo/app',
    Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, config, layers: [foreign] })),
    mediaType,
    ['v1'],
  );
  using here = openEndpoint(parseEndpointURL(source.url));
  using there = openEndpoint(parseEndpointURL(destination.url));
  const [from, to] = [await here.source('demo/app'), await there.destination('app')];
  await assert.rejects(copyArtifact(from, 'v1', to, { tags: ['v1'], foreignLayers: 'fail' }), {
    code: 'UnsupportedMediaType',
    origin: 'source',
  });
  assert.deepEqual(destination.content.repositories(), []);
  const result = await copyArtifact(from, 'v1', to, { tags: ['v1'] });
  assert.equal(result.foreignLayers, 1);
  assert.match(result.warnings.join(), /marked as not to be distributed/);
  assert.ok(destination.content.tags('app').has('v1'));
});
