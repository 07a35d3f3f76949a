import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createAuthority, issueClientCertificate, issueServerCertificate } from '@arc/pki';
import { buildImage, seedRegistry, startTestRegistry, type TestRegistry } from '@arc/testkit';
import { RegistryClient } from '../oci/registry-client.ts';
import { HttpTransport } from './http-transport.ts';
import type { RetryPolicy } from './retry.ts';
import type { TlsOptions } from './wire.ts';

const retry: RetryPolicy = { attempts: 1, initialMs: 1, maxMs: 1, maxRetryAfterMs: 1 };
const image = buildImage([{ a: 'b' }]);
const authority = createAuthority({ commonName: 'test authority' });

async function secureRegistry(): Promise<TestRegistry> {
  const { certPem, keyPem } = issueServerCertificate(authority, { names: ['localhost'], addresses: ['127.0.0.1'] });
  const registry = await startTestRegistry({ tls: { cert: certPem, key: keyPem } });
  seedRegistry(registry, 'demo/app', image, ['v1']);
  return registry;
}

async function digestThrough(registry: TestRegistry, tls: TlsOptions): Promise<string | undefined> {
  using transport = new HttpTransport(new URL(registry.url), { retry, tls });
  return (await new RegistryClient(transport).resolve('demo/app', 'v1'))?.digest;
}

test('a private authority is trusted when given, anything only when asked for', async () => {
  await using registry = await secureRegistry();
  await assert.rejects(digestThrough(registry, {}), { code: 'TLSFailed', retryable: false, hint: /ca\.crt/ });
  assert.equal(await digestThrough(registry, { ca: authority.certPem }), image.digest);
  assert.equal(await digestThrough(registry, { insecureSkipVerify: true }), image.digest);
});

test('a redirect from https to http is not followed', async () => {
  await using registry = await secureRegistry();
  await using plain = await startTestRegistry();
  registry.faults.add({ match: {}, action: { kind: 'redirect', location: `${plain.url}/v2/demo/app/manifests/v1` } });
  await assert.rejects(digestThrough(registry, { ca: authority.certPem }), { code: 'UnsafeURL', message: /plain http/ });
  assert.equal(plain.requests.entries.length, 0);
});

test('an endpoint may have another name than its host, and ask who we are; whom it redirects to is neither', async () => {
  const { certPem: cert, keyPem: key } = issueServerCertificate(authority, { names: ['registry.internal'], addresses: [] });
  const client = issueClientCertificate(authority, { user: 'us', groups: [] });
  await using registry = await startTestRegistry({ tls: { cert, key, clientCa: authority.certPem } });
  seedRegistry(registry, 'demo/app', image, ['v1']);
  const tls = { ca: authority.certPem, cert: client.certPem, key: client.keyPem, serverName: 'registry.internal' };
  assert.equal(await digestThrough(registry, tls), image.digest);
  await assert.rejects(digestThrough(registry, { ...tls, serverName: 'other.internal' }), { code: 'TLSFailed' });
  await assert.rejects(digestThrough(registry, { ca: tls.ca, serverName: tls.serverName }));

  await using other = await secureRegistry();
  registry.faults.add({ match: {}, action: { kind: 'redirect', location: `${other.url}/v2/demo/app/manifests/v1` } });
  assert.equal(await digestThrough(registry, tls), image.digest, 'that of its own name is expected there');
  await using asking = await startTestRegistry({ tls: { cert, key, clientCa: authority.certPem } });
  registry.faults.add({ match: {}, action: { kind: 'redirect', location: `${asking.url}/v2/demo/app/manifests/v1` } });
  await assert.rejects(digestThrough(registry, tls), 'our certificate is shown to the endpoint alone');
  assert.equal(asking.requests.entries.length, 0);
});
