import assert from 'node:assert/strict';
import { setImmediate as turn } from 'node:timers/promises';
import { once } from 'node:events';
import { after, before, beforeEach, test } from 'node:test';
import { connect, type TLSSocket } from 'node:tls';
import { FakeClock } from '@arc/kernel';
import { createKubeClient } from '@arc/kube-client';
import { createFakeClient } from '@arc/kube-client/fake';
import type { CertificateAndKey } from '@arc/pki';
import { connectToCluster } from './connect-to-cluster.ts';
import {
  type AggregatedServer,
  aggregator,
  authorities,
  type Call,
  certificate,
  configuration,
  type HttpVersion,
  httpVersions,
  startAggregatedServer,
  things,
  tlsOf,
} from '../test/aggregated-server.ts';
import { startStubCore } from '../test/stub-core.ts';

let server: AggregatedServer;

before(async () => {
  server = await startAggregatedServer({ ttlMs: { token: 0, allowed: 0, denied: 0 } });
});
after(() => server[Symbol.asyncDispose]());
beforeEach(() => {
  server.core.answer = ({ kind }) => (kind === 'SubjectAccessReview' ? { allowed: true } : { authenticated: false });
});

const smuggled: Call['headers'] = [
  ['X-Remote-User', 'root'],
  ['X-Remote-Group', 'system:masters'],
];

/** Whom the server takes a call to be from, as it tells the core API; the HTTP code when it does not get that far. */
async function userOf(version: HttpVersion, call: Call): Promise<Readonly<Record<string, unknown>> | number> {
  const before = server.core.asked.length;
  const { code } = await server.call(version, call);
  const asked = server.core.asked.slice(before).findLast(({ kind }) => kind === 'SubjectAccessReview');
  if (asked === undefined) return code;
  const { resourceAttributes: _, ...user } = asked.spec;
  return user;
}

const anonymous = { user: 'system:anonymous', groups: ['system:unauthenticated'] };
const { client, proxy, stranger } = authorities;
const jane = { user: 'jane', groups: ['dev', 'system:authenticated'] };

for (const version of httpVersions) {
  test(`6.1.1 X-Remote-* is believed from the front proxy and nobody else, over ${version}`, async () => {
    const named = { user: 'root', groups: ['a, b', 'c', 'system:authenticated'], uid: 'u-1', extra: { 'a/b': ['x, y', 'z'] } };
    const headers = [
      ['X-Remote-User', 'root'],
      ['X-Remote-Group', 'a, b'],
      ['X-Remote-Group', 'c'],
      ['X-Remote-Uid', 'u-1'],
      ['X-Remote-Extra-A%2Fb', 'x, y'],
      ['X-Remote-Extra-A%2Fb', 'z'],
    ] as const;
    assert.deepEqual(await userOf(version, { certificate: aggregator, headers }), named);
    const variants: readonly (readonly [CertificateAndKey | undefined, unknown])[] = [
      [certificate(proxy, 'somebody else'), 401],
      [certificate(proxy, 'Aggregator'), 401],
      [certificate(stranger, 'aggregator'), 401],
      [certificate(client, 'aggregator'), { user: 'aggregator', groups: ['system:authenticated'] }],
      [certificate(client, 'jane', ['dev']), jane],
      [undefined, anonymous],
    ];
    for (const [presented, expected] of variants) {
      assert.deepEqual(await userOf(version, { certificate: presented, headers: smuggled }), expected);
    }
  });

  test(`6.1.1 names in UTF-8 arrive as they are, over ${version}`, async () => {
    // Node sends each character as a byte.
    const sent = (name: string): string => Buffer.from(name).toString('latin1');
    const headers = [
      ['X-Remote-User', sent('Jörg / 運')],
      ['X-Remote-Group', sent('für alle')],
    ] as const;
    assert.deepEqual(await userOf(version, { certificate: aggregator, headers }), {
      user: 'Jörg / 運',
      groups: ['für alle', 'system:authenticated'],
    });
  });

  test(`6.1.1 spellings of X-Remote-User smuggle nobody in, over ${version}`, async () => {
    for (const name of ['x-remote-user', 'X-REMOTE-USER', 'X-Remote-User', 'X_Remote_User', 'X-Remote-User-']) {
      const headers = [
        [name, 'root'],
        ['X-Remote-Group', 'system:masters'],
        ['x-remote-extra-scopes', 'all'],
      ] as const; // prettier
      assert.deepEqual(await userOf(version, { headers }), anonymous, name);
      assert.deepEqual(await userOf(version, { certificate: certificate(client, 'jane', ['dev']), headers }), jane, name);
    }
  });

  test(`6.1.1 an authority in the presented chain vouches for nothing it has not signed, over ${version}`, async () => {
    const own = certificate(client, 'aggregator');
    const padded = { ...own, certPem: `${own.certPem}\n${proxy.certPem}` };
    assert.deepEqual(await userOf(version, { certificate: padded, headers: smuggled }), {
      user: 'aggregator',
      groups: ['system:authenticated'],
    });
    const foreign = certificate(stranger, 'aggregator');
    const disguised = { ...foreign, certPem: `${foreign.certPem}\n${proxy.certPem}\n${client.certPem}` };
    assert.equal(await userOf(version, { certificate: disguised, headers: smuggled }), 401);
  });

  test(`6.1.1 a front proxy that names nobody is nobody, over ${version}`, async () => {
    assert.equal(await userOf(version, { certificate: aggregator, headers: [] }), 401);
    assert.equal(await userOf(version, { certificate: aggregator, headers: [['X-Remote-Group', 'system:masters']] }), 401);
  });

  test(`6.1.2 a client certificate of the cluster stands for its CN and O, over ${version}`, async () => {
    assert.deepEqual(await userOf(version, { certificate: certificate(client, 'jane', ['dev']) }), jane);
    assert.equal(await userOf(version, { certificate: certificate(stranger, 'jane') }), 401);
    assert.equal(await userOf(version, { certificate: certificate(proxy, 'jane') }), 401);
  });

  test(`6.1.3 bearer tokens are reviewed by the core API, over ${version}`, async () => {
    const user = { username: 'robot', uid: 'u-2', groups: ['robots'], extra: { scopes: ['read'] } };
    server.core.answer = ({ kind, spec }) => {
      if (kind === 'SubjectAccessReview') return { allowed: true };
      return spec['token'] === 'good' ? { authenticated: true, user } : { authenticated: false, error: 'unknown' };
    };
    const bearer = (token: string) => [['Authorization', `Bearer ${token}`]] as const;
    const robot = { user: 'robot', uid: 'u-2', groups: ['robots', 'system:authenticated'], extra: { scopes: ['read'] } };
    assert.deepEqual(await userOf(version, { headers: bearer('good') }), robot);
    assert.equal(await userOf(version, { headers: bearer('bad') }), 401);
    assert.equal(await userOf(version, { headers: [['Authorization', 'Basic Z29vZDo=']] }), 401);
    // As in Go servers: what one way of proving cannot use, another may.
    assert.deepEqual(await userOf(version, { certificate: certificate(stranger, 'x'), headers: bearer('good') }), robot);
    const asked = server.core.asked.length;
    assert.deepEqual(await userOf(version, { certificate: certificate(client, 'jane', ['dev']), headers: bearer('good') }), jane);
    assert.deepEqual(
      server.core.asked.slice(asked).map(({ kind }) => kind),
      ['SubjectAccessReview'],
      'the token of somebody known already is not even looked at',
    );
  });
}

test('6.1.1 a resumed TLS session proves no more than a new one', async () => {
  for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
    const call = { certificate: aggregator };
    const first = connect({ host: '127.0.0.1', port: server.port, maxVersion, ...tlsOf(call) });
    const sessions: Buffer[] = [];
    first.on('session', (session) => sessions.push(session));
    await once(first, 'secureConnect');
    assert.match(await whoIs(first), /^HTTP\/1\.1 200/);
    const known = first.getSession();
    if (known !== undefined) sessions.push(known);
    for (const session of sessions) {
      // Without a certificate of its own: whatever it is taken for comes from the session.
      const second = connect({ host: '127.0.0.1', port: server.port, maxVersion, session, ca: authorities.serving.certPem });
      await once(second, 'secureConnect');
      assert.equal(second.isSessionReused(), false, maxVersion);
      const asked = server.core.asked.length;
      await whoIs(second);
      assert.deepEqual(
        server.core.asked.slice(asked).map(({ spec }) => spec['user']),
        ['system:anonymous'],
      );
    }
  }
});

async function whoIs(socket: TLSSocket): Promise<string> {
  socket.write(`GET ${things} HTTP/1.1\r\nHost: x\r\nX-Remote-User: root\r\nConnection: close\r\n\r\n`);
  return Buffer.concat(await Array.fromAsync(socket as AsyncIterable<Buffer>)).toString();
}

test('6.1 authorities are rotated and names changed while the server runs and connections stay open', async () => {
  const next = authorities.stranger;
  const headers = [['X-Remote-User', 'root']] as const;
  const root = { user: 'root', groups: ['system:authenticated'] };
  const rotated = { ...configuration, 'requestheader-client-ca-file': `${proxy.certPem}\n${next.certPem}` };
  assert.equal(await userOf('HTTP/2', { certificate: certificate(next, 'aggregator'), headers }), 401);
  await server.configure(rotated);
  for (const authority of [proxy, next]) {
    assert.deepEqual(await userOf('HTTP/2', { certificate: certificate(authority, 'aggregator'), headers }), root);
  }
  await server.configure({
    ...rotated,
    'requestheader-allowed-names': '[]',
    'requestheader-username-headers': '["X-Who", "X-Remote-User"]',
  });
  const anybody = certificate(proxy, 'any name');
  assert.deepEqual(await userOf('HTTP/1.1', { certificate: anybody, headers: [...headers, ['X-Who', 'other']] }), {
    user: 'other',
    groups: ['system:authenticated'],
  });
  await server.configure({ 'client-ca-file': client.certPem });
  assert.equal(await userOf('HTTP/1.1', { certificate: stranger, headers: [...headers] }), 401, 'no front proxy is configured any more');
  await server.configure(configuration);
});

test('6.1 on an open connection, too, a change of the authorities counts from the next request on', async () => {
  const socket = connect({ host: '127.0.0.1', port: server.port, ...tlsOf({ certificate: aggregator }) });
  await once(socket, 'secureConnect');
  const ask = async (): Promise<string> => {
    socket.write(`GET /readyz HTTP/1.1\r\nHost: x\r\nX-Remote-User: root\r\n\r\n`);
    const [chunk] = (await once(socket, 'data')) as [Buffer];
    return chunk.toString().slice(0, 12);
  };
  assert.equal(await ask(), 'HTTP/1.1 200');
  await server.configure({ ...configuration, 'requestheader-client-ca-file': stranger.certPem });
  assert.equal(await ask(), 'HTTP/1.1 401');
  await server.configure(configuration);
  assert.equal(await ask(), 'HTTP/1.1 200');
  socket.destroy();
});

test('6.1 a configuration that cannot be read, and its disappearance, leave the last good one in force', async () => {
  const call = { certificate: aggregator, headers: [['X-Remote-User', 'root']] } as const;
  const root = { user: 'root', groups: ['system:authenticated'] };
  for (const [broken, reason] of [
    [{ ...configuration, 'requestheader-client-ca-file': 'nonsense' }, /requestheader-client-ca-file is no bundle of certificates/],
    [{ ...configuration, 'client-ca-file': client.certPem.replace('MII', 'XXX') }, /client-ca-file is no bundle of certificates/],
    [{ ...configuration, 'requestheader-allowed-names': '[' }, /requestheader-allowed-names is not JSON/],
    [{ ...configuration, 'requestheader-allowed-names': '"all"' }, /requestheader-allowed-names is not a JSON array of texts/],
  ] as const) {
    await server.configure(broken);
    assert.match(server.logged.findLast((line) => line.startsWith('error')) ?? '', reason);
    assert.deepEqual(await userOf('HTTP/1.1', call), root);
    assert.equal(await userOf('HTTP/1.1', { ...call, certificate: certificate(proxy, 'other') }), 401);
  }
  server.core.remove('/api/v1/namespaces/kube-system/configmaps', 'extension-apiserver-authentication');
  assert.deepEqual(await userOf('HTTP/1.1', call), root);
  await server.configure(configuration);
});

test('6.1 a server that cannot read whom to believe does not start, unless it is told to', async () => {
  await using core = await startStubCore();
  await using kubeClient = createKubeClient({ server: core.url }, { userAgent: 'test' });
  await assert.rejects(connectToCluster(kubeClient), {
    code: 'ExtensionAuthenticationUnavailable',
    message: /extension-apiserver-authentication cannot be read: the stub says 404/,
    hint: /extension-apiserver-authentication-reader/,
  });
  await using access = await connectToCluster(kubeClient, { tolerateLookupFailure: true });
  const [trust] = access.readyChecks;
  assert.equal(trust?.name, 'extension-authentication');
  assert.throws(() => trust?.check(new AbortController().signal), /bind this server to the Role extension-apiserver-authentication-reader/);
  core.put('/api/v1/namespaces/kube-system/configmaps', {
    ...{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'extension-apiserver-authentication', namespace: 'kube-system' } },
    ...{ data: configuration },
  });
  for (let mended = false; !mended; await turn()) {
    try {
      await trust?.check(new AbortController().signal);
      mended = true;
    } catch {}
  }
});

test('6.1 a server that starts anyway does not wait for a cluster that does not answer at all', async () => {
  const clock = new FakeClock();
  const silent = {
    ...createFakeClient({ clock }),
    get: (_type: unknown, _ref: unknown, { signal }: { readonly signal?: AbortSignal } = {}) =>
      new Promise<never>((_resolve, reject) => signal?.addEventListener('abort', () => reject(signal.reason))),
  };
  const connecting = connectToCluster(silent, { tolerateLookupFailure: true, clock });
  await clock.advance(5_000);
  await using access = await connecting;
  assert.equal(access.readyChecks.length, 2);
});

test('6.1.5 anonymous requests can be refused', async () => {
  await using strict = await startAggregatedServer({ anonymous: false });
  assert.equal((await strict.call('HTTP/2')).code, 401);
  assert.equal((await strict.call('HTTP/2', { certificate: certificate(client, 'jane') })).code, 200);
});
