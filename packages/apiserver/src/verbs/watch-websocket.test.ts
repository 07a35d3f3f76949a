import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import * as pki from '@arc/pki';
import { issueToken } from '../authn/credential-secrets.ts';
import { widget } from '../testing/kinds.ts';
import { standaloneTestKinds } from '../testing/standalone-kinds.ts';
import { startTestServer } from '../testing/test-server.ts';

const server = await startTestServer(pki, {
  kinds: standaloneTestKinds,
  authorizer: { authorize: async () => ({ decision: 'allow', reason: '' }) },
});
after(() => server[Symbol.asyncDispose]());
const widgets = '/apis/demo.example.com/v1/namespaces/ns/widgets';

interface Frame {
  readonly opcode: number;
  readonly text: string;
}

interface TestSocket extends Disposable {
  readonly headers: IncomingMessage['headers'];
  send(bytes: readonly number[]): void;
  /** The next frame; undefined when the connection has ended. */
  next(): Promise<Frame | undefined>;
}

const upgrade = {
  connection: 'keep-alive, Upgrade',
  upgrade: 'websocket',
  'sec-websocket-version': '13',
  'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
};

function open(path: string): Promise<TestSocket | IncomingMessage> {
  const { certPem: cert, keyPem: key } = server.adminCertificate;
  const sending = request({ host: '127.0.0.1', port: server.port, ca: server.ca, cert, key, path, headers: upgrade });
  return new Promise((resolve, reject) => {
    sending.on('upgrade', (response, socket, head) => resolve(testSocket(response, socket, head)));
    sending.on('response', resolve).on('error', reject).end();
  });
}

async function watchOver(path: string): Promise<TestSocket> {
  const opened = await open(path);
  assert.ok('next' in opened, 'no websocket was made');
  return opened;
}

function testSocket({ headers }: IncomingMessage, socket: Socket, head: Buffer): TestSocket {
  const frames = framesOf(socket, head);
  return {
    headers,
    send: (bytes) => void socket.write(Uint8Array.from(bytes)),
    next: async () => (await frames.next()).value,
    [Symbol.dispose]: () => socket.destroy(),
  };
}

async function* framesOf(socket: Socket, head: Buffer): AsyncGenerator<Frame, undefined, undefined> {
  let bytes = head;
  const more = socket[Symbol.asyncIterator]();
  for (;;) {
    const short = (bytes[1] ?? 0) & 0x7f;
    const start = short < 126 ? 2 : 4;
    const length = short < 126 ? short : bytes.length < 4 ? Number.POSITIVE_INFINITY : bytes.readUInt16BE(2);
    if (bytes.length >= 2 && bytes.length >= start + length) {
      yield { opcode: (bytes[0] ?? 0) & 0x0f, text: bytes.subarray(start, start + length).toString('latin1') };
      bytes = bytes.subarray(start + length);
      continue;
    }
    const { value, done } = (await more.next()) as IteratorResult<Buffer, undefined>;
    if (done === true) return undefined;
    bytes = Buffer.concat([bytes, value]);
  }
}

async function version(): Promise<string> {
  return (await server.admin.get(widgets)).object().metadata.resourceVersion ?? '';
}

test('4.7 a watch over a websocket: a text frame an event, pings answered, an end on either side', async () => {
  const from = await version();
  using watch = await watchOver(`${widgets}?watch=true&resourceVersion=${from}`);
  assert.equal(watch.headers['sec-websocket-accept'], 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=');
  await server.admin.post(widgets, widget('one'));
  await server.admin.post(widgets, widget('two'));
  for (const name of ['one', 'two']) {
    const frame = await watch.next();
    assert.equal(frame?.opcode, 1);
    const event = JSON.parse(frame.text) as { type: string; object: { metadata: { name: string } } };
    assert.deepEqual([event.type, event.object.metadata.name], ['ADDED', name]);
  }
  watch.send([0x89, 0x82, 0, 0, 0, 0, 0x68, 0x69]);
  assert.deepEqual(await watch.next(), { opcode: 10, text: 'hi' });
  watch.send([0x88, 0x82, 0, 0, 0, 0, 0x03, 0xe8]);
  assert.deepEqual(await watch.next(), { opcode: 8, text: '\x03\xe8' });
  assert.equal(await watch.next(), undefined);

  using initial = await watchOver(`${widgets}?watch=true&timeoutSeconds=1`);
  const kinds = [await initial.next(), await initial.next(), await initial.next()];
  assert.deepEqual(
    kinds.map((frame) => frame?.opcode),
    [1, 1, 8],
    'each of the initial events is a frame of its own, and the end is said',
  );
  using wrong = await watchOver(`${widgets}?watch=true`);
  await wrong.next();
  await wrong.next();
  wrong.send([0x81, 0x01, 0x78]);
  assert.deepEqual(await wrong.next(), { opcode: 8, text: '\x03\xea' });
});

test('4.7 what is wrong before the first event is an ordinary answer; what is no watch is answered without an upgrade', async () => {
  const codeOf = async (path: string): Promise<number | undefined> => {
    const answer = await open(path);
    assert.ok('statusCode' in answer, 'a websocket was made');
    answer.resume();
    await once(answer, 'end');
    return answer.statusCode;
  };
  assert.equal(await codeOf(`${widgets}?watch=true&resourceVersion=x`), 400);
  assert.equal(await codeOf('/apis/demo.example.com/v1/none?watch=true'), 404);
  assert.equal(await codeOf(`${widgets}/one?watch=true`), 200);
  assert.equal(await codeOf(widgets), 200);
});

test('4.7 6.1.3 a browser-like client watches with a token in Sec-WebSocket-Protocol, and is told 401 without a good one', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'websocket-'));
  after(() => rm(folder, { recursive: true }));
  await writeFile(join(folder, 'ca.crt'), server.ca);
  const run = async (token: string): Promise<string> => {
    const script = `
      const socket = new WebSocket('wss://127.0.0.1:${server.port}${widgets}?watch=1&timeoutSeconds=1',
        ['base64url.bearer.authorization.k8s.io.' + Buffer.from('${token}').toString('base64url'), 'base64.binary.k8s.io']);
      socket.onmessage = ({ data }) => console.log(JSON.parse(data).object.metadata.name, socket.protocol);
      socket.onerror = () => console.log('refused');
      socket.onclose = ({ code }) => console.log(code);`;
    const child = spawn(process.execPath, ['-e', script], {
      env: { NODE_EXTRA_CA_CERTS: join(folder, 'ca.crt') },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    return Buffer.concat(await Array.fromAsync(child.stdout as AsyncIterable<Buffer>)).toString();
  };
  await server.admin.post('/api/v1/namespaces', { metadata: { name: 'kube-system' } });
  const { token, secret } = issueToken({ user: 'jane', groups: [], expires: Date.now() + 3_600_000 });
  assert.equal((await server.admin.post('/api/v1/namespaces/kube-system/secrets', secret)).code, 201);
  assert.equal(await run(token), 'one base64.binary.k8s.io\ntwo base64.binary.k8s.io\n1000\n');
  assert.match(await run('nonsense'), /refused/);
});
