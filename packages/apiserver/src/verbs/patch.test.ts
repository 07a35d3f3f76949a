import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { UnstructuredObject } from '@arc/apimachinery';
import * as pki from '@arc/pki';
import { widget } from '../testing/kinds.ts';
import { startTestServer, type TestServer } from '../testing/test-server.ts';

const widgets = '/apis/demo.example.com/v1/namespaces/ns/widgets';
const notes = '/api/v1/namespaces/ns/notes';
const merge = 'application/merge-patch+json';
const json = 'application/json-patch+json';
const strategic = 'application/strategic-merge-patch+json';
let server: TestServer;

before(async () => {
  server = await startTestServer(pki);
});
after(() => server[Symbol.asyncDispose]());

async function created(name: string): Promise<UnstructuredObject> {
  return (await server.admin.post(widgets, widget(name))).object();
}

function patch(path: string, type: string, body: unknown) {
  return server.admin.send('PATCH', path, { body, headers: { 'content-type': type } });
}

test('2.7 merge patch', async () => {
  const first = await created('merge');
  const answer = await patch(`${widgets}/merge`, `${merge}; charset=utf-8`, {
    metadata: { labels: { a: 'b' } },
    spec: { size: 3, color: null },
  });
  assert.equal(answer.code, 200);
  assert.deepEqual(answer.object()['spec'], { size: 3, color: 'red' });
  assert.deepEqual(answer.object().metadata.labels, { a: 'b' });
  assert.equal(answer.object().metadata.generation, 2);
  assert.equal(answer.object().metadata.uid, first.metadata.uid);
});

test('2.7 JSON patch, and one that does not fit', async () => {
  const first = await created('json');
  const rv = first.metadata.resourceVersion;
  const answer = await patch(`${widgets}/json`, json, [
    { op: 'test', path: '/metadata/resourceVersion', value: rv },
    { op: 'replace', path: '/spec/size', value: 7 },
  ]);
  assert.equal(answer.code, 200);
  assert.deepEqual(answer.object()['spec'], { size: 7, color: 'red' });
  const missing = await patch(`${widgets}/json`, json, [{ op: 'remove', path: '/spec/nothing' }]);
  assert.equal(missing.code, 422);
  assert.equal(missing.status().message, 'the server rejected our request due to an error in our request');
  assert.equal((await patch(`${widgets}/json`, json, { op: 'add' })).code, 400);
  const many = Array.from({ length: 10_001 }, () => ({ op: 'test', path: '/kind', value: 'Widget' }));
  const tooMany = await patch(`${widgets}/json`, json, many);
  assert.equal(tooMany.code, 413);
  assert.match(tooMany.status().message ?? '', /The allowed maximum operations in a JSON patch is 10000, got 10001$/);
});

test('2.7 strategic merge patch only where the kind allows it', async () => {
  await created('smp');
  for (const type of [strategic, 'text/plain']) {
    const refused = await patch(`${widgets}/smp?fieldManager=m&force=true`, type, {});
    assert.equal(refused.code, 415);
    assert.equal(refused.status().reason, 'UnsupportedMediaType');
    assert.equal(
      refused.status().message,
      'the body of the request was in an unknown format - accepted media types include: application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml',
    );
  }
  await server.admin.post(notes, { metadata: { name: 'smp' }, tags: [{ name: 'a', value: '1' }] });
  const merged = await patch(`${notes}/smp`, strategic, { tags: [{ name: 'b', value: '2' }] });
  assert.equal(merged.code, 200);
  const names = (merged.object()['tags'] as { name: string }[]).map(({ name }) => name).sort();
  assert.deepEqual(names, ['a', 'b']);
});

test('2.7 a patch cannot make it another object, nor find a missing one', async () => {
  await created('ident');
  assert.equal((await patch(`${widgets}/ident`, merge, { metadata: { name: 'other' } })).code, 400);
  assert.equal((await patch(`${widgets}/ident`, merge, { metadata: { namespace: 'other' } })).code, 400);
  assert.equal((await patch(`${widgets}/ident`, merge, { kind: 'Gadget' })).code, 400);
  assert.equal((await patch(`${widgets}/ident`, merge, { metadata: null })).code, 400);
  assert.equal((await patch(`${widgets}/ident`, merge, { metadata: { uid: 'other' } })).code, 409);
  assert.equal((await patch(`${widgets}/missing`, merge, {})).code, 404);
});

test('2.6 patches without a resourceVersion never conflict, with one they do', async () => {
  const first = await created('race');
  const racing = Array.from({ length: 20 }, (_, n) => patch(`${widgets}/race`, merge, { metadata: { labels: { [`l${n}`]: 'x' } } }));
  const answers = await Promise.all(racing);
  assert.deepEqual([...new Set(answers.map(({ code }) => code))], [200]);
  const labels = (await server.admin.get(`${widgets}/race`)).object().metadata.labels ?? {};
  assert.equal(Object.keys(labels).length, 20);
  const stale = await patch(`${widgets}/race`, merge, {
    metadata: { resourceVersion: first.metadata.resourceVersion, labels: { z: 'x' } },
  });
  assert.equal(stale.code, 409);
});

test('2.6 a patch that changes nothing writes nothing', async () => {
  const first = await created('noop');
  const answer = await patch(`${widgets}/noop`, merge, { spec: { size: 1 } });
  assert.equal(answer.object().metadata.resourceVersion, first.metadata.resourceVersion);
});

test('2.4 strict errors of JSON and merge patches are 422 on `patch`', async () => {
  await created('strict');
  const strict = await patch(`${widgets}/strict?fieldValidation=Strict`, merge, { spec: { colour: 'x' } });
  assert.equal(strict.code, 422);
  assert.equal(strict.status().details?.causes?.[0]?.field, 'patch');
  assert.match(strict.status().message ?? '', /strict decoding error: unknown field "spec\.colour"/);
  const warned = await patch(`${widgets}/strict`, merge, { spec: { colour: 'x' } });
  assert.match(String(warned.headers['warning']), /unknown field/);
});

test('2.4 force belongs to apply only', async () => {
  await created('force');
  const answer = await patch(`${widgets}/force?force=true`, merge, {});
  assert.equal(answer.code, 422);
  assert.match(answer.status().message ?? '', /force: Forbidden: may not be specified for non-apply patch/);
});

test('2.8 PATCH of status changes only status', async () => {
  await created('status');
  const answer = await patch(`${widgets}/status/status`, merge, { spec: { size: 5 }, status: { note: 'n' } });
  assert.equal(answer.code, 200);
  assert.deepEqual(answer.object()['spec'], { size: 1, color: 'red' });
  assert.deepEqual(answer.object()['status'], { note: 'n' });
});
