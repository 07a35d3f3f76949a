import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import * as pki from '@arc/pki';
import { widget } from '../testing/kinds.ts';
import { startTestServer, type TestServer } from '../testing/test-server.ts';

const widgets = '/apis/demo.example.com/v1/namespaces/ns/widgets';
let server: TestServer;

before(async () => {
  server = await startTestServer(pki);
});
after(() => server[Symbol.asyncDispose]());

/** The values of the series of one name whose labels contain all of `having`. */
async function valuesOf(name: string, ...having: readonly string[]): Promise<readonly number[]> {
  const { text } = await server.admin.get('/metrics');
  return text
    .split('\n')
    .filter((line) => (line.startsWith(`${name}{`) || line.startsWith(`${name} `)) && having.every((label) => line.includes(label)))
    .map((line) => Number(line.slice(line.lastIndexOf(' ') + 1)));
}

test('1.5 /metrics counts requests under the names of Kubernetes', async () => {
  await server.admin.post(widgets, widget('counted'));
  await server.admin.post(`${widgets}?dryRun=All`, widget('dry'));
  await server.admin.get(`${widgets}/nothing`);
  const answer = await server.admin.get('/metrics');
  assert.equal(answer.code, 200);
  assert.equal(answer.headers['content-type'], 'text/plain; version=0.0.4; charset=utf-8');
  const place = 'group="demo.example.com",version="v1",resource="widgets",subresource=""';
  assert.ok(
    answer.text.includes(`apiserver_request_total{verb="POST",${place},scope="namespace",component="apiserver",code="201",dry_run=""} 1\n`),
    answer.text,
  );
  assert.deepEqual(await valuesOf('apiserver_request_total', 'verb="POST"', 'widgets', 'dry_run="All"'), [1]);
  assert.deepEqual(await valuesOf('apiserver_request_total', 'verb="GET"', 'scope="resource"', 'code="404"'), [1]);
  assert.deepEqual(await valuesOf('apiserver_request_duration_seconds_count', 'verb="POST"', 'widgets', 'dry_run=""'), [1]);
  assert.deepEqual(await valuesOf('apiserver_storage_objects', 'widgets.demo.example.com'), [1]);
  assert.deepEqual(await valuesOf('apiserver_current_inflight_requests', 'mutating'), [0]);
  assert.ok(((await valuesOf('apiserver_storage_writes_total', 'committed'))[0] ?? 0) >= 2);
  assert.ok(((await valuesOf('apiserver_storage_operation_duration_seconds_count', 'commit'))[0] ?? 0) >= 2);
});

test('1.5 watches are counted while they last, and so are their events', async () => {
  const running = 'apiserver_longrunning_requests';
  {
    await using watch = await server.admin.watch(`${widgets}?watch=1`);
    await watch.next();
    assert.deepEqual(await valuesOf(running, 'verb="WATCH"', 'widgets'), [1]);
  }
  while ((await valuesOf(running, 'verb="WATCH"'))[0] !== 0) await new Promise(setImmediate);
  assert.ok(((await valuesOf('apiserver_watch_events_total', 'kind="Widget"'))[0] ?? 0) >= 1);
});

test('1.5 nonsense makes no series', async () => {
  for (let index = 0; index < 20; index++) {
    await server.admin.get(`/apis/g${index}.example.com/v1/nothings/n${index}`);
    await server.admin.get(`${widgets}/w/sub${index}`);
    await server.admin.send(`MKCOL`, `/path${index}`);
  }
  const { text } = await server.admin.get('/metrics');
  assert.doesNotMatch(text, /g1\.example|sub1|path1|MKCOL/i);
});

test('6.3 /metrics is authorised like any other path', async () => {
  assert.equal((await server.as('somebody').get('/metrics')).code, 403);
});
