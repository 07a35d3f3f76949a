import type { ResourceType } from '@arc/apimachinery';
import { createAuthority, issueClientCertificate, issueServerCertificate } from '@arc/pki';
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createSecureServer } from 'node:http2';
import type { ServerHttp2Session, ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import type { TLSSocket } from 'node:tls';
import type { ClientConfig } from './client-config.ts';
import type { KubeClient } from './client.ts';
import { createKubeClient, type KubeClientOptions } from './create-kube-client.ts';

const nodes: ResourceType = { group: '', version: 'v1', plural: 'nodes', kind: 'Node', namespaced: false };
const authority = createAuthority({ commonName: 'test' });
const certificate = issueServerCertificate(authority, { names: ['localhost'], addresses: ['127.0.0.1'] });

interface Scenario extends AsyncDisposable {
  readonly client: KubeClient;
  readonly sessions: ServerHttp2Session[];
  readonly sockets: TLSSocket[];
  /** Requests, in the order they came: the stream, and its path. */
  readonly seen: { readonly stream: ServerHttp2Stream; readonly path: string }[];
}

async function serve(
  answer: (stream: ServerHttp2Stream, path: string) => void,
  { currentCaPem, ...options }: Partial<KubeClientOptions> & Pick<ClientConfig, 'currentCaPem'> = {},
): Promise<Scenario> {
  const sessions: ServerHttp2Session[] = [];
  const sockets: TLSSocket[] = [];
  const seen: { stream: ServerHttp2Stream; path: string }[] = [];
  const tls = { cert: certificate.certPem, key: certificate.keyPem, requestCert: true, rejectUnauthorized: false };
  const server = createSecureServer({ ...tls, allowHTTP1: true }, (request, response) => {
    if (request.httpVersion !== '2.0') response.end('{"metadata":{"name":"over HTTP/1.1"}}');
  });
  server.on('secureConnection', (socket) => sockets.push(socket));
  server.on('session', (session) => {
    sessions.push(session);
    session.on('error', () => {});
  });
  server.on('stream', (stream, { ':path': path = '' }) => {
    stream.on('error', () => {});
    seen.push({ stream, path });
    answer(stream, path);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const config = { server: `https://localhost:${port}`, caPem: authority.certPem, ...(currentCaPem !== undefined && { currentCaPem }) };
  const client = createKubeClient(config, { userAgent: 'test/1', multiplex: true, ...options });
  return {
    client,
    sessions,
    sockets,
    seen,
    async [Symbol.asyncDispose]() {
      await client[Symbol.asyncDispose]();
      for (const session of sessions) session.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

const event = '{"type":"ADDED","object":{"metadata":{"name":"n1"}}}\n';

function respond(stream: ServerHttp2Stream, path: string): void {
  stream.respond({ ':status': 200, 'content-type': 'application/json' });
  if (path.includes('watch=true')) stream.write(event);
  else stream.end('{"metadata":{"resourceVersion":"7"},"items":[]}');
}

/** The first event of a watch, and the rest of it. */
async function startWatch(client: KubeClient): Promise<AsyncIterator<unknown>> {
  const events = client.watch(nodes, { resourceVersion: '1' })[Symbol.asyncIterator]();
  assert.equal((await events.next()).done, false);
  return events;
}

test('lists and watches share one connection, single requests do not use it', async () => {
  await using scenario = await serve(respond);
  const { client, sessions } = scenario;
  await Promise.all(Array.from({ length: 20 }, () => client.list(nodes)));
  const watches = await Promise.all(Array.from({ length: 20 }, () => startWatch(client)));
  assert.equal(sessions.length, 1);
  assert.equal((await client.get(nodes, { name: 'n1' })).metadata.name, 'over HTTP/1.1');
  for (const watch of watches) await watch.return?.();
});

test('a watch that ends leaves the connection to the others', async () => {
  await using scenario = await serve(respond);
  const { client, sessions, seen } = scenario;
  const first = await startWatch(client);
  const second = await startWatch(client);
  const closed = once(seen[0]?.stream ?? assert.fail(), 'close');
  await first.return?.();
  await closed;
  seen[1]?.stream.write(event);
  assert.equal((await second.next()).done, false);
  assert.equal(sessions.length, 1);
});

test('a connection that breaks is an error of each watch, and the next request makes a new one', async () => {
  await using scenario = await serve(respond);
  const { client, sessions, sockets } = scenario;
  const watches = [await startWatch(client), await startWatch(client)];
  sockets[0]?.destroy();
  for (const watch of watches) await assert.rejects(watch.next(), { code: 'ConnectionFailed', retryable: true });
  assert.equal((await client.list(nodes)).metadata.resourceVersion, '7');
  assert.equal(sessions.length, 2);
});

test('half an answer is not taken for one', async () => {
  let count = 0;
  await using scenario = await serve((stream, path) => {
    if (count++ > 0) return respond(stream, path);
    stream.respond({ ':status': 200, 'content-type': 'application/json' });
    stream.write('{"metadata":{"resourceVersion":"7"},"items":[]}', () => scenario.sockets[0]?.destroy());
  });
  assert.equal((await scenario.client.list(nodes)).metadata.resourceVersion, '7');
  assert.equal(scenario.seen.length, 2, 'it was asked for again');
});

test('a server that wants no more requests on a connection gets the next one on another', async () => {
  await using scenario = await serve(respond);
  const { client, sessions } = scenario;
  const watch = await startWatch(client);
  sessions[0]?.close();
  await client.list(nodes);
  assert.equal(sessions.length, 2);
  await watch.return?.();
});

test('a list whose stream the server cancels is tried again, and an aborted one ends with the reason', async () => {
  let cancelled = 0;
  await using scenario = await serve((stream, path) => {
    if (cancelled++ < 2) stream.close(cancelled);
    else if (cancelled < 4) respond(stream, path);
  });
  assert.equal((await scenario.client.list(nodes)).metadata.resourceVersion, '7');
  assert.equal(scenario.seen.length, 3);
  const abort = new AbortController();
  const waiting = scenario.client.list(nodes, { signal: abort.signal });
  waiting.catch(() => {});
  while (scenario.seen.length < 4) await new Promise(setImmediate);
  abort.abort(new Error('enough'));
  await assert.rejects(waiting, /enough/);
});

test('A4 requests present the certificate there is when they are sent, and what is under way ends where it began', async () => {
  const first = issueClientCertificate(authority, { user: 'before', groups: [] });
  let presented = first;
  await using scenario = await serve(respond, { clientCertificate: () => presented });
  const { client, sessions, sockets, seen } = scenario;
  const watch = await startWatch(client);
  await client.get(nodes, { name: 'n1' });
  presented = issueClientCertificate(authority, { user: 'after', groups: [] });
  await client.list(nodes);
  await client.get(nodes, { name: 'n1' });
  assert.deepEqual(
    sockets.map((socket) => socket.getPeerCertificate().subject.CN),
    ['before', 'before', 'after', 'after'],
  );
  assert.equal(sessions.length, 2);
  seen[0]?.stream.write(event);
  assert.equal((await watch.next()).done, false);
  await watch.return?.();
});

test('a server proves itself to the authorities of the moment, on connections of their own', async () => {
  const former = createAuthority({ commonName: 'former' });
  let trusted = former;
  await using scenario = await serve(respond, { currentCaPem: () => Promise.resolve(trusted.certPem) });
  const { client, sessions } = scenario;
  const isRefused = async (): Promise<void> => {
    await assert.rejects(client.list(nodes), { code: 'CertificateRejected' });
    await assert.rejects(client.get(nodes, { name: 'n1' }), { code: 'CertificateRejected' });
  };
  await isRefused();
  trusted = authority;
  for (let time = 0; time < 2; time++) {
    await client.list(nodes);
    await client.get(nodes, { name: 'n1' });
  }
  assert.equal(sessions.length, 1);
  trusted = former;
  await isRefused();
});
