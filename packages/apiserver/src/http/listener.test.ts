import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type ClientHttp2Session, type ClientHttp2Stream, connect, constants } from 'node:http2';
import { after, before, test } from 'node:test';
import { FakeClock } from '@arc/kernel';
import * as pki from '@arc/pki';
import { widget } from '../testing/kinds.ts';
import { startTestServer, type TestServer } from '../testing/test-server.ts';

const widgets = '/apis/demo.example.com/v1/namespaces/ns/widgets';
const notes = '/api/v1/namespaces/ns/notes';
let server: TestServer;

before(async () => {
  server = await startTestServer(pki);
  const data = { big: 'x'.repeat(100_000) };
  for (let at = 0; at < 30; at++) await server.admin.post(notes, { metadata: { name: `n${at}` }, data });
});
after(() => server[Symbol.asyncDispose]());

async function session({ port, ca, adminCertificate }: TestServer): Promise<ClientHttp2Session & AsyncDisposable> {
  const opened = connect(`https://127.0.0.1:${port}`, { ca, cert: adminCertificate.certPem, key: adminCertificate.keyPem });
  await once(opened, 'remoteSettings');
  return Object.assign(opened, { [Symbol.asyncDispose]: async () => opened.destroy() });
}

async function get(session: ClientHttp2Session, path: string): Promise<{ code: number; text: string }> {
  const stream = session.request({ ':path': path });
  const [headers] = (await once(stream, 'response')) as [Record<string, number>];
  return { code: headers[':status'] ?? 0, text: Buffer.concat(await Array.fromAsync(stream as AsyncIterable<Buffer>)).toString() };
}

test('A9 both HTTP versions on one port; idle HTTP/1.1 connections outlive the 90 s of Go clients', async () => {
  const answer = await server.admin.get('/healthz');
  assert.equal(answer.headers['keep-alive'], 'timeout=100');
  await using h2 = await session(server);
  assert.equal(h2.alpnProtocol, 'h2');
  assert.ok((h2.remoteSettings.maxConcurrentStreams ?? 0) >= 100);
  assert.equal((await get(h2, '/healthz')).text, 'ok');
});

test('6.1 over HTTP/2 a client that has not proved who it is gets its answer, and must then connect anew', async () => {
  const { port, ca } = server;
  for (const headers of [{ authorization: 'Bearer nonsense' }, {}]) {
    const nobody = connect(`https://127.0.0.1:${port}`, { ca });
    await once(nobody, 'remoteSettings');
    const goaway = once(nobody, 'goaway');
    const closed = once(nobody, 'close');
    const stream = nobody.request({ ...headers, ':path': '/readyz' });
    const [{ ':status': code }] = (await once(stream, 'response')) as [Record<string, number>];
    assert.equal(code, 'authorization' in headers ? 401 : 200);
    assert.ok((await Array.fromAsync(stream as AsyncIterable<Buffer>)).length > 0, 'the answer is whole');
    assert.equal((await goaway)[0], constants.NGHTTP2_NO_ERROR);
    await closed;
  }
  await using known = await session(server);
  assert.equal((await get(known, '/livez')).code, 200);
  assert.equal((await get(known, '/apis/none')).code, 404);
  assert.equal(known.closed, false, 'who is known stays');
});

test('6.1.1 a user of hundreds of groups comes with as many headers; beyond 1 MiB of them is 431', async () => {
  const groups = Array.from({ length: 600 }, (_, at) => `cn=a-group-with-a-rather-long-name-${at},ou=groups,dc=example,dc=com`);
  assert.equal((await server.admin.get(`${notes}/n0`, { 'x-remote-group': groups })).code, 200);
  assert.equal((await server.admin.get(`${notes}/n0`, { 'x-remote-group': 'x'.repeat(1024 * 1024) })).code, 431);
  await using h2 = await session(server);
  const stream = h2.request({ ':path': `${notes}/n0`, 'x-remote-group': groups });
  const [headers] = (await once(stream, 'response')) as [Record<string, number>];
  assert.equal(headers[':status'], 200);
  stream.close();
});

test('trap: 200 stalled LISTs do not end the session they share', async () => {
  await using h2 = await session(server);
  // Only the streams' own windows stall; the connection's stays open for others.
  h2.setLocalWindowSize(2 ** 30);
  const stalled: ClientHttp2Stream[] = [];
  for (let at = 0; at < 200; at++) {
    const stream = h2.request({ ':path': notes });
    stream.pause();
    stalled.push(stream);
  }
  await Promise.all(stalled.map((stream) => once(stream, 'response')));
  assert.equal((await get(h2, '/healthz')).text, 'ok');
  const [first] = stalled;
  assert.ok(first);
  const list = JSON.parse(Buffer.concat(await Array.fromAsync(first as AsyncIterable<Buffer>)).toString()) as { items: unknown[] };
  assert.equal(list.items.length, 30);
  for (const stream of stalled) stream.close(constants.NGHTTP2_CANCEL);
  assert.equal((await get(h2, '/healthz')).text, 'ok');
});

test('trap: 2,000 cancelled watches do not end the session they share', async () => {
  await using h2 = await session(server);
  for (let round = 0; round < 10; round++) {
    const streams = Array.from({ length: 200 }, () => h2.request({ ':path': `${widgets}?watch=1&resourceVersion=0` }));
    await Promise.all(streams.map((stream) => once(stream, 'response')));
    const closed = streams.map((stream) => once(stream, 'close'));
    for (const stream of streams) stream.close(constants.NGHTTP2_CANCEL);
    await Promise.all(closed);
  }
  assert.equal((await get(h2, '/healthz')).text, 'ok');
  assert.equal(h2.destroyed, false);
});

test('trap: a body that is refused half-way leaves the session usable', async () => {
  await using h2 = await session(server);
  const stream = h2.request({ ':path': notes, ':method': 'POST', 'content-type': 'application/json' });
  stream.on('error', () => {});
  stream.end(Buffer.alloc(8 * 1024 * 1024, 0x20));
  const [headers] = (await once(stream, 'response')) as [Record<string, number>];
  assert.equal(headers[':status'], 413);
  stream.resume();
  assert.equal((await get(h2, '/healthz')).text, 'ok');
});

test('4.7 a client that stops reading its watch is cut off', async () => {
  const clock = new FakeClock(Date.now());
  await using own = await startTestServer(pki, { clock });
  await using h2 = await session(own);
  const stream = h2.request({ ':path': `${notes}?watch=1` });
  stream.on('error', () => {});
  await once(stream, 'response');
  for (let at = 0; at < 4; at++) await own.admin.post(notes, { metadata: { name: `n${at}` }, data: { big: 'x'.repeat(200_000) } });
  await clock.advance(30_000);
  const closed = new Promise((resolve) => stream.once('close', resolve));
  stream.resume();
  await closed;
  assert.notEqual(stream.rstCode, constants.NGHTTP2_NO_ERROR);
  assert.equal((await get(h2, '/healthz')).text, 'ok');
});

test('closing: readiness fails first, watches end cleanly, what is in flight finishes', async () => {
  const clock = new FakeClock(Date.now());
  const gate = Promise.withResolvers<void>();
  const entered = Promise.withResolvers<void>();
  const own = await startTestServer(pki, {
    clock,
    authorizer: {
      authorize: async () => {
        entered.resolve();
        await gate.promise;
        return { decision: 'allow', reason: '' };
      },
    },
  });
  await own.admin.post(widgets, widget('w1'));
  await using watch = await own.admin.watch(`${widgets}?watch=1`);
  assert.equal((await watch.next())?.type, 'ADDED');
  const slow = own.as('jane').get(`${widgets}/w1`);
  await entered.promise;

  const closing = own.api.close({ graceMs: 60_000, lameDuckMs: 5_000 });
  assert.equal((await own.admin.get('/readyz')).code, 500);
  assert.equal((await own.admin.get('/livez')).code, 200);
  await clock.advance(5_000);
  assert.equal(await watch.next(), undefined);
  await assert.rejects(own.withCertificate(undefined).get('/healthz'), { code: 'ECONNREFUSED' });
  gate.resolve();
  assert.equal((await slow).code, 200);
  await closing;
  await own[Symbol.asyncDispose]();
});

test('closing does not wait for a connector that notices nothing', async () => {
  const never = Promise.withResolvers<never>();
  const own = await startTestServer(pki, {
    connectors: [
      {
        group: 'demo.example.com',
        plural: 'widgets',
        subresource: 'log',
        verbs: ['get'],
        handle: async () => ({
          contentType: 'text/plain',
          body: (async function* () {
            yield Buffer.from('first\n');
            yield await never.promise;
          })(),
        }),
      },
    ],
  });
  await own.admin.post(widgets, widget('w1'));
  await using h2 = await session(own);
  const stream = h2.request({ ':path': `${widgets}/w1/log` });
  stream.on('error', () => {});
  h2.on('error', () => {});
  await once(stream, 'data');
  const closed = new Promise((resolve) => stream.once('close', resolve));
  await own[Symbol.asyncDispose]();
  await closed;
});

test('4.5 warnings reach HTTP/2 clients too, one header each', async () => {
  await using h2 = await session(server);
  const stream = h2.request({ ':path': `${widgets}?dryRun=All`, ':method': 'POST', 'content-type': 'application/json' });
  stream.end(JSON.stringify({ ...widget('w'), spec: { size: 1, a: 1, ü: 2 } }));
  const [headers] = (await once(stream, 'response')) as [Record<string, string>];
  stream.resume();
  const warning = Buffer.from(String(headers['warning']), 'latin1').toString();
  assert.equal(warning, String.raw`299 - "unknown field \"spec.a\"", 299 - "unknown field \"spec.ü\""`);
});

test('a port in use is named', async () => {
  await assert.rejects(startTestServer(pki, { port: server.port }), {
    code: 'AddressInUse',
    message: `127.0.0.1:${server.port} is in use by another process`,
  });
});
