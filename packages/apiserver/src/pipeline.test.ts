import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { FakeClock } from '@arc/kernel';
import * as pki from '@arc/pki';
import { defaultAuditPolicy } from './audit/policy.ts';
import { widget } from './testing/kinds.ts';
import { startTestServer, type TestServer } from './testing/test-server.ts';

const widgets = '/apis/demo.example.com/v1/namespaces/ns/widgets';
const audited: string[] = [];
const released = Promise.withResolvers<void>();
let server: TestServer;

before(async () => {
  server = await startTestServer(pki, {
    audit: { policy: defaultAuditPolicy, write: (line) => void audited.push(line) },
    connectors: [
      {
        group: 'demo.example.com',
        plural: 'widgets',
        subresource: 'log',
        verbs: ['get'],
        handle: async ({ object, query, name }) => {
          if (query.has('crash')) throw new TypeError('a defect');
          const body = (async function* () {
            yield Buffer.from(`log of ${name} ${object.kind}\n`);
            if (query.has('follow')) await released.promise;
            if (query.has('half')) throw new Error('broken half-way');
            yield Buffer.from('end\n');
          })();
          return { contentType: 'text/plain', body };
        },
      },
    ],
  });
  await server.admin.post(widgets, widget('w1'));
});
after(() => server[Symbol.asyncDispose]());

test('2.3 routes that do not exist and methods that are not served', async () => {
  const table: readonly (readonly [string, string, number, string])[] = [
    ['GET', '/apis/demo.example.com/v1/gadgets', 404, 'the server could not find the requested resource'],
    ['GET', '/apis/demo.example.com/v2/widgets', 404, 'the server could not find the requested resource'],
    ['GET', '/apis/demo.example.com/v1/widgets/w1', 404, 'the server could not find the requested resource'],
    ['GET', '/api/v1/namespaces/ns/namespaces', 404, 'the server could not find the requested resource'],
    ['GET', `${widgets}/w1/scale`, 404, 'the server could not find the requested resource'],
    ['GET', `${widgets}/w1/status/more`, 404, 'the server could not find the requested resource'],
    ['POST', '/apis/demo.example.com/v1/widgets', 405, 'create is not supported on resources of kind "widgets.demo.example.com"'],
    ['DELETE', `${widgets}/w1/status`, 405, 'delete is not supported on resources of kind "widgets.demo.example.com"'],
    ['POST', `${widgets}/w1`, 405, 'create is not supported on resources of kind "widgets.demo.example.com"'],
    [
      'GET',
      '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews',
      405,
      'list is not supported on resources of kind "selfsubjectaccessreviews.authorization.k8s.io"',
    ],
    ['GET', `${widgets}/w2`, 404, 'widgets.demo.example.com "w2" not found'],
    ['GET', `${widgets}/%zz`, 400, 'the request path is not valid percent-encoding'],
    ['GET', `${widgets}?timeout=soon`, 400, 'invalid timeout specified in the request URL - time: invalid duration "soon"'],
  ];
  for (const [method, path, code, message] of table) {
    const answer = await server.admin.send(method, path);
    assert.equal(answer.code, code, `${method} ${path}`);
    assert.equal(answer.status().message, message, `${method} ${path}`);
    assert.equal(answer.status().code, code);
    assert.equal(answer.headers['content-type'], 'application/json');
  }
});

test('4.5 every answer carries Audit-Id and Cache-Control', async () => {
  const given = await server.admin.get(`${widgets}/w1`, { 'audit-id': 'abc-123' });
  assert.equal(given.headers['audit-id'], 'abc-123');
  assert.equal(given.headers['cache-control'], 'no-cache, private');
  const own = await server.admin.get(`${widgets}/missing`, { 'audit-id': 'x'.repeat(65) });
  assert.match(String(own.headers['audit-id']), /^[0-9a-f-]{36}$/);
  const event = JSON.parse(audited.find((line) => line.includes('abc-123')) ?? '{}') as Record<string, unknown>;
  assert.equal(event['verb'], 'get');
  assert.deepEqual(event['responseStatus'], { metadata: {}, code: 200 });
});

test('HEAD answers as GET does, without the body', async () => {
  const answer = await server.admin.send('HEAD', `${widgets}/w1`);
  assert.equal(answer.code, 200);
  assert.equal(answer.bytes.length, 0);
  assert.equal(answer.headers['content-length'], String((await server.admin.get(`${widgets}/w1`)).bytes.length));
  assert.equal((await server.admin.send('HEAD', `${widgets}/missing`)).code, 404);
});

test('connectors stream, and their failures harm nobody', async () => {
  assert.equal((await server.admin.get(`${widgets}/w1/log`)).text, 'log of w1 Widget\nend\n');
  assert.equal((await server.admin.get(`${widgets}/w9/log`)).code, 404);
  assert.equal((await server.admin.post(`${widgets}/w1/log`, {})).code, 405);
  const crashed = await server.admin.get(`${widgets}/w1/log?crash`);
  assert.equal(crashed.code, 500);
  assert.equal(crashed.status().message, 'Internal error occurred: a defect');
  await assert.rejects(server.admin.get(`${widgets}/w1/log?half`));
  assert.equal((await server.admin.get(`${widgets}/w1`)).code, 200);
  const following = server.admin.get(`${widgets}/w1/log?follow`);
  released.resolve();
  assert.equal((await following).text, 'log of w1 Widget\nend\n');
});

test('6.4 load beyond the limits is shed with 429 and Retry-After, but not for system:masters', async () => {
  const gate = Promise.withResolvers<void>();
  const entered = Promise.withResolvers<void>();
  await using small = await startTestServer(pki, {
    inFlight: { reading: 1, mutating: 1 },
    authorizer: {
      authorize: async ({ name }) => {
        if (name === 'slow') {
          entered.resolve();
          await gate.promise;
        }
        return { decision: 'allow', reason: '' };
      },
    },
  });
  const jane = small.as('jane');
  const slow = jane.get(`${widgets}/slow`);
  await entered.promise;
  const shed = await jane.get(`${widgets}/fast`);
  assert.equal(shed.code, 429);
  assert.equal(shed.headers['retry-after'], '1');
  assert.equal((await jane.post(widgets, widget('write'))).code, 201);
  assert.equal((await small.admin.get(`${widgets}/fast`)).code, 404);
  gate.resolve();
  assert.equal((await slow).code, 404);
  assert.equal((await jane.get(`${widgets}/fast`)).code, 404);
});

test('2.3 a request that takes too long is 504: its body does not come', async () => {
  const clock = new FakeClock(Date.now());
  const entered = Promise.withResolvers<void>();
  await using slow = await startTestServer(pki, {
    clock,
    authorizer: {
      authorize: async () => {
        entered.resolve();
        return { decision: 'allow', reason: '' };
      },
    },
  });
  const answer = slow.as('jane').send('POST', widgets, { body: '{"meta', headers: { 'content-length': '100' } });
  await entered.promise;
  await clock.advance(34_000);
  assert.equal((await answer).code, 504);
});

test('2.3 a request that takes too long is 504', async () => {
  const clock = new FakeClock(Date.now());
  const entered = Promise.withResolvers<void>();
  await using slow = await startTestServer(pki, {
    clock,
    authorizer: {
      authorize: (_attributes, _user, signal) =>
        new Promise((_resolve, reject) => {
          signal?.addEventListener('abort', () => reject(signal.reason as Error));
          entered.resolve();
        }),
    },
  });
  const answer = slow.as('jane').get(`${widgets}/w?timeout=5s`);
  await entered.promise;
  await clock.advance(5_000);
  const { code, status } = await answer;
  assert.equal(code, 504);
  assert.equal(status().message, 'Timeout: request did not complete within the allotted timeout');
});
