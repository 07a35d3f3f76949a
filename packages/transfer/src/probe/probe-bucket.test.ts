import assert from 'node:assert/strict';
import { test } from 'node:test';
import { missingMinio, startMinio, startS3Server } from '@arc/testkit';
import { createEndpointProbe } from './probe-endpoint.ts';

const user = { accessKeyId: 'AKID', secretAccessKey: 'hunter2hunter2' };
const keys = { AWS_ACCESS_KEY_ID: user.accessKeyId, AWS_SECRET_ACCESS_KEY: user.secretAccessKey };

async function probe(remoteURL: string, secret?: Readonly<Record<string, string>>, denyCIDRs: readonly string[] = []): Promise<string[]> {
  const ask = createEndpointProbe({ denyCIDRs, timeoutMs: 20_000 });
  const secretValue = secret === undefined ? undefined : (key: string): string | undefined => secret[key];
  const { reachable, authenticated } = await ask({ remoteURL, type: 's3', credentials: 'none', secretValue }, new AbortController().signal);
  assert.ok(!JSON.stringify([reachable, authenticated]).includes('hunter2'));
  return [`${reachable.status}/${reachable.reason}`, `${authenticated.status}/${authenticated.reason}`];
}

test('a bucket says whether it is there and knows the access key', async () => {
  await using server = await startS3Server({ users: [user], region: 'eu-central-1' });
  const url = `${server.url}/artifacts/zone`;
  const open = 'True/Reachable';
  assert.deepEqual(await probe(url), [open, 'Unknown/NoCredentials']);
  assert.deepEqual(await probe(url, keys), [open, 'True/Authenticated']);
  assert.deepEqual(await probe(url, { ...keys, AWS_REGION: 'eu-central-1' }), [open, 'True/Authenticated']);
  assert.deepEqual(await probe(url, { ...keys, AWS_ACCESS_KEY_ID: 'nobody' }), [open, 'False/Unauthorized']);
  assert.deepEqual(await probe(url, { ...keys, AWS_SECRET_ACCESS_KEY: 'wrong' }), [open, 'False/Unauthorized']);
  assert.deepEqual(await probe(url, { token: 'x' }), [open, 'Unknown/UnsupportedAuthScheme']);
  assert.deepEqual(await probe(url, { AWS_ACCESS_KEY_ID: 'AKID' }), [open, 'Unknown/UnsupportedAuthScheme']);
  assert.deepEqual(await probe(`${server.url}/missing`, keys), ['Unknown/NotFound', 'True/Authenticated']);
  const sent = server.requests.entries.length;
  assert.deepEqual(await probe(url, { ...keys, AWS_SESSION_TOKEN: 't' }), [open, 'Unknown/Inconclusive']);
  assert.equal(server.requests.entries.length, sent + 1);
  const denied = '<Error><Code>AccessDenied</Code></Error>';
  server.faults.add({ match: {}, times: 2, action: { kind: 'status', status: 403, body: denied } });
  assert.deepEqual(await probe(url, keys), [open, 'True/Authenticated']);
  const hostile = `<!DOCTYPE a [<!ENTITY x "y">]><Error><Code>&x;</Code></Error>`;
  server.faults.add({ match: {}, times: 2, action: { kind: 'status', status: 403, body: hostile } });
  assert.deepEqual(await probe(url, keys), [open, 'Unknown/Inconclusive']);
  assert.deepEqual(await probe(server.url, keys), ['False/InvalidURL', 'Unknown/InvalidURL']);
  assert.deepEqual(await probe('https://169.254.169.254/bucket', keys, ['169.254.0.0/16']), ['False/TargetDenied', 'Unknown/TargetDenied']);
});

test('a region that the service names is never another host than the one of the Endpoint', async () => {
  await using server = await startS3Server({ users: [user] });
  const headers = { 'x-amz-bucket-region': 'eu-west-1', location: 'http://169.254.169.254/' };
  server.faults.add({ match: {}, times: 9, action: { kind: 'status', status: 301, headers } });
  assert.deepEqual(await probe(`${server.url}/artifacts`, keys), ['True/Reachable', 'Unknown/Inconclusive']);
  assert.equal(server.requests.entries.length, 3);
});

test('MinIO is probed', { skip: missingMinio }, async () => {
  await using minio = await startMinio();
  const { accessKeyId: accessKey, secretAccessKey: secretKey } = minio.user;
  assert.deepEqual(await probe(`${minio.url}/artifacts`, { accessKey, secretKey }), ['True/Reachable', 'True/Authenticated']);
  assert.deepEqual(await probe(`${minio.url}/artifacts`, { accessKey, secretKey: 'hunter2hunter2' }), [
    'True/Reachable',
    'False/Unauthorized',
  ]);
  assert.deepEqual(await probe(`${minio.url}/missing`, { accessKey, secretKey }), ['Unknown/NotFound', 'True/Authenticated']);
});
