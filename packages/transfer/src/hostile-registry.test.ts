import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildImage, type FaultAction, seedRegistry, startTestRegistry, type TestRegistry } from '@arc/testkit';
import { fixedCredential } from './auth/credential.ts';
import { copyArtifact } from './copy/copy-artifact.ts';
import { CopyError } from './copy/copy-error.ts';
import type { NameResolver } from './http/address-zone.ts';
import { HttpTransport, type HttpTransportOptions } from './http/http-transport.ts';
import type { RetryPolicy } from './http/retry.ts';
import { openEndpoint } from './oci/open-repository.ts';
import { RegistryClient } from './oci/registry-client.ts';
import { parseEndpointURL } from './reference/endpoint-url.ts';

const retry: RetryPolicy = { attempts: 2, initialMs: 1, maxMs: 2, maxRetryAfterMs: 10 };
const image = buildImage([{ 'etc/motd': 'hello' }], { random: { layers: 1, bytes: 50_000 } });
const password = 'correct-horse-battery';
const credentials = fixedCredential({ kind: 'basic', username: 'ada', password });

async function copy(source: TestRegistry, destination: TestRegistry): Promise<unknown> {
  using here = openEndpoint(parseEndpointURL(source.url), { retry, credentials, idleTimeoutMs: 500 });
  using there = openEndpoint(parseEndpointURL(destination.url), { retry });
  return await copyArtifact(await here.source('demo/app'), 'v1', await there.destination('app'), { tags: ['v1'], retry, concurrency: 1 });
}

async function withClient<T>(
  registry: TestRegistry,
  options: HttpTransportOptions,
  use: (client: RegistryClient) => Promise<T>,
): Promise<T> {
  using transport = new HttpTransport(new URL(registry.url), { retry, credentials, ...options });
  return await use(new RegistryClient(transport));
}

async function allTags(client: RegistryClient): Promise<number> {
  let count = 0;
  for await (const _tag of client.listTags('demo/app')) count += 1;
  return count;
}

/** Copies from a registry that does `action` to manifests, and expects an error and nothing at the destination. */
async function refused(action: FaultAction, path = /manifests/): Promise<CopyError> {
  await using source = await startTestRegistry();
  await using destination = await startTestRegistry();
  seedRegistry(source, 'demo/app', image, ['v1']);
  source.faults.add({ match: { method: 'GET', path }, times: 1000, action });
  try {
    await copy(source, destination);
  } catch (error) {
    assert.ok(error instanceof CopyError, String(error));
    assert.equal(destination.content.tags('app').size, 0);
    return error;
  }
  throw new assert.AssertionError({ message: `accepted: ${JSON.stringify(action).slice(0, 200)}` });
}

const json = (body: string, type = image.mediaType): FaultAction => ({
  kind: 'status',
  status: 200,
  headers: { 'content-type': type },
  body,
});

test('a manifest that is another type, another digest, two things, or too much is refused', async () => {
  const cases: readonly (readonly [FaultAction, string])[] = [
    [{ kind: 'headers', set: { 'content-type': 'application/vnd.oci.image.manifest.v1+json' } }, 'InvalidManifest'],
    [{ kind: 'headers', set: { 'content-type': 'text/html' } }, 'InvalidManifest'],
    [{ kind: 'headers', set: { 'docker-content-digest': `sha256:${'0'.repeat(64)}` } }, 'DigestMismatch'],
    [json('{"schemaVersion":2,"manifests":[],"layers":[]}'), 'InvalidManifest'],
    [json('{"schemaVersion":2,"manifests":[],"manifests":[{}]}'), 'InvalidManifest'],
    [json('<html>Please log in</html>', 'text/html'), 'InvalidManifest'],
    [json(`{"schemaVersion":2,"manifests":[${'['.repeat(100_000)}`), 'InvalidManifest'],
    [json(' '.repeat(9 * 1024 * 1024)), 'TooLarge'],
    [json('{"schemaVersion":1,"fsLayers":[]}', 'application/vnd.docker.distribution.manifest.v1+prettyjws'), 'UnsupportedMediaType'],
  ];
  for (const [action, code] of cases) assert.equal((await refused(action)).code, code, JSON.stringify(action).slice(0, 200));
});

test('descriptors that lie about sizes and digests allocate nothing and move nothing', async () => {
  await using source = await startTestRegistry();
  await using destination = await startTestRegistry();
  const layer = {
    mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip',
    digest: source.content.putBlob('demo/app', Buffer.from('layer')),
    size: 5,
  };
  const config = {
    mediaType: 'application/vnd.oci.image.config.v1+json',
    digest: source.content.putBlob('demo/app', Buffer.from('{}')),
    size: 2,
  };
  const cases = [
    [{ ...layer, size: Number.MAX_SAFE_INTEGER }, 'SizeMismatch'],
    [{ ...layer, size: 4 }, 'SizeMismatch'],
    [{ ...layer, size: -1 }, 'InvalidManifest'],
    [{ ...layer, size: 1e300 }, 'InvalidManifest'],
    [{ ...layer, size: '5' }, 'InvalidManifest'],
    [{ ...layer, digest: layer.digest.toUpperCase() }, 'InvalidManifest'],
    [{ ...layer, digest: 'md5:d41d8cd98f00b204e9800998ecf8427e' }, 'InvalidManifest'],
    [{ ...layer, digest: 'sha256:../../../etc/passwd' }, 'InvalidManifest'],
  ] as const;
  for (const [lie, code] of cases) {
    const mediaType = 'application/vnd.oci.image.manifest.v1+json';
    const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, config, layers: [lie] }));
    try {
      source.content.putManifest('demo/app', bytes, mediaType, ['v1']);
    } catch {
      // The stub itself knows no such blob; a hostile registry does not mind.
      source.faults.clear();
      source.faults.add({
        match: { path: /manifests\/v1|manifests\/sha256/ },
        times: 100,
        action: json(bytes.toString('utf8'), mediaType),
      });
    }
    await assert.rejects(copy(source, destination), { origin: /source|destination/, code }, JSON.stringify(lie));
    assert.equal(destination.content.tags('app').size, 0);
    source.faults.clear();
  }
});

test('listings that never end, repeat themselves, or are no listings end', async () => {
  await using registry = await startTestRegistry();
  seedRegistry(registry, 'demo/app', image, ['v1']);
  await withClient(registry, {}, async (client) => {
    using same = registry.faults.add({
      match: { path: /tags/ },
      times: 10_000,
      action: { kind: 'headers', set: { link: '</v2/demo/app/tags/list?n=1000>; rel="next"' } },
    });
    await assert.rejects(allTags(client), { code: 'UnexpectedAnswer', message: /does not end/ });
    assert.equal(same.hits, 1, 'a page that names itself is not asked for again');
    using _huge = registry.faults.add({
      match: { path: /tags/ },
      times: 2,
      skip: 0,
      action: json(`{"tags":["${'x'.repeat(9 * 1024 * 1024)}"]}`),
    });
    same[Symbol.dispose]();
    await assert.rejects(allTags(client), { code: 'TooLarge' });
    registry.faults.clear();
    registry.faults.add({ match: { path: /tags/ }, action: json('{"tags":{"0":"v1"}}') });
    assert.equal(await allTags(client), 0);
  });
});

test('an endless listing of ever new pages is given up', async () => {
  await using registry = await startTestRegistry();
  seedRegistry(registry, 'demo/app', image, ['v1']);
  let page = 0;
  const next: FaultAction = {
    kind: 'headers',
    set: {
      get link(): string {
        page += 1;
        return `</v2/demo/app/tags/list?n=1&page=${page}>; rel="next"`;
      },
    },
  };
  registry.faults.add({ match: { path: /tags/ }, times: 100_000, action: next });
  await withClient(registry, {}, (client) => assert.rejects(allTags(client), { code: 'UnexpectedAnswer', message: /does not end/ }));
  assert.ok(page <= 2100, `${page} headers`);
});

test('headers that are too large, and answers that trickle, are errors in time', async () => {
  const large = await refused({ kind: 'headers', set: { 'x-large': 'x'.repeat(100_000) } });
  assert.equal(large.code, 'ConnectionFailed');
  const silent = await refused({ kind: 'stall', afterBytes: 10 }, /blobs/);
  assert.equal(silent.code, 'Timeout');
});

test('what a registry says about its refusal neither draws on terminals nor repeats secrets', async () => {
  const said = `\u001b[2J\u001b]0;owned\u0007 you sent Authorization: Basic ${Buffer.from(`ada:${password}`).toString('base64')} and https://x/?X-Amz-Signature=abcdef0123&a=b \u202eevil ${'y'.repeat(5000)}`;
  for (const body of [said, JSON.stringify({ errors: [{ code: 'DENIED', message: said }] })]) {
    const error = await refused({ kind: 'status', status: 403, body });
    assert.equal(error.code, 'Forbidden');
    assert.doesNotMatch(error.message, /[\u0000-\u0008\u000b-\u001f\u007f\u202e]/);
    assert.ok(!error.message.includes(Buffer.from(`ada:${password}`).toString('base64')) && !error.message.includes('abcdef0123'));
    assert.ok(error.message.length < 2600);
  }
});

test('warnings of a registry are passed on once each, cleaned, and change nothing', async () => {
  await using registry = await startTestRegistry();
  seedRegistry(registry, 'demo/app', image, ['v1']);
  const warning = '299 - "this registry moves\\u001b[31m on Monday", 199 - "not for people", 299 - "say \\"please\\""';
  registry.faults.add({ match: {}, times: 100, action: { kind: 'headers', set: { warning } } });
  const told: string[] = [];
  await withClient(registry, { onWarning: (text) => told.push(text) }, async (client) => {
    for (let time = 0; time < 3; time += 1) assert.equal((await client.resolve('demo/app', 'v1'))?.digest, image.digest);
  });
  assert.equal(told.length, 2);
  assert.deepEqual(told[1], 'say "please"');
});

test('a token service that redirects gets no second password, and its answer is not repeated', async () => {
  await using thief = await startTestRegistry();
  await using registry = await startTestRegistry({ auth: { kind: 'token', users: { ada: password } } });
  seedRegistry(registry, 'demo/app', image, ['v1']);
  registry.faults.add({ match: { path: /^\/token/ }, times: 10, action: { kind: 'redirect', location: `${thief.url}/token` } });
  await withClient(registry, {}, (client) =>
    assert.rejects(client.resolve('demo/app', 'v1'), (error: Error) => !error.message.includes(password)),
  );
  assert.equal(thief.requests.entries.length, 0);
});

test('a name that leads elsewhere the second time is looked at each time it is dialled', async () => {
  await using registry = await startTestRegistry();
  await using first = await startTestRegistry();
  await using second = await startTestRegistry();
  for (const each of [registry, first, second]) seedRegistry(each, 'demo/app', image, ['v1']);
  const answers = ['127.0.0.1', '169.254.169.254', '0.0.0.0'];
  const resolve: NameResolver = (_hostname, _options, callback) => callback(null, [{ address: answers.shift() ?? '127.0.0.1', family: 4 }]);
  await withClient(registry, { resolve }, async (client) => {
    // The first answer tells where the registry itself lies.
    await client.resolve('demo/app', 'v1');
    const lead = (to: TestRegistry): void =>
      void registry.faults.add({
        match: { method: 'GET', path: /manifests/ },
        action: { kind: 'redirect', location: `http://rebind.example:${new URL(to.url).port}/v2/demo/app/manifests/v1` },
      });
    lead(first);
    assert.equal((await client.getManifest('demo/app', 'v1'))?.descriptor.digest, image.digest);
    for (let time = 0; time < 2; time += 1) {
      lead(second);
      await assert.rejects(client.getManifest('demo/app', 'v1'), { code: 'UnsafeURL', message: /lies further inside/ });
    }
  });
  assert.equal(second.requests.entries.length, 0);
});

test('a registry that takes no whole blobs gets chunks, without being told to', async () => {
  await using source = await startTestRegistry();
  await using destination = await startTestRegistry();
  const large = buildImage([{ a: 'b' }], { single: true, random: { layers: 1, bytes: 12_000_000 } });
  seedRegistry(source, 'demo/app', large, ['v1']);
  destination.faults.add({
    match: { method: 'PUT', path: /uploads/ },
    times: 1,
    action: { kind: 'status', status: 413, body: 'too large' },
  });
  await copy(source, destination);
  assert.equal(destination.content.tags('app').get('v1'), large.digest);
});
