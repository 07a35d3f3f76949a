import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { endpoints, forceAtAnnotation } from '@arc/api/arc';
import type { Endpoint } from '@arc/api/arc';
import { secrets } from '@arc/api/core';
import type { Secret } from '@arc/api/core';
import { systemClock } from '@arc/kernel';
import { followObject } from '../order/follow-object.ts';
import { startTestServer } from '../testing/test-server.ts';
import type { TestServer } from '../testing/test-server.ts';

let server: TestServer;
before(async () => void (server = await startTestServer()));
after(() => server[Symbol.asyncDispose]());

const namespace = 'default';
const add = (name: string, ...args: readonly string[]): readonly string[] => ['endpoint', 'add', name, '--type', 'oci', ...args];

async function valuesOf(name: string): Promise<Readonly<Record<string, string>>> {
  const { data = {} } = await server.client.get<Secret>(secrets, { namespace, name });
  return Object.fromEntries(Object.entries(data).map(([key, value]) => [key, Buffer.from(value, 'base64').toString()]));
}

test('an Endpoint is added with its credentials, which nothing prints', async () => {
  const login = ['--username', 'puller', '--password-stdin'];
  const { code, stdout, stderr } = await server.arcctl(add('src', '--url', 'https://a.example', '--usage', 'PullOnly', ...login), {
    stdin: 'hunter2\n',
  });
  assert.equal(code, 0, stderr);
  assert.equal(stdout, 'secret/src-credentials created\nendpoint.arc.opendefense.cloud/src created\n');
  assert.deepEqual((await server.client.get<Endpoint>(endpoints, { namespace, name: 'src' })).spec, {
    type: 'oci',
    remoteURL: 'https://a.example',
    usage: 'PullOnly',
    secretRef: { name: 'src-credentials' },
  });
  assert.deepEqual(await valuesOf('src-credentials'), { username: 'puller', password: 'hunter2' });
  assert.equal(`${stdout}${stderr}`.includes('hunter2'), false);
});

test('everything an Endpoint can say can be said on the command line', async () => {
  const ca = join(await mkdtemp(join(tmpdir(), 'arc-endpoint-')), 'ca.crt');
  const pem = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n';
  await writeFile(ca, pem);
  const tls = ['--ca-file', ca, '--tls-secret', 'client', '--server-name', 'registry.internal'];
  const caps = ['--concurrency', '2', '--max-bytes-per-second', '5000000', '--valid-until', '2040-01-31'];
  const contacts = ['--contact', 'Jo Doe <jo@example.com> (owner)', '--contact', 'team@example.com', '--contact', 'Night shift'];
  const { code, stderr } = await server.arcctl(add('whole', '--url', 'https://c.example', ...tls, ...caps, ...contacts));
  await rm(dirname(ca), { recursive: true });
  assert.equal(code, 0, stderr);
  assert.deepEqual((await server.client.get<Endpoint>(endpoints, { namespace, name: 'whole' })).spec, {
    type: 'oci',
    remoteURL: 'https://c.example',
    usage: 'All',
    tls: { ca: pem, secretRef: { name: 'client' }, serverName: 'registry.internal' },
    concurrency: 2,
    maxBytesPerSecond: 5_000_000,
    contacts: [{ name: 'Jo Doe', email: 'jo@example.com', role: 'owner' }, { email: 'team@example.com' }, { name: 'Night shift' }],
    validUntil: '2040-01-31T00:00:00Z',
  });
  for (const wrong of [
    ['--concurrency', '0'],
    ['--max-bytes-per-second', '1.5'],
    ['--valid-until', 'soon'],
    ['--contact', ''],
    ['--ca-file', ca],
  ]) {
    assert.equal((await server.arcctl(add('wrong', '--url', 'https://c.example', ...wrong))).code, 2, wrong.join(' '));
  }
});

test('what the server refuses leaves no Secret behind', async () => {
  const { code } = await server.arcctl(add('bad', '--url', 'not a url', '--username', 'u', '--password-stdin'), { stdin: 'p' });
  assert.notEqual(code, 0);
  await assert.rejects(server.client.get(secrets, { namespace, name: 'bad-credentials' }), /not found/);
});

test('an Endpoint may go without credentials, or with a Secret there is', async () => {
  assert.equal((await server.arcctl(add('open', '--url', 'https://b.example'))).code, 0);
  assert.equal((await server.arcctl(add('named', '--url', 'https://b.example', '--secret', 'mine'))).code, 0);
  const { items } = await server.client.list<Endpoint>(endpoints, { namespace });
  const secretOf = (name: string): unknown => items.find(({ metadata }) => metadata.name === name)?.spec?.secretRef;
  assert.deepEqual([secretOf('open'), secretOf('named')], [undefined, { name: 'mine' }]);
});

test('half of a login, or a password on a terminal, is a usage error', async () => {
  for (const [args, options] of [
    [['--username', 'u'], {}],
    [['--password-stdin'], { stdin: 'p' }],
    [['--username', 'u', '--password-stdin'], { stdin: '\n' }],
    [['--username', 'u', '--password-stdin', '--secret', 's'], { stdin: 'p' }],
    [['--username', 'u', '--password-stdin'], { stdin: 'p', isTerminal: true }],
  ] as const) {
    assert.equal((await server.arcctl(add('x', '--url', 'https://b.example', ...args), options)).code, 2, args.join(' '));
  }
});

test('rotating changes the password alone, and says what follows', async () => {
  const rotate = ['endpoint', 'rotate', 'src', '--password-stdin'];
  const { code, stdout } = await server.arcctl(rotate, { stdin: 'hunter3' });
  assert.equal(code, 0);
  assert.match(stdout, /^secret\/src-credentials has a new password; Orders that use it run again/);
  assert.deepEqual(await valuesOf('src-credentials'), { username: 'puller', password: 'hunter3' });
  await server.arcctl([...rotate, '--username', 'other'], { stdin: 'hunter4' });
  assert.deepEqual(await valuesOf('src-credentials'), { username: 'other', password: 'hunter4' });
});

test('there is nothing to rotate without a Secret, or in one of another form', async () => {
  const rotate = (name: string) => server.arcctl(['endpoint', 'rotate', name, '--password-stdin'], { stdin: 'p' });
  assert.match((await rotate('open')).stderr, /error\[NoCredentials\]: endpoint default\/open names no Secret\nhint: /);
  assert.equal((await rotate('named')).code, 3);
  await server.client.create<Secret>(secrets, {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'mine', namespace },
    data: { 'ca.crt': 'eA==' },
  });
  assert.match((await rotate('named')).stderr, /error\[NoCredentials\]: secret default\/mine holds neither password nor token/);
  assert.equal((await server.arcctl(['endpoint', 'rotate', 'src'])).code, 2);
});

/** Does as the controller does with a value of force-at that was not carried out yet. */
async function probeOnce(name: string, ready: 'True' | 'False'): Promise<void> {
  const { signal } = new AbortController();
  const ref = { namespace, name };
  for await (const object of followObject<Endpoint>(server.client, endpoints, ref, { clock: systemClock, signal })) {
    const asked = Number(object?.metadata.annotations?.[forceAtAnnotation]) * 1000;
    if (Number.isNaN(asked) || Date.parse(object?.status?.probedForceAt ?? '') === asked) continue;
    const lastTransitionTime = '2026-01-01T00:00:00Z';
    const conditions = [{ type: 'Ready', status: ready, reason: 'Valid', message: 'endpoint is usable', lastTransitionTime }];
    const status = { conditions, probedForceAt: new Date(asked).toISOString() };
    await server.client.patch(endpoints, ref, { status }, { subresource: 'status' });
    return;
  }
}

test('testing waits for the probe it asked for, prints it, and says by its exit code whether the Endpoint is ready', async () => {
  const run = (...args: readonly string[]) => server.arcctl(['endpoint', 'test', ...args]);
  const [, first] = await Promise.all([probeOnce('open', 'True'), run('open')]);
  assert.equal(first.code, 0, first.stderr);
  assert.equal(first.stdout, 'CONDITION   STATUS   REASON   MESSAGE\nReady       True     Valid    endpoint is usable\n');
  const [, second] = await Promise.all([probeOnce('open', 'False'), run('open', '-o', 'json')]);
  assert.equal(second.code, 1, second.stderr);
  assert.equal((JSON.parse(second.stdout) as Endpoint).status?.conditions?.[0]?.status, 'False');
  assert.equal((await run('nothing')).code, 3);
  const late = await run('open', '--timeout', '50ms');
  assert.equal(late.code, 6);
  assert.match(late.stderr, /endpoint default\/open was not probed within 0\.05 s/);
});
