import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createAuthority, issueServerCertificate } from '@arc/pki';
import { buildImage, seedRegistry, startForwardProxy, startTestRegistry, type TestRegistry } from '@arc/testkit';
import { fixedCredential } from '../auth/credential.ts';
import { RegistryClient } from '../oci/registry-client.ts';
import { HttpTransport, type HttpTransportOptions } from './http-transport.ts';
import { proxyFromEnvironment } from './proxy.ts';
import type { RetryPolicy } from './retry.ts';

const retry: RetryPolicy = { attempts: 1, initialMs: 1, maxMs: 1, maxRetryAfterMs: 1 };
const image = buildImage([{ a: 'b' }]);
const authority = createAuthority({ commonName: 'test authority' });
const basic = (credentials: string): string => `Basic ${Buffer.from(credentials).toString('base64')}`;

async function registryNamed(host: string, secure: boolean): Promise<{ registry: TestRegistry; origin: URL }> {
  const { certPem, keyPem } = issueServerCertificate(authority, { names: [host], addresses: [] });
  const registry = await startTestRegistry({
    auth: { kind: 'basic', users: { ada: 'of the registry' } },
    ...(secure ? { tls: { cert: certPem, key: keyPem } } : {}),
  });
  seedRegistry(registry, 'demo/app', image, ['v1']);
  return { registry, origin: new URL(`${secure ? 'https' : 'http'}://${host}:${new URL(registry.url).port}`) };
}

async function digestAt(origin: URL, options: HttpTransportOptions): Promise<string | undefined> {
  const credentials = fixedCredential({ kind: 'basic', username: 'ada', password: 'of the registry' });
  using transport = new HttpTransport(origin, { retry, credentials, tls: { ca: authority.certPem }, ...options });
  return (await new RegistryClient(transport).getManifest('demo/app', 'v1'))?.descriptor.digest;
}

test('https goes through a tunnel: the proxy sees host and port and its own credentials, the registry does not see those', async () => {
  const { registry, origin } = await registryNamed('registry.example.org', true);
  await using _registry = registry;
  await using proxy = await startForwardProxy({ authorization: basic('corp:p@ss word') });
  const url = proxy.url.replace('//', '//corp:p%40ss%20word@');
  assert.equal(await digestAt(origin, { proxy: proxyFromEnvironment({ HTTPS_PROXY: url }) }), image.digest);
  const [asked] = proxy.requests;
  assert.equal(asked?.line, `CONNECT ${origin.host}`);
  assert.ok(proxy.requests.length >= 1 && proxy.requests.every(({ headers }) => headers['authorization'] === undefined));
  assert.deepEqual(Object.keys(asked?.headers ?? {}).sort(), ['connection', 'host', 'proxy-authorization']);
  assert.ok(registry.requests.entries.every(({ headers }) => headers['proxy-authorization'] === undefined));
  assert.ok(registry.requests.entries.some(({ headers }) => headers['authorization'] === basic('ada:of the registry')));
});

test('a proxy that refuses is said to be the one, without its credentials', async () => {
  const { registry, origin } = await registryNamed('registry.example.org', true);
  await using _registry = registry;
  await using proxy = await startForwardProxy({ authorization: basic('corp:right') });
  const wrong = proxy.url.replace('//', '//corp:wrong-secret@');
  for (const [variables, at] of [
    [{ HTTPS_PROXY: wrong }, origin],
    [{ HTTP_PROXY: wrong }, new URL(`http://${origin.host}`)],
  ] as const) {
    await assert.rejects(digestAt(at, { proxy: proxyFromEnvironment(variables) }), (error: Error & { hint?: string }) => {
      assert.match(error.message, /the proxy 127\.0\.0\.1:\d+ wants other credentials/);
      assert.doesNotMatch(`${error.message} ${error.hint} ${String(error.stack)}`, /wrong-secret/);
      return true;
    });
  }
  await assert.rejects(digestAt(origin, { proxy: proxyFromEnvironment({ https_proxy: 'http://127.0.0.1:1' }) }), {
    code: 'ConnectionFailed',
    message: /the proxy 127\.0\.0\.1:1 cannot be reached/,
  });
  assert.throws(
    () => proxyFromEnvironment({ HTTPS_PROXY: 'socks5://user:hidden@host' }),
    (error: Error) => !error.message.includes('hidden'),
  );
});

test('plain http is asked of the proxy by its whole URL', async () => {
  const { registry, origin } = await registryNamed('registry.example.org', false);
  await using _registry = registry;
  await using proxy = await startForwardProxy();
  assert.equal(await digestAt(origin, { proxy: proxyFromEnvironment({ HTTP_PROXY: proxy.url }) }), image.digest);
  assert.equal(proxy.requests[0]?.line, `GET ${origin.origin}/v2/demo/app/manifests/v1`);
});

test('behind a proxy a redirect is followed to hosts that were named, and never to an inner address', async () => {
  const { registry, origin } = await registryNamed('registry.example.org', true);
  await using _registry = registry;
  await using proxy = await startForwardProxy();
  const proxied = { proxy: proxyFromEnvironment({ HTTPS_PROXY: proxy.url }) };
  const elsewhere = `https://cdn.example.org:${origin.port}/v2/demo/app/manifests/v1`;
  registry.faults.add({ match: { path: /manifests/ }, times: 9, skip: 1, action: { kind: 'redirect', location: elsewhere } });
  await assert.rejects(digestAt(origin, proxied), { code: 'UnsafeURL', message: /cdn\.example\.org:\d+, whose address cannot be checked/ });
  registry.faults.clear();
  for (const address of ['169.254.169.254', '127.0.0.1', '10.0.0.1']) {
    registry.faults.add({
      match: { path: /manifests/ },
      times: 1,
      skip: 1,
      action: { kind: 'redirect', location: `https://${address}/x` },
    });
    await assert.rejects(digestAt(origin, proxied), { code: 'UnsafeURL' }, address);
    registry.faults.clear();
  }
  assert.ok(
    proxy.requests.every(({ line }) => line === `CONNECT ${origin.host}`),
    'nobody else was asked for',
  );
});

test('which hosts go through a proxy', () => {
  const select = (noProxy: string, url: string): boolean =>
    proxyFromEnvironment({ HTTPS_PROXY: 'proxy:3128', NO_PROXY: noProxy })?.(new URL(url)) !== undefined;
  const cases: readonly (readonly [string, string, boolean])[] = [
    ['', 'https://registry.example.org', true],
    ['', 'http://registry.example.org', false],
    ['', 'https://localhost', false],
    ['', 'https://127.0.0.5:5000', false],
    ['*', 'https://registry.example.org', false],
    ['example.org', 'https://registry.example.org', false],
    ['.example.org', 'https://registry.example.org', false],
    ['*.example.org', 'https://registry.example.org', false],
    ['example.org', 'https://notexample.org', true],
    ['registry.example.org:5000', 'https://registry.example.org', true],
    ['registry.example.org:443', 'https://registry.example.org', false],
    ['a, registry.example.org ,b', 'https://REGISTRY.example.org', false],
    ['10.0.0.0/8', 'https://10.1.2.3:5000', false],
    ['10.0.0.0/8', 'https://11.1.2.3', true],
    ['fd00::/8', 'https://[fd12::1]', false],
    ['10.1.2.3', 'https://10.1.2.3', false],
  ];
  for (const [noProxy, url, proxied] of cases) assert.equal(select(noProxy, url), proxied, `${noProxy} ${url}`);
  assert.equal(proxyFromEnvironment({ NO_PROXY: '*' }), undefined);
});
