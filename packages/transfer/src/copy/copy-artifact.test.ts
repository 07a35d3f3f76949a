import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildImage, buildReferrer, digestOf, seedRegistry, startTestRegistry, type TestRegistry } from '@arc/testkit';
import type { RetryPolicy } from '../http/retry.ts';
import { type OpenEndpointOptions, openEndpoint } from '../oci/open-repository.ts';
import { parseEndpointURL } from '../reference/endpoint-url.ts';
import { copyArtifact, type CopyOptions, type CopyResult } from './copy-artifact.ts';
import { CopyError } from './copy-error.ts';
import type { CopyEvent } from './copy-events.ts';

const retry: RetryPolicy = { attempts: 3, initialMs: 1, maxMs: 2, maxRetryAfterMs: 1000 };
const image = buildImage((platform) => [{ 'etc/motd': 'hello\n' }, { 'etc/platform': platform }], {
  random: { layers: 2, bytes: 300_000 },
});

interface CopySetup extends CopyOptions {
  readonly reference?: string;
  readonly from?: string;
  readonly to?: string;
  readonly sourceOptions?: OpenEndpointOptions;
  readonly destinationOptions?: OpenEndpointOptions;
}

async function copy(source: TestRegistry, destination: TestRegistry, setup: CopySetup = {}): Promise<CopyResult> {
  const { reference = 'v1', from = 'demo/app', to = 'mirror/app', sourceOptions, destinationOptions, ...options } = setup;
  using here = openEndpoint(parseEndpointURL(source.url), { retry, ...sourceOptions });
  using there = openEndpoint(parseEndpointURL(destination.url), { retry, ...destinationOptions });
  return await copyArtifact(await here.source(from), reference, await there.destination(to), { tags: ['v1'], retry, ...options });
}

async function bothSides(): Promise<{ source: TestRegistry; destination: TestRegistry } & AsyncDisposable> {
  const [source, destination] = await Promise.all([startTestRegistry(), startTestRegistry()]);
  seedRegistry(source, 'demo/app', image, ['v1']);
  return {
    source,
    destination,
    [Symbol.asyncDispose]: async () => {
      await Promise.all([source.close(), destination.close()]);
    },
  };
}

function assertWhole(destination: TestRegistry, repository = 'mirror/app', tag = 'v1'): void {
  assert.equal(destination.content.manifest(repository, tag)?.digest, image.digest);
  for (const manifest of image.manifests)
    assert.deepEqual(destination.content.manifest(repository, manifest.digest)?.bytes, manifest.bytes);
  for (const [digest, bytes] of image.blobs) assert.deepEqual(destination.content.blob(repository, digest), bytes);
}

test('an index is copied whole: all platforms, the same bytes, children before parents, the tags last', async () => {
  await using sides = await bothSides();
  const events: CopyEvent[] = [];
  const result = await copy(sides.source, sides.destination, { tags: ['v1', 'stable'], onEvent: (event) => events.push(event) });
  assertWhole(sides.destination);
  assert.deepEqual([...sides.destination.content.tags('mirror/app').keys()], ['stable', 'v1']);
  assert.deepEqual(
    { manifests: result.manifests, blobs: result.blobs, rewritten: result.rewritten, platforms: result.platforms },
    {
      manifests: { copied: 3, present: 0 },
      blobs: { copied: image.blobs.size, present: 0, mounted: 0 },
      rewritten: false,
      platforms: ['linux/amd64', 'linux/arm64'],
    },
  );
  const bytes = [...image.blobs.values()].reduce((sum, blob) => sum + blob.length, 0);
  assert.deepEqual(result.bytes, { copied: bytes, total: bytes });
  const last = events.findLast((event) => event.kind === 'progress');
  assert.deepEqual(last, { kind: 'progress', doneBytes: bytes, totalBytes: bytes, blobs: [] });
  const writes = sides.destination.requests.entries.filter(({ method }) => method === 'PUT').map(({ path }) => path);
  const firstManifest = writes.findIndex((path) => path.includes('/manifests/'));
  assert.ok(writes.slice(firstManifest).every((path) => path.includes('/manifests/')));
  assert.deepEqual(writes.slice(-2), ['/v2/mirror/app/manifests/v1', '/v2/mirror/app/manifests/stable']);
});

test('a second run moves nothing and writes nothing', async () => {
  await using sides = await bothSides();
  await copy(sides.source, sides.destination);
  sides.source.requests.clear();
  sides.destination.requests.clear();
  const result = await copy(sides.source, sides.destination);
  assert.deepEqual(result.bytes.copied, 0);
  assert.deepEqual(result.manifests, { copied: 0, present: 3 });
  assert.deepEqual(
    sides.destination.requests.entries.filter(({ method }) => method !== 'GET' && method !== 'HEAD'),
    [],
  );
  assert.equal(sides.source.requests.matching({ method: 'GET', path: /manifests|blobs/ }).length, 0);
});

test('a run after one that failed moves only what is missing', async () => {
  await using sides = await bothSides();
  const broken = sides.source.faults.add({
    match: { method: 'GET', path: /blobs/ },
    skip: 3,
    times: 100,
    action: { kind: 'status', status: 404 },
  });
  await assert.rejects(copy(sides.source, sides.destination, { concurrency: 1 }), CopyError);
  assert.equal(sides.destination.content.tags('mirror/app').size, 0);
  assert.equal(sides.destination.content.blobs('mirror/app').length, 3);
  broken[Symbol.dispose]();
  const result = await copy(sides.source, sides.destination);
  assert.deepEqual(result.blobs, { copied: image.blobs.size - 3, present: 3, mounted: 0 });
  assertWhole(sides.destination);
});

test('a tag that stands for something else is moved, and one that is right is left alone', async () => {
  await using sides = await bothSides();
  seedRegistry(sides.destination, 'mirror/app', buildImage([{ other: 'x' }]), ['v1']);
  await copy(sides.source, sides.destination, { tags: ['v1', 'v1.0'], onConflict: 'overwrite' });
  assertWhole(sides.destination);
  assertWhole(sides.destination, 'mirror/app', 'v1.0');
});

test('what is asked for by digest is copied without a tag', async () => {
  await using sides = await bothSides();
  const result = await copy(sides.source, sides.destination, { reference: image.digest, tags: [] });
  assert.equal(result.destination.digest, image.digest);
  assert.notEqual(sides.destination.content.manifest('mirror/app', image.digest), undefined);
  assert.equal(sides.destination.content.tags('mirror/app').size, 0);
});

test('blobs are mounted from another repository of the same registry', async () => {
  await using registry = await startTestRegistry();
  seedRegistry(registry, 'demo/app', image, ['v1']);
  const result = await copy(registry, registry);
  assert.deepEqual(result.blobs, { copied: 0, present: 0, mounted: image.blobs.size });
  assert.equal(registry.requests.matching({ method: 'GET', path: /blobs/ }).length, 0);
  assertWhole(registry);
});

test('a registry that cannot mount gets the bytes', async () => {
  await using registry = await startTestRegistry();
  seedRegistry(registry, 'demo/app', image, ['v1']);
  registry.faults.add({ match: { method: 'POST', path: /mount=/ }, times: 1000, action: { kind: 'status', status: 405 } });
  const result = await copy(registry, registry);
  assert.deepEqual(result.blobs, { copied: image.blobs.size, present: 0, mounted: 0 });
  assertWhole(registry);
});

test('one platform is copied as its own manifest', async () => {
  await using sides = await bothSides();
  const result = await copy(sides.source, sides.destination, { platforms: ['linux/arm64'] });
  const expected = image.platforms.get('linux/arm64')?.digest;
  assert.equal(sides.destination.content.manifest('mirror/app', 'v1')?.digest, expected);
  assert.deepEqual([result.source.digest, result.destination.digest, result.rewritten], [image.digest, expected, true]);
  assert.deepEqual(sides.destination.content.manifests('mirror/app'), [expected]);
});

test('several platforms are copied under a rewritten index', async () => {
  await using sides = await bothSides();
  const three = buildImage((platform) => [{ p: platform }], { platforms: ['linux/amd64', 'linux/arm64', 'linux/s390x'] });
  seedRegistry(sides.source, 'demo/three', three, ['v1']);
  const result = await copy(sides.source, sides.destination, { from: 'demo/three', platforms: ['linux/s390x', 'linux/amd64'] });
  const index = JSON.parse(String(sides.destination.content.manifest('mirror/app', 'v1')?.bytes)) as { manifests: { digest: string }[] };
  assert.deepEqual(
    index.manifests.map(({ digest }) => digest),
    [three.platforms.get('linux/amd64')?.digest, three.platforms.get('linux/s390x')?.digest],
  );
  assert.equal(result.rewritten, true);
  assert.match(result.warnings.join(), /rewritten/);
});

test('a platform that is not there is refused with those that are', async () => {
  await using sides = await bothSides();
  await assert.rejects(copy(sides.source, sides.destination, { platforms: ['windows/amd64'] }), {
    code: 'PlatformNotFound',
    origin: 'source',
    hint: 'Choose among linux/amd64, linux/arm64.',
  });
  const single = buildImage([{ a: 'b' }], { single: true });
  seedRegistry(sides.source, 'demo/app', single, ['single']);
  await assert.rejects(copy(sides.source, sides.destination, { reference: 'single', platforms: ['linux/arm64'] }), {
    code: 'PlatformNotFound',
  });
  assert.equal(sides.destination.content.repositories().length, 0);
});

test('signatures, what refers to them, and legacy tags come along', async () => {
  for (const served of [true, false]) {
    await using source = await startTestRegistry();
    await using destination = await startTestRegistry({ referrers: served });
    seedRegistry(source, 'demo/app', image, ['v1']);
    const sbom = buildReferrer(image, 'application/vnd.example.sbom', '{}');
    const signature = buildReferrer(sbom, 'application/vnd.example.signature', 'signed', { annotations: { by: 'ada' } });
    seedRegistry(source, 'demo/app', sbom);
    seedRegistry(source, 'demo/app', signature);
    const legacy = buildImage([{ signature: 'x' }], { single: true });
    const legacyTag = `${image.digest.replace(':', '-')}.sig`;
    seedRegistry(source, 'demo/app', legacy, [legacyTag, 'unrelated']);
    const result = await copy(source, destination);
    assert.equal(result.referrers, 3);
    assert.deepEqual(result.warnings, []);
    for (const { digest } of [sbom, signature, legacy]) assert.notEqual(destination.content.manifest('mirror/app', digest), undefined);
    assert.equal(destination.content.manifest('mirror/app', legacyTag)?.digest, legacy.digest);
    assert.equal(destination.content.manifest('mirror/app', 'unrelated'), undefined);
    const fallback = destination.content.manifest('mirror/app', image.digest.replace(':', '-'));
    assert.equal(fallback === undefined, served);
    if (served) continue;
    const listed = JSON.parse(String(fallback?.bytes)) as { manifests: { digest: string; artifactType: string }[] };
    assert.deepEqual(
      listed.manifests.map(({ digest, artifactType }) => [digest, artifactType]),
      [[sbom.digest, 'application/vnd.example.sbom']],
    );
    destination.requests.clear();
    assert.deepEqual((await copy(destination, source, { from: 'mirror/app', to: 'back/app' })).referrers, 3);
  }
});

test('a referrer that cannot be copied is a warning, or fails the copy before the tag when required', async () => {
  await using sides = await bothSides();
  const signature = buildReferrer(image, 'application/vnd.example.signature', 'signed');
  seedRegistry(sides.source, 'demo/app', signature);
  const fault = {
    match: { method: 'GET', path: new RegExp(`manifests/${signature.digest}`) },
    times: 100,
    action: { kind: 'status', status: 403 },
  } as const;
  sides.source.faults.add(fault);
  await assert.rejects(copy(sides.source, sides.destination, { referrers: 'required' }), { code: 'Forbidden', origin: 'source' });
  assert.equal(sides.destination.content.tags('mirror/app').size, 0);
  const result = await copy(sides.source, sides.destination);
  assert.equal(result.warnings.length, 1);
  assertWhole(sides.destination);
});

test('a download that is cut goes on where it stopped', async () => {
  await using sides = await bothSides();
  const [big = ''] = [...image.blobs].sort(([, a], [, b]) => b.length - a.length)[0] ?? [];
  sides.source.faults.add({ match: { method: 'GET', path: new RegExp(big) }, action: { kind: 'cut', afterBytes: 100_000 } });
  await copy(sides.source, sides.destination);
  const ranges = sides.source.requests
    .matching({ method: 'GET', path: new RegExp(big) })
    .map(({ headers, status }) => [headers['range'], status]);
  assert.equal(ranges.length, 2);
  assert.match(String(ranges[1]?.[0]), /^bytes=\d+-$/);
  assert.notEqual(ranges[1]?.[0], 'bytes=0-');
  assert.equal(ranges[1]?.[1], 206);
  assert.equal(sides.destination.requests.matching({ method: 'PUT', path: new RegExp(big.replace(':', '.*')) }).length, 1);
  assertWhole(sides.destination);
});

test('an upload that is cut is sent anew, and its session is given up', async () => {
  await using sides = await bothSides();
  const cut = sides.destination.faults.add({ match: { method: 'PUT', path: /uploads/ }, action: { kind: 'cut', afterBytes: 1000 } });
  await copy(sides.source, sides.destination);
  assert.equal(cut.hits, 1);
  assert.equal(sides.destination.openUploads, 0);
  assertWhole(sides.destination);
});

test('an upload in chunks goes on where it was cut', async () => {
  await using sides = await bothSides();
  const cut = sides.destination.faults.add({ match: { method: 'PATCH' }, skip: 1, action: { kind: 'cut', afterBytes: 20_000 } });
  await copy(sides.source, sides.destination, { concurrency: 1, destinationOptions: { chunkBytes: 65_536 } });
  assert.equal(cut.hits, 1);
  const patched = sides.destination.requests.matching({ method: 'PATCH' });
  assert.deepEqual(
    patched.slice(0, 3).map(({ headers }) => headers['content-range']),
    ['0-65535', '65536-131071', '85536-131071'],
  );
  assertWhole(sides.destination);
});

test('a registry that is busy is asked again after the time it names, by everybody', async () => {
  await using sides = await bothSides();
  const busy = { kind: 'status', status: 429, headers: { 'retry-after': '0' } } as const;
  sides.source.faults.add({ match: { method: 'GET' }, times: 2, action: busy });
  sides.destination.faults.add({ match: { method: 'PUT' }, times: 2, action: busy });
  const retries: string[] = [];
  await copy(sides.source, sides.destination, { sourceOptions: { onRetry: ({ reason }) => retries.push(reason) } });
  assert.match(retries.join(), /429/);
  assertWhole(sides.destination);
});

test('wrong bytes never arrive: damage on the way is fetched again, damage in the registry fails', async () => {
  await using sides = await bothSides();
  const corrupt = { match: { method: 'GET', path: /blobs/ }, action: { kind: 'corrupt' } } as const;
  sides.source.faults.add(corrupt);
  await copy(sides.source, sides.destination);
  assertWhole(sides.destination);

  await using other = await startTestRegistry();
  sides.source.faults.add({ ...corrupt, times: 1000 });
  await assert.rejects(copy(sides.source, other, { concurrency: 1 }), (error: unknown) => {
    assert.ok(error instanceof CopyError);
    assert.deepEqual([error.code, error.origin, error.operation], ['DigestMismatch', 'source', 'read blob']);
    assert.match(error.message, /^source: read blob 127\.0\.0\.1:\d+\/demo\/app@sha256:.* expected sha256:/);
    return true;
  });
  assert.equal(other.content.blobs('mirror/app').length, 0);
  assert.equal(other.content.tags('mirror/app').size, 0);
  assert.equal(other.openUploads, 0);
});

test('a manifest with other bytes than its digest is refused', async () => {
  await using sides = await bothSides();
  sides.source.faults.add({ match: { method: 'GET', path: /manifests\/sha256/ }, times: 1000, action: { kind: 'corrupt' } });
  await assert.rejects(copy(sides.source, sides.destination), { origin: 'source' });
  assert.equal(sides.destination.content.repositories().length, 0);
});

test('what the destination stores wrongly is noticed', async () => {
  await using sides = await bothSides();
  const set = { 'docker-content-digest': digestOf(Buffer.from('other')) };
  sides.destination.faults.add({ match: { method: 'PUT', path: /uploads/ }, times: 1000, action: { kind: 'headers', set } });
  await assert.rejects(copy(sides.source, sides.destination), { origin: 'destination', code: 'DigestMismatch' });
});

test('errors say the side, the operation, the reference and what to do', async () => {
  await using sides = await bothSides();
  await assert.rejects(copy(sides.source, sides.destination, { reference: 'nope' }), (error: unknown) => {
    assert.ok(error instanceof CopyError);
    assert.deepEqual([error.origin, error.operation, error.code, error.status], ['source', 'read manifest', 'NotFound', 404]);
    assert.equal(error.reference, `${sides.source.host}/demo/app:nope`);
    assert.match(error.hint ?? '', /Check the repository/);
    return true;
  });
  sides.destination.faults.add({
    match: { method: 'PUT', path: /manifests/ },
    times: 10,
    action: { kind: 'status', status: 403, body: '{"errors":[{"code":"DENIED","message":"quota\\u0007 reached"}]}' },
  });
  await assert.rejects(copy(sides.source, sides.destination), {
    origin: 'destination',
    code: 'Forbidden',
    message: /answered 403 \(DENIED: quota reached\)$/,
  });
  assert.equal(sides.destination.content.tags('mirror/app').size, 0);
});

test('a registry that is not there is said to be on its side', async () => {
  await using sides = await bothSides();
  const { url } = sides.destination;
  await sides.destination.close();
  await assert.rejects(copy(sides.source, { ...sides.destination, url }), {
    origin: 'destination',
    code: 'ConnectionFailed',
    retryable: true,
  });
});

test('a source that falls silent is given up after the idle time, not waited for for ever', async () => {
  await using sides = await bothSides();
  sides.source.faults.add({ match: { method: 'GET', path: /blobs/ }, times: 1000, action: { kind: 'stall', afterBytes: 10 } });
  await assert.rejects(copy(sides.source, sides.destination, { sourceOptions: { idleTimeoutMs: 60 } }), {
    origin: 'source',
    code: 'Timeout',
  });
  assert.equal(sides.destination.content.tags('mirror/app').size, 0);
});

test('an abort in the middle leaves no tag and no open upload', async () => {
  await using sides = await bothSides();
  const stalled = sides.source.faults.add({
    match: { method: 'GET', path: /blobs/ },
    skip: 2,
    times: 1000,
    action: { kind: 'stall', afterBytes: 10 },
  });
  const controller = new AbortController();
  const copying = copy(sides.source, sides.destination, { signal: controller.signal, concurrency: 1 });
  await stalled.hit;
  controller.abort(new Error('told to stop'));
  await assert.rejects(copying, /told to stop/);
  assert.equal(sides.destination.content.tags('mirror/app').size, 0);
  assert.equal(sides.destination.openUploads, 0);
});

test('no more blobs are in flight than asked for', async () => {
  await using sides = await bothSides();
  await copy(sides.source, sides.destination, { concurrency: 2 });
  assert.ok(sides.destination.writers.of('mirror/app').maxConcurrentUploads <= 2);
  assert.equal(sides.destination.writers.of('mirror/app').maxConcurrentUploadsOfOneBlob, 1);
});
