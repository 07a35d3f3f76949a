import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:tls';
import { after, before, test } from 'node:test';
import * as pki from '@arc/pki';
import { createMemoryStore } from '@arc/storage';
import { widget } from '../testing/kinds.ts';
import { startTestServer, type TestServer } from '../testing/test-server.ts';

const widgets = '/apis/demo.example.com/v1/namespaces/ns/widgets';
let server: TestServer;

/** A watch from before what this server knows of: it tells so in one line and ends. */
const expired = `${widgets}?watch=1&resourceVersion=1`;

before(async () => {
  const store = createMemoryStore();
  await using first = await startTestServer(pki, { store });
  for (const name of ['w1', 'w2']) await first.admin.post(widgets, widget(name));
  await store.compact(await store.currentRevision());
  server = await startTestServer(pki, { store });
});
after(() => server[Symbol.asyncDispose]());

/** What the server sends on one connection until it closes it. */
async function answersTo(request: string): Promise<string> {
  const { port, ca, adminCertificate } = server;
  const socket = connect({ host: '127.0.0.1', port, ca, cert: adminCertificate.certPem, key: adminCertificate.keyPem });
  await once(socket, 'secureConnect');
  socket.write(request);
  return Buffer.concat(await Array.fromAsync(socket as AsyncIterable<Buffer>)).toString();
}

const head = (path: string, version: string, ...headers: string[]): string =>
  [`GET ${path} HTTP/${version}`, 'host: x', ...headers, '', ''].join('\r\n');

test('a watch, and what follows it on the same connection, are chunked as HTTP/1.1 says', async () => {
  // The second one begins while the first is under way, and has no connection of its own before that has ended.
  const text = await answersTo(head(expired, '1.1') + head(expired, '1.1') + head('/healthz', '1.1', 'connection: close'));
  const [first = '', second = '', third = '', ...more] = text.split(/(?=HTTP\/1\.1 )/);
  assert.equal(more.length, 0);
  for (const answer of [first, second]) assert.match(unchunked(answer), oneError);
  assert.match(third, /\r\n\r\nok/);
});

test('HTTP/1.0 knows no chunks: its watch ends with the connection', async () => {
  const text = await answersTo(head(expired, '1.0'));
  assert.doesNotMatch(text, /transfer-encoding/i);
  assert.match(text.slice(text.indexOf('\r\n\r\n') + 4), oneError);
});

const oneError = /^\{"type":"ERROR","object":\{.*"code":410.*\}\}\n$/;

/** The body of a chunked answer that ends where its text ends. */
function unchunked(answer: string): string {
  assert.match(answer, /transfer-encoding: chunked/i);
  let rest = answer.slice(answer.indexOf('\r\n\r\n') + 4);
  let body = '';
  for (;;) {
    const [, size = ''] = /^([0-9a-f]+)\r\n/.exec(rest) ?? [];
    const length = Number.parseInt(size, 16);
    const start = size.length + 2;
    assert.equal(rest.slice(start + length, start + length + 2), '\r\n');
    if (length === 0) {
      assert.equal(rest.length, start + 2);
      return body;
    }
    body += rest.slice(start, start + length);
    rest = rest.slice(start + length + 2);
  }
}
