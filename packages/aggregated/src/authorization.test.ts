import assert from 'node:assert/strict';
import { setImmediate as turn } from 'node:timers/promises';
import { test } from 'node:test';
import { FakeClock } from '@arc/kernel';
import {
  type AggregatedServer,
  aggregator,
  authorities,
  certificate,
  namespaces,
  startAggregatedServer,
  things,
} from '../test/aggregated-server.ts';

const jane = certificate(authorities.client, 'jane', ['dev']);

function accessReviews({ core }: AggregatedServer): readonly unknown[] {
  return core.asked.filter(({ kind }) => kind === 'SubjectAccessReview').map(({ spec }) => spec);
}

/** Lets a fake clock run until something has come to its end. */
async function advancing<T>(clock: FakeClock, work: Promise<T>): Promise<T> {
  let done = false;
  void work.then(
    () => (done = true),
    () => (done = true),
  );
  while (!done) {
    await clock.advance(100);
    await turn();
  }
  return work;
}

test('6.3 every request is asked about with its whole question', async () => {
  await using server = await startAggregatedServer();
  const questions: readonly (readonly [string, string, object])[] = [
    ['GET', things, { verb: 'list', namespace: 'ns', resource: 'things' }],
    ['GET', `${things}/one`, { verb: 'get', namespace: 'ns', resource: 'things', name: 'one' }],
    ['DELETE', '/apis/demo.example.com/v1/things', { verb: 'deletecollection', resource: 'things' }],
    ['GET', `${things}?fieldSelector=metadata.name%3Done`, { verb: 'list', namespace: 'ns', resource: 'things', name: 'one' }],
  ];
  for (const [method, path, attributes] of questions) {
    await server.call('HTTP/2', { method, path, certificate: jane });
    assert.deepEqual(accessReviews(server).at(-1), {
      user: 'jane',
      groups: ['dev', 'system:authenticated'],
      resourceAttributes: { ...attributes, group: 'demo.example.com', version: 'v1' },
    });
  }
  await server.call('HTTP/2', { path: '/apis', certificate: jane });
  assert.deepEqual(accessReviews(server).at(-1), {
    user: 'jane',
    groups: ['dev', 'system:authenticated'],
    nonResourceAttributes: { path: '/apis', verb: 'get' },
  });
});

test('6.3 a denial is 403 with the reason of the core API', async () => {
  await using server = await startAggregatedServer();
  for (const [answer, text] of [
    [
      { allowed: false, reason: 'no rule' },
      /cannot list resource "things" in API group "demo\.example\.com" in the namespace "ns": no rule$/,
    ],
    [{ allowed: true, denied: true, reason: 'a rule says no' }, /: a rule says no$/],
    [{}, /in the namespace "ns"$/],
  ] as const) {
    server.core.answer = () => answer;
    const refused = await server.call('HTTP/1.1', { certificate: certificate(authorities.client, `user ${text.source}`) });
    assert.equal(refused.code, 403);
    assert.match(refused.status().message ?? '', text);
  }
});

test('6.3 the masters and the always allowed paths are not asked about', async () => {
  await using server = await startAggregatedServer({ alwaysAllowedPaths: ['/healthz', '/version/*'] });
  server.core.answer = () => ({ allowed: false });
  const headers = [
    ['X-Remote-User', 'root'],
    ['X-Remote-Group', 'system:masters'],
  ] as const;
  assert.equal((await server.call('HTTP/2', { certificate: aggregator, headers })).code, 200);
  assert.equal((await server.call('HTTP/1.1', { path: '/healthz' })).code, 200);
  assert.deepEqual(accessReviews(server), []);
  assert.equal((await server.call('HTTP/1.1', { path: '/readyz' })).code, 403, 'only what was named');
  assert.equal((await server.call('HTTP/1.1', { path: '/healthz/ping' })).code, 403);
});

test('6.3 answers are believed for as long as they are told to be, good and bad, and only for the same question', async () => {
  const clock = new FakeClock(Date.now());
  await using server = await startAggregatedServer({ clock, ttlMs: { allowed: 10_000, denied: 5_000 } });
  const ask = async (allowed: boolean, user = 'jane'): Promise<readonly [number, number]> => {
    server.core.answer = () => ({ allowed });
    const before = accessReviews(server).length;
    const { code } = await server.call('HTTP/2', { certificate: certificate(authorities.client, user) });
    return [code, accessReviews(server).length - before];
  };
  assert.deepEqual(await ask(true), [200, 1]);
  assert.deepEqual(await ask(false), [200, 0]);
  assert.deepEqual(await ask(false, 'joe'), [403, 1]);
  await clock.advance(5_000);
  assert.deepEqual(await ask(true, 'joe'), [200, 1], 'what was refused is asked about sooner');
  await clock.advance(5_000);
  assert.deepEqual(await ask(false), [403, 1]);
});

test('6.3 a question that somebody could make long is not kept', async () => {
  await using server = await startAggregatedServer();
  const path = `${things}/${'x'.repeat(10_000)}`;
  for (const count of [1, 2]) {
    await server.call('HTTP/2', { path, certificate: jane });
    assert.equal(accessReviews(server).length, count);
  }
});

test('6.3 requests that ask the same at the same time share one question', async () => {
  await using server = await startAggregatedServer();
  const codes = await Promise.all(Array.from({ length: 20 }, () => server.call('HTTP/2', { certificate: jane })));
  assert.ok(codes.every(({ code }) => code === 200));
  assert.equal(accessReviews(server).length, 1);
});

test('6.3 when the core API fails, the answer is 500 in plain text, after some attempts, and is not remembered', async () => {
  const clock = new FakeClock(Date.now());
  await using server = await startAggregatedServer({ clock });
  server.core.answer = () => 500;
  const failed = await advancing(clock, server.call('HTTP/1.1', { path: `${things}?labelSelector=a%3D%3Cb%3E`, certificate: jane }));
  assert.equal(failed.code, 500);
  assert.match(failed.type, /^text\/plain/);
  assert.match(
    failed.text,
    /^Internal Server Error: "\/apis\/demo\.example\.com\/v1\/namespaces\/ns\/things\?labelSelector=.*": the stub says 500\n$/,
  );
  assert.equal(accessReviews(server).length, 5);
  server.core.answer = () => ({ allowed: true });
  assert.equal((await server.call('HTTP/1.1', { certificate: jane })).code, 200);
});

test('6.3 a core API that refuses to be asked is not asked again and again', async () => {
  await using server = await startAggregatedServer();
  server.core.answer = () => 403;
  const failed = await server.call('HTTP/1.1', { certificate: jane });
  assert.deepEqual([failed.code, accessReviews(server).length], [500, 1]);
});

test('6.3 a core API that does not answer is waited for 10 seconds', async () => {
  const clock = new FakeClock(Date.now());
  await using server = await startAggregatedServer({ clock });
  server.core.answer = () => undefined;
  const start = clock.now();
  const waiting = server.call('HTTP/1.1', { certificate: jane });
  while (accessReviews(server).length === 0) await turn();
  const failed = await advancing(clock, waiting);
  assert.match(failed.text, /no answer within 10 s/);
  assert.ok(clock.now() - start >= 10_000);
});

test('6.1.3 tokens are reviewed once in a while, good and bad; one that cannot be reviewed is refused and asked about again', async () => {
  const clock = new FakeClock(Date.now());
  await using server = await startAggregatedServer({ clock, audiences: ['arc'] });
  const reviews = () => server.core.asked.filter(({ kind }) => kind === 'TokenReview');
  const call = (token: string) => server.call('HTTP/2', { headers: [['authorization', `Bearer ${token}`]] });
  server.core.answer = ({ kind, spec }) => {
    if (kind === 'SubjectAccessReview') return { allowed: true };
    return spec['token'] === 'broken' ? 503 : { authenticated: spec['token'] === 'good', user: { username: 'robot' } };
  };
  for (const [token, code] of [
    ['good', 200],
    ['good', 200],
    ['bad', 401],
    ['bad', 401],
  ] as const)
    assert.equal((await call(token)).code, code); // prettier
  assert.deepEqual(
    reviews().map(({ spec }) => spec),
    [
      { token: 'good', audiences: ['arc'] },
      { token: 'bad', audiences: ['arc'] },
    ],
  );
  await clock.advance(10_000);
  assert.equal((await call('good')).code, 200);
  assert.equal(reviews().length, 3);
  for (const asked of [8, 13]) {
    assert.equal((await advancing(clock, call('broken'))).code, 401);
    assert.equal(reviews().length, asked);
  }
  assert.match(server.logged.findLast((line) => line.startsWith('warn')) ?? '', /could not be reviewed.*the stub says 503/);
  assert.ok(!server.logged.some((line) => line.includes('broken')), 'tokens are not logged');
});

test('6.2 a request of the front proxy, or anybody else, acts as another only with the right to', async () => {
  await using server = await startAggregatedServer();
  const headers = [
    ['Impersonate-User', 'bob'],
    ['Impersonate-Group', 'ops'],
  ] as const;
  assert.equal((await server.call('HTTP/2', { certificate: jane, headers })).code, 200);
  assert.deepEqual(accessReviews(server), [
    {
      user: 'jane',
      groups: ['dev', 'system:authenticated'],
      resourceAttributes: { verb: 'impersonate', resource: 'users', name: 'bob' },
    },
    {
      user: 'jane',
      groups: ['dev', 'system:authenticated'],
      resourceAttributes: { verb: 'impersonate', resource: 'groups', name: 'ops' },
    },
    {
      user: 'bob',
      groups: ['ops', 'system:authenticated'],
      resourceAttributes: { namespace: 'ns', verb: 'list', group: 'demo.example.com', version: 'v1', resource: 'things' },
    },
  ]);
  const whole = [
    ['Impersonate-User', 'system:serviceaccount:team:robot'],
    ['Impersonate-Uid', 'u-1'],
    ['Impersonate-Extra-Scopes', 'read'],
  ] as const;
  const before = accessReviews(server).length;
  assert.equal((await server.call('HTTP/1.1', { certificate: jane, headers: whole })).code, 200);
  assert.deepEqual(
    accessReviews(server)
      .slice(before)
      .map((spec) => (spec as { resourceAttributes: object }).resourceAttributes),
    [
      { namespace: 'team', verb: 'impersonate', resource: 'serviceaccounts', name: 'robot' },
      { verb: 'impersonate', group: 'authentication.k8s.io', resource: 'uids', name: 'u-1' },
      { verb: 'impersonate', group: 'authentication.k8s.io', resource: 'userextras', subresource: 'scopes', name: 'read' },
      { namespace: 'ns', verb: 'list', group: 'demo.example.com', version: 'v1', resource: 'things' },
    ],
  );
  server.core.answer = () => ({ allowed: false });
  assert.equal((await server.call('HTTP/2', { certificate: certificate(authorities.client, 'joe'), headers })).code, 403);
});

test('3.5 objects are created in namespaces the cluster has, as far as it is known, and asked before one is called missing', async () => {
  await using server = await startAggregatedServer();
  const create = (namespace: string, name = 'one') =>
    server.call('HTTP/2', {
      method: 'POST',
      path: `/apis/demo.example.com/v1/namespaces/${namespace}/things`,
      certificate: jane,
      body: { metadata: { name } },
    });
  assert.equal((await create('ns')).code, 201);
  const missing = await create('nowhere');
  assert.equal(missing.code, 404);
  assert.equal(missing.status().message, 'namespaces "nowhere" not found');
  server.core.mute = true;
  server.core.put(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'fresh' } });
  assert.equal((await create('fresh')).code, 201, 'the watch had not told of it');
  server.core.mute = false;
  server.core.put(namespaces, {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: 'dying' },
    ...{ status: { phase: 'Terminating' } },
  });
  const refused = await create('dying');
  assert.equal(refused.code, 403);
  assert.match(refused.status().message ?? '', /because it is being terminated$/);
  const update = { method: 'PUT', path: `${things}/one`, certificate: jane, body: { metadata: { name: 'one' } } };
  server.core.remove(namespaces, 'ns');
  assert.equal((await server.call('HTTP/2', { ...update, method: 'DELETE', body: undefined })).code, 200, 'what is there can always go');
  let late = 0;
  // As long as the watch has not told of it, the namespace is believed to be there.
  while ((await create('ns', `late-${late}`)).code === 201) late++;
  assert.equal((await create('ns', 'two')).code, 404);
  server.core.put(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'ns' } });
  assert.equal((await create('ns', 'three')).code, 201, 'a namespace that came back is looked up');
});
