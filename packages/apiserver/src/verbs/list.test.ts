import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';
import type { UnstructuredObject } from '@arc/apimachinery';
import { FakeClock } from '@arc/kernel';
import * as pki from '@arc/pki';
import { widget } from '../testing/kinds.ts';
import { startTestServer, type TestServer } from '../testing/test-server.ts';

const everywhere = '/apis/demo.example.com/v1/widgets';
const widgets = '/apis/demo.example.com/v1/namespaces/ns/widgets';
const names = ['a', 'a-b', 'b', 'c', 'd', 'e', 'f'];
let server: TestServer;

before(async () => {
  server = await startTestServer(pki);
  await server.admin.post('/api/v1/namespaces', { metadata: { name: 'ns-2' } });
  for (const [index, name] of names.entries()) {
    await server.admin.post(widgets, widget(name, { color: index % 2 === 0 ? 'red' : 'blue' }, { labels: { index: String(index) } }));
  }
  await server.admin.post('/apis/demo.example.com/v1/namespaces/ns-2/widgets', widget('z'));
});
after(() => server[Symbol.asyncDispose]());

interface List {
  readonly kind: string;
  readonly apiVersion: string;
  readonly metadata: { resourceVersion: string; continue?: string; remainingItemCount?: number };
  readonly items: UnstructuredObject[];
}

async function list(path: string): Promise<List> {
  const answer = await server.admin.get(path);
  assert.equal(answer.code, 200, answer.text);
  return JSON.parse(answer.text) as List;
}

function namesOf({ items }: List): (string | undefined)[] {
  return items.map(({ metadata }) => metadata.name);
}

test('4.6 a list holds whole objects in key order under one resourceVersion', async () => {
  const all = await list(widgets);
  assert.equal(all.kind, 'WidgetList');
  assert.equal(all.apiVersion, 'demo.example.com/v1');
  assert.deepEqual(namesOf(all), names);
  assert.ok(all.items.every(({ kind, apiVersion }) => kind === 'Widget' && apiVersion === 'demo.example.com/v1'));
  assert.ok(all.items.every(({ metadata }) => Number(metadata.resourceVersion) <= Number(all.metadata.resourceVersion)));
  assert.deepEqual(all.items[0], (await server.admin.get(`${widgets}/a`)).object());
  // Keys are compared whole: "ns-2/z" comes before "ns/a".
  assert.deepEqual(namesOf(await list(everywhere)), ['z', ...names]);
});

test('4.1 an empty list has items: []', async () => {
  const answer = await server.admin.get('/api/v1/namespaces/ns/notes');
  assert.match(answer.text, /"items":\[\]\}\n$/);
});

test('2.4 label and field selectors', async () => {
  assert.deepEqual(namesOf(await list(`${widgets}?labelSelector=index+in+(0,3),index!%3D3`)), ['a']);
  assert.deepEqual(namesOf(await list(`${widgets}?fieldSelector=metadata.name%3Db`)), ['b']);
  assert.deepEqual(namesOf(await list(`${widgets}?fieldSelector=spec.color%3Dblue`)), ['a-b', 'c', 'e']);
  assert.deepEqual(namesOf(await list(`${everywhere}?fieldSelector=metadata.namespace%3Dns-2`)), ['z']);
  const unknown = await server.admin.get(`${widgets}?fieldSelector=spec.size%3D1`);
  assert.equal(unknown.code, 400);
  assert.equal(
    unknown.status().message,
    '"spec.size" is not a known field selector: only "metadata.name", "metadata.namespace", "spec.color"',
  );
  assert.equal((await server.admin.get(`${widgets}?labelSelector=a+b+c`)).code, 400);
});

test('4.6 pages come from one snapshot', async () => {
  const first = await list(`${widgets}?limit=3`);
  assert.deepEqual(namesOf(first), names.slice(0, 3));
  assert.equal(first.metadata.remainingItemCount, 4);
  await server.admin.post(widgets, widget('d-later'));
  await server.admin.send('DELETE', `${widgets}/e`);
  const second = await list(`${widgets}?limit=3&continue=${first.metadata.continue}`);
  assert.deepEqual(namesOf(second), names.slice(3, 6));
  assert.equal(second.metadata.resourceVersion, first.metadata.resourceVersion);
  const third = await list(`${widgets}?limit=3&continue=${second.metadata.continue}`);
  assert.deepEqual(namesOf(third), names.slice(6));
  assert.equal(third.metadata.continue, undefined);
  await server.admin.send('DELETE', `${widgets}/d-later`);
  await server.admin.post(widgets, widget('e', { color: 'blue' }));
});

test('2.5 exact reads a snapshot, NotOlderThan the newest state', async () => {
  const { metadata } = await list(widgets);
  await server.admin.post(widgets, widget('later'));
  const exact = await list(`${widgets}?resourceVersion=${metadata.resourceVersion}&resourceVersionMatch=Exact`);
  assert.ok(!namesOf(exact).includes('later'));
  assert.equal(exact.metadata.resourceVersion, metadata.resourceVersion);
  assert.ok(namesOf(await list(`${widgets}?resourceVersion=${metadata.resourceVersion}`)).includes('later'));
  assert.ok(namesOf(await list(`${widgets}?resourceVersion=0`)).includes('later'));
  await server.admin.send('DELETE', `${widgets}/later`);
});

test('2.5 combinations that make no sense', async () => {
  const refused: readonly (readonly [string, number])[] = [
    ['resourceVersion=x', 400],
    ['resourceVersion=-1', 400],
    ['resourceVersionMatch=Exact', 422],
    ['resourceVersion=0&resourceVersionMatch=Exact', 422],
    ['resourceVersion=1&resourceVersionMatch=Newer', 422],
    ['continue=abc', 400],
    ['sendInitialEvents=true', 422],
    ['limit=many', 400],
  ];
  for (const [query, code] of refused) assert.equal((await server.admin.get(`${widgets}?${query}`)).code, code, query);
  const { metadata } = await list(`${widgets}?limit=1`);
  const both = await server.admin.get(`${widgets}?limit=1&continue=${metadata.continue}&resourceVersion=5`);
  assert.equal(both.status().message, 'specifying resource version is not allowed when using continue');
});

test('0.12 a resourceVersion from the future is 504 with a retry', async () => {
  const clock = new FakeClock(Date.now());
  await using own = await startTestServer(pki, { clock });
  const current = Number((await own.admin.get(widgets)).object().metadata.resourceVersion);
  for (const path of [`${widgets}?resourceVersion=${current + 1000}`, `${widgets}/a?resourceVersion=${current + 1000}`]) {
    const asked = own.admin.get(path);
    // The deadline of the request, and the wait for the revision.
    while (clock.pendingTimers < 2) await nextTurn();
    await clock.advance(3_000);
    const answer = await asked;
    assert.equal(answer.code, 504);
    assert.equal(answer.status().reason, 'Timeout');
    assert.equal(answer.status().message, `Timeout: Too large resource version: ${current + 1000}, current: ${current}`);
    assert.equal(answer.headers['retry-after'], '1');
    assert.deepEqual(answer.status().details?.causes, [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }]);
  }
});

test('4.2 tables', async () => {
  const accept = 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json';
  const answer = await server.admin.get(`${widgets}?limit=2`, { accept });
  assert.equal(answer.headers['content-type'], 'application/json');
  const table = JSON.parse(answer.text) as {
    kind: string;
    apiVersion: string;
    metadata: { continue?: string; resourceVersion: string };
    columnDefinitions: { name: string; format: string }[];
    rows: { cells: unknown[]; object: UnstructuredObject }[];
  };
  assert.equal(`${table.apiVersion} ${table.kind}`, 'meta.k8s.io/v1 Table');
  assert.deepEqual(
    table.columnDefinitions.map(({ name }) => name),
    ['Name', 'Size', 'Age'],
  );
  assert.equal(table.columnDefinitions[0]?.format, 'name');
  assert.deepEqual(table.rows[0]?.cells.slice(0, 2), ['a', 1]);
  assert.match(String(table.rows[0]?.cells[2]), /^\d+s$/);
  assert.equal(table.rows[0]?.object.kind, 'PartialObjectMetadata');
  assert.equal(table.rows[0]?.object.metadata.namespace, 'ns');
  assert.notEqual(table.metadata.continue, undefined);

  const row = async (query: string) => {
    const { text } = await server.admin.get(`${widgets}/a?${query}`, { accept });
    return (JSON.parse(text) as { rows: { object: UnstructuredObject | null }[] }).rows[0]?.object;
  };
  assert.equal(await row('includeObject=None'), null);
  assert.equal((await row('includeObject=Object'))?.kind, 'Widget');
  assert.equal((await server.admin.get(`${widgets}/a?includeObject=All`, { accept })).code, 400);
});

test('4.3 PartialObjectMetadata, also when protobuf is preferred', async () => {
  const suffix = 'g=meta.k8s.io;v=v1';
  const one = await server.admin.get(`${widgets}/a`, {
    accept: `application/vnd.kubernetes.protobuf;as=PartialObjectMetadata;${suffix},application/json;as=PartialObjectMetadata;${suffix},application/json`,
  });
  const { metadata } = (await server.admin.get(`${widgets}/a`)).object();
  assert.deepEqual(one.object(), { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata });
  const many = await server.admin.get(widgets, { accept: `application/json;as=PartialObjectMetadataList;${suffix}` });
  const parsed = JSON.parse(many.text) as List;
  assert.equal(parsed.kind, 'PartialObjectMetadataList');
  assert.deepEqual(parsed.items[0], one.object());
  assert.deepEqual(namesOf(parsed), names);
});

test('4.1 YAML and pretty printing', async () => {
  const yaml = await server.admin.get(`${widgets}/a`, { accept: 'application/yaml' });
  assert.equal(yaml.headers['content-type'], 'application/yaml');
  assert.match(yaml.text, /^kind: Widget$/m);
  const pretty = await server.admin.get(`${widgets}?pretty=true&limit=1`);
  assert.match(pretty.text, /\n {2}"items": \[\n/);
  const curl = await server.admin.get(`${widgets}/a`, { 'user-agent': 'curl/8' });
  assert.match(curl.text, /^\{\n {2}"apiVersion"/);
});

test('4.5 large answers are compressed for those who accept it', async () => {
  const big = 'x'.repeat(64 * 1024);
  for (const name of ['big-1', 'big-2', 'big-3']) {
    await server.admin.post('/api/v1/namespaces/ns-2/notes', { metadata: { name }, data: { big } });
  }
  const plain = await server.admin.get('/api/v1/namespaces/ns-2/notes');
  assert.equal(plain.headers['content-encoding'], undefined);
  const gzipped = await server.admin.get('/api/v1/namespaces/ns-2/notes', { 'accept-encoding': 'br, gzip' });
  assert.equal(gzipped.headers['content-encoding'], 'gzip');
  assert.equal(gzipped.headers['vary'], 'Accept-Encoding');
  assert.equal(gunzipSync(gzipped.bytes).toString(), plain.text);
  const refused = await server.admin.get('/api/v1/namespaces/ns-2/notes', { 'accept-encoding': 'gzip;q=0' });
  assert.equal(refused.headers['content-encoding'], undefined);
  const small = await server.admin.get(`${widgets}/a`, { 'accept-encoding': 'gzip' });
  assert.equal(small.headers['content-encoding'], undefined);
});

test('kinds under a second group and version are the same objects', async () => {
  await server.admin.post('/api/v1/namespaces/ns/notes', { metadata: { name: 'shared' }, data: { a: '1' } });
  const memo = '/apis/memo.example.com/v1/namespaces/ns/memos/shared';
  const first = (await server.admin.get(memo)).object();
  assert.equal(first.apiVersion, 'memo.example.com/v1');
  assert.deepEqual(first['content'], { a: '1' });
  const body = { ...first, content: { b: '2' } };
  const updated = await server.admin.send('PUT', memo, { body });
  assert.equal(updated.code, 200, updated.text);
  assert.deepEqual((await server.admin.get('/api/v1/namespaces/ns/notes/shared')).object()['data'], { b: '2' });
  const { items, kind } = await list('/apis/memo.example.com/v1/namespaces/ns/memos');
  assert.equal(kind, 'MemoList');
  assert.deepEqual(items, [updated.object()]);
});
