import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createAuthority, issueServerCertificate } from '@arc/pki';
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
