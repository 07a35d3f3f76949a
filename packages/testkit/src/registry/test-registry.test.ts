import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildImage, buildReferrer } from '../image/build-image.ts';
import { seedRegistry } from '../image/seed-registry.ts';
import { digestOf } from './content.ts';
import { startTestRegistry } from './test-registry.ts';

const image = buildImage([{ 'etc/motd': 'hello\n' }]);

test('a seeded index is served to who accepts it and looks missing to who does not', async () => {
  await using registry = await startTestRegistry();
  seedRegistry(registry, 'demo/app', image, ['v1']);
  const url = `${registry.url}/v2/demo/app/manifests/v1`;
  const accepted = await fetch(url, { headers: { accept: image.mediaType } });
  assert.equal(accepted.status, 200);
  assert.equal(accepted.headers.get('docker-content-digest'), image.digest);
  assert.deepEqual(Buffer.from(await accepted.arrayBuffer()), image.bytes);
  assert.equal((await fetch(url, { headers: { accept: 'application/vnd.oci.image.manifest.v1+json' } })).status, 404);
  assert.equal(registry.requests.matching({ path: /manifests\/v1$/ }).length, 2);
});

test('a blob can be read in ranges', async () => {
  await using registry = await startTestRegistry();
  const digest = registry.content.putBlob('demo/app', Buffer.from('0123456789'));
  const url = `${registry.url}/v2/demo/app/blobs/${digest}`;
  const part = await fetch(url, { headers: { range: 'bytes=4-' } });
  assert.equal(part.status, 206);
  assert.equal(part.headers.get('content-range'), 'bytes 4-9/10');
  assert.equal(await part.text(), '456789');
  assert.equal((await fetch(url, { headers: { range: 'bytes=10-' } })).status, 416);
});

test('a chunked upload goes on where it was broken off and refuses a gap', async () => {
  await using registry = await startTestRegistry();
  const started = await fetch(`${registry.url}/v2/demo/app/blobs/uploads/`, { method: 'POST' });
  assert.equal(started.status, 202);
  const location = new URL(started.headers.get('location') ?? '', registry.url);
  const first = await fetch(location, { method: 'PATCH', body: 'hello ', headers: { 'content-range': '0-5' } });
  assert.equal(first.headers.get('range'), '0-5');
  const gap = await fetch(location, { method: 'PATCH', body: 'x', headers: { 'content-range': '9-9' } });
  assert.equal(gap.status, 416);
  const status = await fetch(location);
  assert.deepEqual([status.status, status.headers.get('range')], [204, '0-5']);
  const digest = digestOf(Buffer.from('hello world'));
  location.searchParams.set('digest', digest);
  assert.equal((await fetch(location, { method: 'PUT', body: 'world' })).status, 201);
  assert.equal(registry.content.blob('demo/app', digest)?.toString(), 'hello world');
  assert.equal(registry.openUploads, 0);
});

test('an upload with other bytes than announced is refused', async () => {
  await using registry = await startTestRegistry();
  const started = await fetch(`${registry.url}/v2/demo/app/blobs/uploads/`, { method: 'POST' });
  const location = new URL(started.headers.get('location') ?? '', registry.url);
  location.searchParams.set('digest', digestOf(Buffer.from('right')));
  const finished = await fetch(location, { method: 'PUT', body: 'wrong' });
  assert.equal(finished.status, 400);
  assert.match(await finished.text(), /DIGEST_INVALID/);
});

test('a manifest whose children are missing is refused, one whose subject is missing is not', async () => {
  await using registry = await startTestRegistry();
  const put = (repository: string, bytes: Buffer, type: string): Promise<Response> =>
    fetch(`${registry.url}/v2/${repository}/manifests/v1`, {
      method: 'PUT',
      body: new Uint8Array(bytes),
      headers: { 'content-type': type },
    });
  assert.equal((await put('demo/app', image.bytes, image.mediaType)).status, 404);
  const signature = buildReferrer(image, 'application/vnd.example.signature', 'signed');
  for (const blob of signature.blobs.values()) registry.content.putBlob('demo/app', blob);
  const answer = await put('demo/app', signature.bytes, signature.mediaType);
  assert.equal(answer.status, 201);
  assert.equal(answer.headers.get('oci-subject'), image.digest);
});

test('referrers are listed and filtered, or not served at all', async () => {
  const signature = buildReferrer(image, 'application/vnd.example.signature', 'signed');
  for (const served of [true, false]) {
    await using registry = await startTestRegistry({ referrers: served });
    seedRegistry(registry, 'demo/app', image, ['v1']);
    seedRegistry(registry, 'demo/app', signature);
    const answer = await fetch(`${registry.url}/v2/demo/app/referrers/${image.digest}?artifactType=application/vnd.example.signature`);
    assert.equal(answer.status, served ? 200 : 404);
    if (!served) continue;
    assert.equal(answer.headers.get('oci-filters-applied'), 'artifactType');
    const index = (await answer.json()) as { manifests: { digest: string }[] };
    assert.deepEqual(
      index.manifests.map((entry) => entry.digest),
      [signature.digest],
    );
  }
});

test('listings are paged by Link', async () => {
  await using registry = await startTestRegistry({ pageSize: 2 });
  seedRegistry(registry, 'demo/app', image, ['a', 'b', 'c']);
  const first = await fetch(`${registry.url}/v2/demo/app/tags/list`);
  assert.deepEqual(await first.json(), { name: 'demo/app', tags: ['a', 'b'] });
  assert.equal(first.headers.get('link'), '</v2/demo/app/tags/list?n=2&last=b>; rel="next"');
});

test('tokens carry scopes and expire', async () => {
  let now = 0;
  await using registry = await startTestRegistry({
    auth: { kind: 'token', users: { ada: 'secret' }, anonymousPull: true, expiresIn: 60 },
    now: () => now,
  });
  seedRegistry(registry, 'demo/app', image, ['v1']);
  const url = `${registry.url}/v2/demo/app/manifests/v1`;
  const accept = image.mediaType;
  const refused = await fetch(url, { headers: { accept } });
  assert.equal(refused.status, 401);
  assert.equal(
    refused.headers.get('www-authenticate'),
    `Bearer realm="${registry.url}/token",service="test-registry",scope="repository:demo/app:pull"`,
  );
  const issued = await fetch(`${registry.url}/token?scope=repository:demo/app:pull,push`);
  const { token } = (await issued.json()) as { token: string };
  const authorization = `Bearer ${token}`;
  assert.equal((await fetch(url, { headers: { accept, authorization } })).status, 200);
  const push = await fetch(`${registry.url}/v2/demo/app/blobs/uploads/`, { method: 'POST', headers: { authorization } });
  assert.equal(push.status, 401);
  now = 61_000;
  assert.equal((await fetch(url, { headers: { accept, authorization } })).status, 401);
});

test('faults happen as often as told, then everything works again', async () => {
  await using registry = await startTestRegistry();
  const digest = registry.content.putBlob('demo/app', Buffer.alloc(1000, 7));
  const url = `${registry.url}/v2/demo/app/blobs/${digest}`;
  const limited = registry.faults.add({
    match: { method: 'GET', path: /blobs/ },
    times: 2,
    action: { kind: 'status', status: 429, headers: { 'retry-after': '0' } },
  });
  registry.faults.add({ match: { method: 'GET' }, action: { kind: 'cut', afterBytes: 100 } });
  registry.faults.add({ match: { method: 'GET' }, action: { kind: 'corrupt' } });
  assert.equal((await fetch(url)).status, 429);
  assert.equal((await fetch(url)).status, 429);
  assert.equal(limited.hits, 2);
  await assert.rejects(async () => (await fetch(url)).arrayBuffer());
  assert.notEqual(digestOf(Buffer.from(await (await fetch(url)).arrayBuffer())), digest);
  assert.equal(digestOf(Buffer.from(await (await fetch(url)).arrayBuffer())), digest);
});

test('writers are told apart by their user agent', async () => {
  await using registry = await startTestRegistry();
  seedRegistry(registry, 'demo/app', image);
  for (const writer of ['a', 'a', 'b']) {
    await fetch(`${registry.url}/v2/demo/app/manifests/v1`, {
      method: 'PUT',
      body: new Uint8Array(image.bytes),
      headers: { 'content-type': image.mediaType, 'user-agent': writer },
    });
  }
  assert.deepEqual(registry.writers.of('demo/app').sequence, ['a', 'b']);
  assert.equal(registry.writers.of('demo/app').maxConcurrentWriters, 1);
  assert.equal(registry.writers.tagWrites.length, 3);
});

test('a slow registry and a dripping answer serve the same bytes', async () => {
  await using registry = await startTestRegistry({ bytesPerSecond: 2_000_000 });
  const digest = registry.content.putBlob('demo/app', Buffer.alloc(100_000, 3));
  const url = `${registry.url}/v2/demo/app/blobs/${digest}`;
  registry.faults.add({ match: { method: 'GET' }, skip: 1, action: { kind: 'drip', chunkBytes: 25_000, everyMs: 1 } });
  for (let times = 0; times < 2; times += 1) assert.equal(digestOf(Buffer.from(await (await fetch(url)).arrayBuffer())), digest);
  assert.deepEqual(
    registry.requests.entries.map(({ responseBytes, status }) => [responseBytes, status]),
    [
      [100_000, 200],
      [100_000, 200],
    ],
  );
});
