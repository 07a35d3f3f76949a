import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '@arc/kernel';
import { buildImage, seedRegistry, startTestRegistry, type TestRegistry } from '@arc/testkit';
import { fixedCredential } from '../auth/credential.ts';
import { RegistryClient } from '../oci/registry-client.ts';
import { parseDigest } from '../digest/digest.ts';
import { HttpTransport, type HttpTransportOptions } from './http-transport.ts';
import type { RetryPolicy } from './retry.ts';

const retry: RetryPolicy = { attempts: 3, initialMs: 1, maxMs: 2, maxRetryAfterMs: 60_000 };
const image = buildImage([{ 'etc/motd': 'hello' }]);
const credentials = fixedCredential({ kind: 'basic', username: 'ada', password: 'secret' });

function client(registry: TestRegistry, options: HttpTransportOptions = {}): { client: RegistryClient } & Disposable {
  const transport = new HttpTransport(new URL(registry.url), { retry, ...options });
  return { client: new RegistryClient(transport), [Symbol.dispose]: () => transport[Symbol.dispose]() };
}

async function readAll(body: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks);
}

test('a redirect to another host is followed without the credentials', async () => {
  await using home = await startTestRegistry({ auth: { kind: 'basic', users: { ada: 'secret' } } });
  await using elsewhere = await startTestRegistry();
  const digest = parseDigest(elsewhere.content.putBlob('x', Buffer.from('content')));
  home.faults.add({
    match: { method: 'GET', path: /blobs/ },
    skip: 1,
    action: { kind: 'redirect', location: `${elsewhere.url}/v2/x/blobs/${digest}?signature=abc` },
  });
  using opened = client(home, { credentials });
  assert.equal(String(await readAll(await opened.client.getBlob('x', digest))), 'content');
  const [arrived] = elsewhere.requests.entries;
  assert.equal(arrived?.headers['authorization'], undefined);
  assert.match(home.requests.entries.at(-1)?.headers['authorization'] ?? '', /^Basic /);
});

test('a host that is redirected to cannot ask for the credentials', async () => {
  await using home = await startTestRegistry({ auth: { kind: 'basic', users: { ada: 'secret' } } });
  await using thief = await startTestRegistry({ auth: { kind: 'basic', users: { ada: 'secret' } } });
  home.faults.add({ match: { path: /manifests/ }, times: 100, action: { kind: 'redirect', location: `${thief.url}/v2/x/manifests/v1` } });
  using opened = client(home, { credentials });
  await assert.rejects(opened.client.getManifest('x', 'v1'), { code: 'Unauthorized' });
  assert.ok(thief.requests.entries.length > 0);
  assert.ok(thief.requests.entries.every(({ headers }) => headers['authorization'] === undefined));
});

test('a token service elsewhere gets no password', async () => {
  await using home = await startTestRegistry({
    auth: { kind: 'token', users: { ada: 'secret' }, realm: 'http://tokens.example.net/token' },
  });
  using opened = client(home, { credentials });
  await assert.rejects(opened.client.getManifest('x', 'v1'), { code: 'UnsafeURL', message: /sends its clients to tokens\.example\.net/ });
});

test('an upload Location on another host gets the bytes but not the credentials', async () => {
  await using home = await startTestRegistry({ auth: { kind: 'basic', users: { ada: 'secret' } } });
  await using elsewhere = await startTestRegistry();
  home.faults.add({ match: { method: 'POST' }, skip: 1, action: { kind: 'headers', set: { location: `${elsewhere.url}/upload/here` } } });
  using opened = client(home, { credentials });
  const outcome = await opened.client.startUpload('x');
  assert.ok(!outcome.mounted && outcome.session !== undefined);
  await assert.rejects(opened.client.uploadChunk('x', outcome.session, Buffer.from('abc')), { code: 'NotFound' });
  assert.equal(elsewhere.requests.entries.at(-1)?.headers['authorization'], undefined);
});

test('redirects do not go round for ever, and not to other schemes', async () => {
  await using registry = await startTestRegistry();
  const loop = registry.faults.add({
    match: { path: /manifests\/loop/ },
    times: 100,
    action: { kind: 'redirect', location: '/v2/x/manifests/loop' },
  });
  registry.faults.add({ match: { path: /manifests\/file/ }, times: 100, action: { kind: 'redirect', location: 'file:///etc/passwd' } });
  registry.faults.add({
    match: { path: /manifests\/inside/ },
    times: 100,
    action: { kind: 'redirect', location: 'http://169.254.169.254/latest/meta-data' },
  });
  using opened = client(registry);
  await assert.rejects(opened.client.getManifest('x', 'loop'), { code: 'UnsafeURL' });
  assert.equal(loop.hits, 6);
  await assert.rejects(opened.client.getManifest('x', 'file'), { code: 'UnsafeURL' });
  await assert.rejects(opened.client.getManifest('x', 'inside'), { code: 'UnsafeURL', message: /further inside the network/ });
});

test('one token serves many requests, and waiting requests share its fetching', async () => {
  await using registry = await startTestRegistry({ auth: { kind: 'token', users: { ada: 'secret' } } });
  seedRegistry(registry, 'demo/app', image, ['v1']);
  using opened = client(registry, { credentials });
  await Promise.all(Array.from({ length: 5 }, () => opened.client.getManifest('demo/app', 'v1')));
  await opened.client.getManifest('demo/app', 'v1');
  assert.equal(registry.tokensIssued, 1);
  await opened.client.resolve('other/app', 'v1');
  assert.equal(registry.tokensIssued, 2);
});

test('a token is renewed before it ends, and when the registry forgot it', async () => {
  const clock = new FakeClock();
  await using registry = await startTestRegistry({
    auth: { kind: 'token', users: { ada: 'secret' }, expiresIn: 100 },
    now: () => clock.now(),
  });
  seedRegistry(registry, 'demo/app', image, ['v1']);
  using opened = client(registry, { credentials, clock });
  await opened.client.getManifest('demo/app', 'v1');
  await clock.advance(79_000);
  await opened.client.getManifest('demo/app', 'v1');
  assert.equal(registry.tokensIssued, 1);
  await clock.advance(2_000);
  await opened.client.getManifest('demo/app', 'v1');
  assert.equal(registry.tokensIssued, 2);
  assert.equal(registry.requests.matching({ path: /manifests/ }).filter(({ status }) => status === 401).length, 1);
  registry.faults.add({
    match: { path: /manifests/ },
    action: {
      kind: 'status',
      status: 401,
      headers: { 'www-authenticate': `Bearer realm="${registry.url}/token",service="test-registry"` },
    },
  });
  await opened.client.getManifest('demo/app', 'v1');
  assert.equal(registry.tokensIssued, 3);
});

test('identity tokens are exchanged; what may only pull is asked once and not again', async () => {
  await using registry = await startTestRegistry({
    auth: { kind: 'token', users: { ada: 'secret' }, identityTokens: { 'identity-1': 'ada' }, readOnly: ['ada'] },
  });
  seedRegistry(registry, 'demo/app', image, ['v1']);
  using opened = client(registry, { credentials: fixedCredential({ kind: 'identity', token: 'identity-1' }) });
  assert.equal((await opened.client.getManifest('demo/app', 'v1'))?.descriptor.digest, image.digest);
  await assert.rejects(new RegistryClient(opened.client.transport, 'push').startUpload('demo/app'), { code: 'Unauthorized' });
  assert.equal(registry.requests.matching({ method: 'POST', path: /uploads/ }).length, 2);
});

test('wrong credentials, none, and forbidden are told apart; none of them is retried', async () => {
  await using registry = await startTestRegistry({ auth: { kind: 'basic', users: { ada: 'secret' }, readOnly: ['ada'] } });
  for (const [options, expected] of [
    [{}, { code: 'Unauthorized', message: /there are no credentials for it/ }],
    [
      { credentials: fixedCredential({ kind: 'basic', username: 'ada', password: 'wrong' }) },
      { code: 'Unauthorized', message: /refuses the credentials/ },
    ],
    [{ credentials }, { code: 'Forbidden' }],
  ] as const) {
    using opened = client(registry, options);
    await assert.rejects(opened.client.startUpload('x'), expected);
  }
  assert.ok(registry.requests.entries.length <= 5);
});

test('a Retry-After holds back every request to the registry', async () => {
  const clock = new FakeClock();
  await using registry = await startTestRegistry();
  seedRegistry(registry, 'demo/app', image, ['v1']);
  const limited = registry.faults.add({ match: {}, action: { kind: 'status', status: 429, headers: { 'retry-after': '30' } } });
  const notices: number[] = [];
  const noticed = Promise.withResolvers<void>();
  using opened = client(registry, {
    clock,
    onRetry: ({ delayMs }) => {
      notices.push(delayMs);
      noticed.resolve();
    },
  });
  const first = opened.client.resolve('demo/app', 'v1');
  await limited.hit;
  await noticed.promise;
  const second = opened.client.resolve('demo/app', 'v1');
  await clock.advance(29_000);
  assert.equal(registry.requests.entries.length, 1);
  await clock.advance(1_000);
  await Promise.all([first, second]);
  assert.equal(registry.requests.entries.length, 3);
  assert.deepEqual(notices, [30_000]);
});

test('the number of tries is limited and told', async () => {
  await using registry = await startTestRegistry();
  registry.faults.add({ match: {}, times: 100, action: { kind: 'status', status: 503 } });
  using opened = client(registry);
  await assert.rejects(opened.client.resolve('demo/app', 'v1'), {
    code: 'ServerError',
    retryable: true,
    tries: 3,
    message: /gave up after 3 tries/,
  });
  assert.equal(registry.requests.entries.length, 3);
});

test('listings are followed to their end, but not to another host', async () => {
  await using registry = await startTestRegistry({ pageSize: 2 });
  seedRegistry(registry, 'demo/app', image, ['a', 'b', 'c', 'd', 'e']);
  using opened = client(registry);
  const tags: string[] = [];
  for await (const tag of opened.client.listTags('demo/app')) tags.push(tag);
  assert.deepEqual(tags, ['a', 'b', 'c', 'd', 'e']);
  registry.faults.add({
    match: { path: /tags/ },
    action: { kind: 'headers', set: { link: '<http://127.0.0.1:1/v2/x/tags/list>; rel="next"' } },
  });
  await assert.rejects(
    async () => {
      for await (const tag of opened.client.listTags('demo/app')) tags.push(tag);
    },
    { code: 'UnsafeURL' },
  );
});
