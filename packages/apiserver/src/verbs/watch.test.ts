import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { WatchEvent } from '@arc/apimachinery';
import { FakeClock } from '@arc/kernel';
import * as pki from '@arc/pki';
import { createMemoryStore } from '@arc/storage';
import { widget } from '../testing/kinds.ts';
import type { TestWatch } from '../testing/test-client.ts';
import { startTestServer, type TestServer } from '../testing/test-server.ts';

const widgets = '/apis/demo.example.com/v1/namespaces/ns/widgets';
const clock = new FakeClock(Date.now());
let server: TestServer;

before(async () => {
  server = await startTestServer(pki, { clock });
});
after(() => server[Symbol.asyncDispose]());

async function create(name: string, color = 'red'): Promise<string> {
  const answer = await server.admin.post(widgets, widget(name, { color }));
  assert.equal(answer.code, 201, answer.text);
  return answer.object().metadata.resourceVersion ?? '';
}

async function currentVersion(): Promise<string> {
  return (await server.admin.get(`${widgets}?limit=1`)).object().metadata.resourceVersion ?? '';
}

function told(event: WatchEvent | undefined): string {
  return event === undefined ? 'end' : `${event.type} ${event.object.metadata.name ?? ''}`.trim();
}

async function take(watch: TestWatch, count: number): Promise<string[]> {
  const events: string[] = [];
  while (events.length < count) events.push(told(await watch.next()));
  return events;
}

test('4.7 a watch from a revision delivers every later change once, in order', async () => {
  const from = await currentVersion();
  await using watch = await server.admin.watch(`${widgets}?watch=true&resourceVersion=${from}`);
  assert.equal(watch.headers['content-type'], 'application/json');
  assert.equal(watch.headers['transfer-encoding'], 'chunked');
  assert.equal(watch.headers['content-length'], undefined);
  await create('w1');
  await server.admin.send('PATCH', `${widgets}/w1`, {
    body: { spec: { size: 3 } },
    headers: { 'content-type': 'application/merge-patch+json' },
  });
  await server.admin.send('DELETE', `${widgets}/w1`);
  const events = [await watch.next(), await watch.next(), await watch.next()];
  assert.deepEqual(events.map(told), ['ADDED w1', 'MODIFIED w1', 'DELETED w1']);
  const versions = events.map((event) => Number(event?.object.metadata.resourceVersion));
  assert.deepEqual(
    versions,
    [...new Set(versions)].sort((a, b) => a - b),
  );
  assert.deepEqual(events[2]?.object['spec'], { size: 3, color: 'red' });

  await using resumed = await server.admin.watch(`${widgets}?watch=1&resourceVersion=${versions[0]}`);
  assert.deepEqual(await take(resumed, 2), ['MODIFIED w1', 'DELETED w1']);
});

test('4.7 without a revision the present state comes first', async () => {
  await create('s1');
  await create('s2');
  for (const query of ['watch=1', 'watch=1&resourceVersion=0']) {
    await using watch = await server.admin.watch(`${widgets}?${query}`);
    assert.deepEqual(await take(watch, 2), ['ADDED s1', 'ADDED s2'], query);
  }
  await server.admin.send('DELETE', widgets);
});

test('4.7 selectors turn what enters into ADDED and what leaves into DELETED', async () => {
  const from = await currentVersion();
  await using watch = await server.admin.watch(`${widgets}?watch=1&resourceVersion=${from}&fieldSelector=spec.color%3Dblue`);
  await create('sel');
  const paint = (color: string) =>
    server.admin.send('PATCH', `${widgets}/sel`, {
      body: { spec: { color } },
      headers: { 'content-type': 'application/merge-patch+json' },
    });
  await paint('blue');
  const left = (await paint('red')).object().metadata.resourceVersion;
  assert.equal(told(await watch.next()), 'ADDED sel');
  const gone = await watch.next();
  assert.equal(told(gone), 'DELETED sel');
  assert.deepEqual(gone?.object['spec'], { size: 1, color: 'blue' });
  assert.equal(gone?.object.metadata.resourceVersion, left);
  await server.admin.send('DELETE', widgets);
});

test('0.3 sendInitialEvents ends its snapshot with an annotated bookmark', async () => {
  await create('i1');
  const query = 'watch=1&allowWatchBookmarks=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan';
  await using watch = await server.admin.watch(`${widgets}?${query}`);
  assert.equal(told(await watch.next()), 'ADDED i1');
  const bookmark = await watch.next();
  assert.equal(bookmark?.type, 'BOOKMARK');
  assert.equal(bookmark.object.kind, 'Widget');
  assert.deepEqual(bookmark.object.metadata.annotations, { 'k8s.io/initial-events-end': 'true' });
  assert.equal(bookmark.object.metadata.resourceVersion, await currentVersion());
  await create('i2');
  assert.equal(told(await watch.next()), 'ADDED i2');

  assert.equal((await server.admin.get(`${widgets}?watch=1&sendInitialEvents=true`)).code, 422);
  assert.equal((await server.admin.get(`${widgets}?watch=1&resourceVersionMatch=NotOlderThan`)).code, 422);
  await server.admin.send('DELETE', widgets);
});

test('4.7 bookmarks come each minute and before the end, for those who allow them', async () => {
  const from = await currentVersion();
  await using watch = await server.admin.watch(`${widgets}?watch=1&resourceVersion=${from}&allowWatchBookmarks=true&timeoutSeconds=90`);
  await using silent = await server.admin.watch(`${widgets}?watch=1&resourceVersion=${from}&timeoutSeconds=90`);
  const noteVersion = (await server.admin.post('/api/v1/namespaces/ns/notes', { metadata: { name: 'elsewhere' } })).object().metadata
    .resourceVersion;
  await clock.advance(60_000);
  const bookmark = await watch.next();
  assert.equal(bookmark?.type, 'BOOKMARK');
  assert.equal(bookmark.object.metadata.resourceVersion, noteVersion);
  await clock.advance(28_000);
  assert.equal((await watch.next())?.type, 'BOOKMARK');
  await clock.advance(2_000);
  assert.equal(await watch.next(), undefined);
  assert.equal(await silent.next(), undefined);
});

test('0.11 an expired revision is an ERROR event in a 200 stream, and 410 for a list', async () => {
  await using store = createMemoryStore();
  await using first = await startTestServer(pki, { store });
  for (const name of ['x1', 'x2', 'x3']) await first.admin.post(widgets, widget(name));
  await store.compact(await store.currentRevision());
  // A server that starts now knows nothing of the time before.
  await using second = await startTestServer(pki, { store });
  await using watch = await second.admin.watch(`${widgets}?watch=1&resourceVersion=1`);
  const error = await watch.next();
  assert.equal(error?.type, 'ERROR');
  const { reason, code, message } = error.object as unknown as { reason: string; code: number; message: string };
  assert.deepEqual({ reason, code }, { reason: 'Expired', code: 410 });
  assert.match(message, /^too old resource version: 1 \(\d+\)$/);
  assert.equal(await watch.next(), undefined);

  const exact = await second.admin.get(`${widgets}?resourceVersion=1&resourceVersionMatch=Exact`);
  assert.equal(exact.code, 410);
  assert.equal(exact.status().reason, 'Expired');
  assert.equal(exact.status().message, 'The resourceVersion for the provided list is too old.');
  const token = Buffer.from('{"v":"meta.k8s.io/v1","rv":1,"start":"ns/x1\\u0000"}').toString('base64url');
  const page = await second.admin.get(`${widgets}?limit=1&continue=${token}`);
  assert.equal(page.code, 410);
  const fresh = page.status().metadata.continue ?? '';
  const rest = await second.admin.get(`${widgets}?continue=${fresh}`);
  assert.deepEqual(
    (rest.object()['items'] as WatchEvent['object'][]).map(({ metadata }) => metadata.name),
    ['x2', 'x3'],
  );
});

test('4.2 a watch of tables sends the columns once', async () => {
  const from = await currentVersion();
  const accept = 'application/json;as=Table;v=v1;g=meta.k8s.io';
  await using watch = await server.admin.watch(`${widgets}?watch=1&resourceVersion=${from}`, { accept });
  await using other = await server.admin.watch(`${widgets}?watch=1&resourceVersion=${from}`, { accept });
  await create('t1');
  await create('t2');
  for (const each of [watch, other]) {
    const [first, second] = [await each.next(), await each.next()] as unknown as {
      object: { kind: string; columnDefinitions: unknown[]; rows: { cells: unknown[] }[] };
    }[];
    assert.equal(first?.object.kind, 'Table');
    assert.equal(first.object.columnDefinitions.length, 3);
    assert.deepEqual(first.object.rows[0]?.cells.slice(0, 2), ['t1', 1]);
    assert.equal(second?.object.columnDefinitions.length, 0);
    assert.equal(second.object.rows[0]?.cells[0], 't2');
  }
  await server.admin.send('DELETE', widgets);
});

test('4.3 a watch of metadata', async () => {
  const from = await currentVersion();
  const accept = 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1';
  await using watch = await server.admin.watch(`${widgets}?watch=1&resourceVersion=${from}`, { accept });
  await create('m1');
  const event = await watch.next();
  assert.equal(event?.object.kind, 'PartialObjectMetadata');
  assert.equal(event.object['spec'], undefined);
  assert.equal((await server.admin.get(`${widgets}?watch=1`, { accept: 'application/yaml' })).code, 406);
});

test('2.5 a watch misses nothing between its list and now', async () => {
  const { metadata } = (await server.admin.get(widgets)).object();
  const writers = Array.from({ length: 30 }, (_, n) => create(`many-${n}`));
  await using watch = await server.admin.watch(`${widgets}?watch=1&resourceVersion=${metadata.resourceVersion}`);
  await Promise.all(writers);
  const seen = new Set(await take(watch, 30));
  assert.equal(seen.size, 30);
});

test('2.5 LIST at R and WATCH from R together are the final state, whatever happens meanwhile', async () => {
  await server.admin.send('DELETE', widgets);
  const { text } = await server.admin.get(widgets);
  const { metadata } = JSON.parse(text) as { metadata: { resourceVersion: string } };
  const state = new Map<string, string>();
  await using watch = await server.admin.watch(`${widgets}?watch=1&resourceVersion=${metadata.resourceVersion}`);
  const merge = { 'content-type': 'application/merge-patch+json' };
  const disturb = async (name: string): Promise<void> => {
    await create(name);
    await server.admin.send('PATCH', `${widgets}/${name}`, { body: { metadata: { labels: { x: name } } }, headers: merge });
    if (Number(name.slice(1)) % 3 === 0) await server.admin.send('DELETE', `${widgets}/${name}`);
  };
  await Promise.all(Array.from({ length: 20 }, (_, n) => disturb(`p${n}`)));
  const final = (await server.admin.get(widgets)).object();
  const end = Number(final.metadata.resourceVersion);
  let last = Number(metadata.resourceVersion);
  while (last < end) {
    const event = await watch.next();
    assert.ok(event);
    const version = Number(event.object.metadata.resourceVersion);
    assert.ok(version > last, 'in order, none twice');
    last = version;
    const name = event.object.metadata.name ?? '';
    assert.equal(event.type === 'ADDED', !state.has(name));
    if (event.type === 'DELETED') state.delete(name);
    else state.set(name, JSON.stringify(event.object));
  }
  const items = final['items'] as WatchEvent['object'][];
  assert.deepEqual([...state.values()].sort(), items.map((item) => JSON.stringify(item)).sort());
});
