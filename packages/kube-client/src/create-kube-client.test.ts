import type { ResourceType } from '@arc/apimachinery';
import { ApiStatusError, statusError } from '@arc/apimachinery';
import type { Clock } from '@arc/kernel';
import { FakeClock, systemClock } from '@arc/kernel';
import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { test } from 'node:test';
import type { KubeClient } from './client.ts';
import { ConnectionError } from './connection-error.ts';
import { createKubeClient } from './create-kube-client.ts';

const widgets: ResourceType = { group: 'demo.example.com', version: 'v1', plural: 'widgets', kind: 'Widget', namespaced: true };
const nodes: ResourceType = { group: '', version: 'v1', plural: 'nodes', kind: 'Node', namespaced: false };
const w1 = { namespace: 'ns', name: 'w1' };

interface Seen {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
  /** Of the client's end of the connection. */
  readonly port: number | undefined;
}

interface Scenario extends AsyncDisposable {
  readonly client: KubeClient;
  readonly seen: Seen[];
  readonly warnings: string[];
}

type Answer = (request: Seen, response: ServerResponse, count: number) => void;

async function serve(answer: Answer, clock: Clock = systemClock): Promise<Scenario> {
  const seen: Seen[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
    request.on('end', () => {
      const one = { method: request.method ?? '', url: request.url ?? '', headers: request.headers, body, port: request.socket.remotePort };
      seen.push(one);
      answer(one, response, seen.length);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const warnings: string[] = [];
  const client = createKubeClient(
    { server: `http://127.0.0.1:${port}`, token: 't0ken' },
    { userAgent: 'test/1', clock, onWarning: (text) => warnings.push(text) },
  );
  return {
    client,
    seen,
    warnings,
    async [Symbol.asyncDispose]() {
      await client[Symbol.asyncDispose]();
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

function reply(response: ServerResponse, code: number, body: unknown, headers: Record<string, string> = {}): void {
  response.writeHead(code, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
}

const stored = { apiVersion: 'demo.example.com/v1', kind: 'Widget', metadata: { ...w1, resourceVersion: '5' } };

test('each call is the request that Kubernetes defines for it', async () => {
  await using scenario = await serve((_request, response) => reply(response, 200, stored));
  const { client, seen } = scenario;
  await client.get(widgets, w1);
  await client.get(nodes, { name: 'a/b' });
  await client.create(widgets, stored, { dryRun: true, fieldManager: 'me', fieldValidation: 'Strict' });
  await client.update(widgets, stored);
  await client.updateStatus(widgets, stored);
  await client.patch(widgets, w1, { spec: null }, { subresource: 'status' });
  await client.patch(widgets, w1, [], { patchType: 'json' });
  await client.delete(widgets, w1, { propagationPolicy: 'Foreground', preconditions: { uid: 'u' } });
  await client.deleteCollection(widgets, { namespace: 'ns', labelSelector: 'a=b,c' });
  const base = '/apis/demo.example.com/v1/namespaces/ns/widgets';
  assert.deepEqual(
    seen.map(({ method, url }) => `${method} ${url}`),
    [
      `GET ${base}/w1`,
      'GET /api/v1/nodes/a%2Fb',
      `POST ${base}?dryRun=All&fieldManager=me&fieldValidation=Strict`,
      `PUT ${base}/w1`,
      `PUT ${base}/w1/status`,
      `PATCH ${base}/w1/status`,
      `PATCH ${base}/w1`,
      `DELETE ${base}/w1`,
      `DELETE ${base}?labelSelector=a%3Db%2Cc`,
    ],
  );
  assert.deepEqual(
    seen.map(({ headers }) => headers['content-type']?.replace('application/', '')),
    [undefined, undefined, 'json', 'json', 'json', 'merge-patch+json', 'json-patch+json', 'json', 'json'],
  );
  assert.deepEqual(JSON.parse(seen[7]?.body ?? ''), {
    kind: 'DeleteOptions',
    apiVersion: 'v1',
    propagationPolicy: 'Foreground',
    preconditions: { uid: 'u' },
  });
  assert.deepEqual([seen[0]?.headers['user-agent'], seen[0]?.headers.authorization], ['test/1', 'Bearer t0ken']);
  await assert.rejects(client.get(widgets, { name: 'w1' }), { code: 'NamespaceMissing' });
});

test('lists ask for metadata only, pages and selections, and name the kind of what they return', async () => {
  await using scenario = await serve((_request, response) =>
    reply(response, 200, {
      metadata: { resourceVersion: '9' },
      items: [{ kind: 'PartialObjectMetadata', metadata: { name: 'w1' }, spec: 1 }],
    }),
  );
  const { client, seen } = scenario;
  const list = await client.list(widgets, { metadataOnly: true, limit: 2, continue: 'c=', fieldSelector: 'metadata.name=w1' });
  assert.deepEqual(list.items, [{ apiVersion: 'demo.example.com/v1', kind: 'Widget', metadata: { name: 'w1' } }]);
  assert.equal(seen[0]?.url, '/apis/demo.example.com/v1/widgets?fieldSelector=metadata.name%3Dw1&limit=2&continue=c%3D');
  assert.match(seen[0]?.headers.accept ?? '', /^application\/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application\/json$/);
});

test('a Status becomes an ApiStatusError, and so does any other failure', async () => {
  const status = statusError.notFound(widgets, 'w1').status;
  await using scenario = await serve((_request, response, count) => {
    if (count === 1) reply(response, 404, status);
    else if (count === 2) response.writeHead(502, { 'content-type': 'text/html' }).end('<html>secret internals</html>');
    else if (count === 3) response.writeHead(403, { 'content-type': 'text/plain' }).end('no way');
    else response.writeHead(200).end('<html>');
  });
  const { client } = scenario;
  await assert.rejects(
    client.get(widgets, w1),
    (error) => error instanceof ApiStatusError && error.reason === 'NotFound' && error.httpCode === 404,
  );
  await assert.rejects(client.get(widgets, w1), { code: 'InternalError', message: /answered 502 Bad Gateway$/, retryable: true });
  await assert.rejects(client.get(widgets, w1), { code: 'Forbidden', message: /answered 403 Forbidden: no way$/ });
  await assert.rejects(client.get(widgets, w1), { code: 'UnexpectedResponse' });
});

test('waits as long as Retry-After says, and gives up after five retries', async () => {
  const clock = new FakeClock();
  await using scenario = await serve((_request, response, count) => {
    if (count === 3) reply(response, 200, stored);
    else reply(response, count === 1 ? 429 : 503, {}, { 'retry-after': '7' });
  }, clock);
  const { client, seen } = scenario;
  const got = client.get(widgets, w1);
  for (const expected of [1, 2]) {
    await until(() => seen.length === expected && clock.pendingTimers > 0);
    await clock.advance(6999);
    assert.equal(seen.length, expected);
    await clock.advance(1);
  }
  assert.equal((await got).metadata.resourceVersion, '5');

  const before = seen.length;
  const failing = client.create(widgets, stored);
  failing.catch(() => undefined);
  for (let tries = 1; tries <= 6; tries += 1) {
    await until(() => seen.length === before + tries);
    await until(() => clock.pendingTimers > 0 || tries === 6);
    await clock.advance(7000);
  }
  await assert.rejects(failing, { code: 'ServiceUnavailable' });
  assert.equal(seen.length, before + 6);
});

test('5xx without Retry-After is not retried', async () => {
  await using scenario = await serve((_request, response) => reply(response, 503, {}));
  await assert.rejects(scenario.client.get(widgets, w1), { code: 'ServiceUnavailable' });
  assert.equal(scenario.seen.length, 1);
});

test('a broken connection is tried again when that does no harm, even in mid-body', async () => {
  await using scenario = await serve((request, response, count) => {
    if (request.method === 'POST' || count === 1) response.destroy();
    else if (count === 2) response.writeHead(200, { 'content-length': '1000' }).write('{"kind"', () => response.destroy());
    else reply(response, 200, stored);
  });
  const { client, seen } = scenario;
  assert.equal((await client.get(widgets, w1)).metadata.name, 'w1');
  assert.equal(seen.length, 3);
  await assert.rejects(client.create(widgets, stored), (error) => error instanceof ConnectionError && error.retryable && error.reset);
  assert.equal(seen.length, 4);
});

test('a server that is not there is a ConnectionError with address and hint', async () => {
  const scenario = await serve(() => {});
  const { port } = new URL(await addressOf(scenario));
  await scenario[Symbol.asyncDispose]();
  await using client = createKubeClient({ server: `http://127.0.0.1:${port}` }, { userAgent: 'test/1' });
  await assert.rejects(client.get(widgets, w1), {
    name: 'ConnectionError',
    message: `cannot talk to the API server 127.0.0.1:${port}: connection refused`,
    hint: /running/,
    retryable: true,
  });
});

test('requests share a connection, a watch has its own', async () => {
  const ports: unknown[] = [];
  await using scenario = await serve((request, response) => {
    ports.push(request.port);
    response.writeHead(200).write('{}');
    if (!request.url.includes('watch')) response.end();
  });
  const { client } = scenario;
  const abort = new AbortController();
  await client.get(widgets, w1);
  const watching = client.watch(widgets, { resourceVersion: '1', signal: abort.signal })[Symbol.asyncIterator]().next();
  await until(() => ports.length === 2);
  for await (const _chunk of (await client.raw({ path: '/version' })).body);
  await client.get(widgets, w1);
  assert.deepEqual([ports[2], ports[3]], [ports[0], ports[0]]);
  assert.notEqual(ports[1], ports[0]);
  abort.abort();
  await watching;
});

test('warnings are handed on', async () => {
  await using scenario = await serve((_request, response) => reply(response, 200, stored, { warning: '299 - "a \\"b\\"", 299 - "c"' }));
  await scenario.client.get(widgets, w1);
  assert.deepEqual(scenario.warnings, ['a "b"', 'c']);
});

test('an abort ends a request with its reason, before and during the answer', async () => {
  await using scenario = await serve((_request, response, count) => {
    if (count === 2) response.writeHead(200).write('{');
  });
  for (const expected of [1, 2]) {
    const abort = new AbortController();
    const got = scenario.client.get(widgets, w1, { signal: abort.signal });
    await until(() => scenario.seen.length === expected);
    await turn();
    abort.abort(new Error('enough'));
    await assert.rejects(got, /enough/);
  }
});

test('a watch yields events, throws ERROR events and ends quietly on abort', async () => {
  const line = (type: string, object: unknown): string => `${JSON.stringify({ type, object })}\n`;
  await using scenario = await serve((_request, response, count) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.write(line('ADDED', stored));
    if (count === 1) response.end(line('BOOKMARK', { kind: 'Widget', metadata: { resourceVersion: '8' } }));
    else if (count === 2) response.end(line('ERROR', statusError.expired('too old').status));
    else if (count === 3) response.write('{"type":', () => response.destroy());
  });
  const { client, seen } = scenario;
  const events: string[] = [];
  const follow = async (signal?: AbortSignal): Promise<void> => {
    const options = {
      namespace: 'ns',
      resourceVersion: '4',
      allowBookmarks: true,
      timeoutSeconds: 300,
      ...(signal !== undefined && { signal }),
    };
    for await (const { type, object } of client.watch(widgets, options)) events.push(`${type} ${object.metadata.resourceVersion}`);
  };
  await follow();
  assert.deepEqual(events.splice(0), ['ADDED 5', 'BOOKMARK 8']);
  assert.equal(
    seen[0]?.url,
    '/apis/demo.example.com/v1/namespaces/ns/widgets?watch=true&resourceVersion=4&allowWatchBookmarks=true&timeoutSeconds=300',
  );
  await assert.rejects(follow(), { code: 'Expired' });
  await assert.rejects(follow(), { code: 'ConnectionFailed' });
  events.length = 0;
  const abort = new AbortController();
  const following = follow(abort.signal);
  await until(() => events.length === 1);
  abort.abort();
  await following;
});

test('raw hands out the body as it comes and throws failures', async () => {
  await using scenario = await serve((_request, response, count) => {
    if (count === 1) response.writeHead(200, { 'x-kind': 'log' }).end('line 1\n');
    else reply(response, 404, statusError.noSuchRoute().status);
  });
  const answer = await scenario.client.raw({ path: '/logs?follow=true', headers: { accept: 'text/plain' } });
  let text = '';
  for await (const chunk of answer.body) text += Buffer.from(chunk).toString();
  assert.deepEqual([answer.status, answer.headers['x-kind'], text], [200, 'log', 'line 1\n']);
  await assert.rejects(scenario.client.raw({ path: '/nowhere' }), { code: 'NotFound' });
});

test('a closed client refuses and ends what is open', async () => {
  await using scenario = await serve(() => {});
  const got = scenario.client.get(widgets, w1);
  await until(() => scenario.seen.length === 1);
  await scenario.client[Symbol.asyncDispose]();
  await assert.rejects(got, { code: 'ClientClosed' });
  await assert.rejects(scenario.client.get(widgets, w1), { code: 'ClientClosed' });
});

async function addressOf(scenario: Scenario): Promise<string> {
  const abort = new AbortController();
  scenario.client.get(widgets, w1, { signal: abort.signal }).catch(() => undefined);
  await until(() => scenario.seen.length === 1);
  abort.abort();
  return `http://${scenario.seen[0]?.headers.host}`;
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await turn();
}
