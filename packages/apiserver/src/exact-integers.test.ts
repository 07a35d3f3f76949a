import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type KindDefinition, type KubeObject, parseJson, s, type Static } from '@arc/apimachinery';
import * as pki from '@arc/pki';
import { testKinds } from './testing/kinds.ts';
import { startTestServer, type TestServer } from './testing/test-server.ts';

const counterSchema = s.object({
  spec: s.object({
    total: s.int64(),
    small: s.optional(s.integer({ format: 'int32' })),
    safe: s.optional(s.integer()),
    marks: s.optional(s.array(s.int64(), { 'x-kubernetes-list-type': 'set' })),
    parts: s.optional(s.listMap(s.object({ id: s.int64(), value: s.optional(s.int64()) }), ['id'])),
    free: s.optional(s.freeForm()),
  }),
});

interface Counter extends KubeObject, Static<typeof counterSchema> {}

const counterDefinition: KindDefinition<Counter> = {
  group: 'count.example.com',
  version: 'v1',
  kind: 'Counter',
  names: { plural: 'counters', singular: 'counter' },
  scope: 'Namespaced',
  description: 'Counter counts far.',
  schema: counterSchema,
  columns: [{ name: 'Total', type: 'integer', description: 'How far it is.', value: ({ spec }) => spec.total }],
};

/** The first integer a double cannot hold, and the last an int64 can. */
const odd = '9007199254740993';
const most = '9223372036854775807';
const counters = '/apis/count.example.com/v1/namespaces/ns/counters';
let server: TestServer;

before(async () => {
  server = await startTestServer(pki, { kinds: [...testKinds, counterDefinition] });
});
after(() => server[Symbol.asyncDispose]());

/** Written as text: no value of JavaScript would say exactly this. */
function counter(name: string, spec: string): string {
  return `{"apiVersion":"count.example.com/v1","kind":"Counter","metadata":{"name":"${name}"},"spec":${spec}}`;
}

function patch(name: string, type: string, body: string, query = '') {
  return server.admin.send('PATCH', `${counters}/${name}${query}`, { body, headers: { 'content-type': `application/${type}` } });
}

async function create(name: string, spec: string): Promise<void> {
  const answer = await server.admin.post(counters, counter(name, spec));
  assert.equal(answer.code, 201, answer.text);
}

async function read(name: string, accept = 'application/json'): Promise<string> {
  return (await server.admin.get(`${counters}/${name}`, { accept })).text;
}

test('4.1 an int64 comes back as it was sent, from create, get, list, watch and Table, as JSON and YAML', async () => {
  const spec = `{"total":${odd},"marks":[${most},-${most}],"free":{"deep":[${odd},1.5,1e3]}}`;
  const kept = `"spec":{"total":${odd},"marks":[${most},-${most}],"free":{"deep":[${odd},1.5,1000]}}`;
  const created = await server.admin.post(counters, counter('seen', spec));
  assert.ok(created.text.includes(kept), created.text);
  assert.ok((await read('seen')).includes(kept));
  assert.ok((await server.admin.get(counters)).text.includes(kept));
  assert.match(await read('seen', 'application/yaml'), new RegExp(`total: ${odd}\n`));
  assert.match(await read('seen', 'application/json;as=Table;g=meta.k8s.io;v=v1'), new RegExp(`"cells":\\["seen",${odd}\\]`));
  const pretty = await server.admin.get(`${counters}/seen?pretty=1`);
  assert.match(pretty.text, new RegExp(`"total": ${odd}`));
});

test('4.7 a watch shows an int64 as it was sent', async () => {
  const response = await server.admin.get(`${counters}?watch=1&timeoutSeconds=1&fieldSelector=metadata.name%3Dseen`);
  assert.match(response.text, new RegExp(`"total":${odd}`));
});

test('4.1 an int64 in a YAML body is exact', async () => {
  const body = `apiVersion: count.example.com/v1\nkind: Counter\nmetadata: {name: yaml}\nspec: {total: ${odd}, free: {hex: 0x20000000000001}}\n`;
  const created = await server.admin.post(counters, body, { 'content-type': 'application/yaml' });
  assert.ok(created.text.includes(`"spec":{"total":${odd},"free":{"hex":${odd}}}`), created.text);
});

test('2.6 an update keeps an int64, and one that changes its last digit is a change', async () => {
  await create('put', `{"total":${odd}}`);
  const before = await read('put');
  const same = await server.admin.send('PUT', `${counters}/put`, { body: before });
  assert.equal(same.text, before, 'nothing was written');
  const changed = await server.admin.send('PUT', `${counters}/put`, { body: before.replace(odd, '9007199254740992') });
  assert.match(changed.text, /"generation":2.*"total":9007199254740992/);
});

test('2.7 merge and JSON patches keep every int64, those they change and those they do not', async () => {
  await create('patched', `{"total":${odd},"free":{"kept":${most}}}`);
  const merged = await patch('patched', 'merge-patch+json', `{"spec":{"total":9007199254740995}}`);
  assert.ok(merged.text.includes(`"spec":{"total":9007199254740995,"free":{"kept":${most}}}`), merged.text);
  const replaced = await patch(
    'patched',
    'json-patch+json',
    `[{"op":"test","path":"/spec/total","value":9007199254740995},{"op":"copy","from":"/spec/free/kept","path":"/spec/free/copy"},{"op":"replace","path":"/spec/total","value":${odd}}]`,
  );
  assert.ok(replaced.text.includes(`"spec":{"total":${odd},"free":{"kept":${most},"copy":${most}}}`), replaced.text);
  const refused = await patch('patched', 'json-patch+json', `[{"op":"test","path":"/spec/total","value":9007199254740992}]`);
  assert.equal(refused.code, 422, 'the nearest double is another number');
});

test('5.2 server-side apply tells neighbouring int64 apart, in values, sets and keys', async () => {
  const parts = (value: string): string => `[{"id":${odd},"value":${value}},{"id":9007199254740992}]`;
  const spec = `{"total":${odd},"marks":[9007199254740992,${odd}],"parts":${parts(most)}}`;
  const applied = await patch('applied', 'apply-patch+yaml', counter('applied', spec), '?fieldManager=one');
  assert.equal(applied.code, 201, applied.text);
  assert.ok(applied.text.includes(`"spec":${spec}`), applied.text);
  assert.ok(applied.text.includes(`"v:${odd}":{}`), 'managedFields name the members of the set');
  assert.ok(applied.text.includes(`"k:{\\"id\\":${odd}}":`), 'and the keys of the list');

  const again = await patch('applied', 'apply-patch+yaml', counter('applied', spec), '?fieldManager=one');
  assert.deepEqual(parseJson(again.text), parseJson(applied.text), 'applying again writes nothing');
  const shared = await patch('applied', 'apply-patch+yaml', counter('applied', `{"total":${odd}}`), '?fieldManager=two');
  assert.equal(shared.code, 200, 'the same value is no conflict');
  const other = counter('applied', `{"parts":${parts('9223372036854775806')},"total":9007199254740992}`);
  const conflict = await patch('applied', 'apply-patch+yaml', other, '?fieldManager=two');
  assert.equal(conflict.code, 409);
  assert.match(conflict.status().message ?? '', new RegExp(`\\.spec\\.parts\\[id=${odd}\\]\\.value`));
  assert.match(conflict.status().message ?? '', /\.spec\.total/);
});

test('2.3 numbers out of range are refused in the words of Kubernetes', async () => {
  const refused = async (spec: string): Promise<string | undefined> => {
    const answer = await server.admin.post(counters, counter('bad', spec));
    assert.equal(answer.code, 422, answer.text);
    return answer.status().details?.causes?.[0]?.message;
  };
  assert.equal(
    await refused('{"total":9223372036854775808}'),
    'Invalid value: "number": spec.total in body must be of type integer: "number"',
  );
  assert.equal(await refused('{"total":1.5}'), 'Invalid value: "number": spec.total in body must be of type integer: "number"');
  assert.equal(
    await refused('{"total":1,"small":2147483648}'),
    'Invalid value: 2147483648: Checked value must be of type integer with format int32 in spec.small',
  );
  assert.equal(
    await refused(`{"total":1,"small":${odd}}`),
    `Invalid value: ${odd}: Checked value must be of type integer with format int32 in spec.small`,
  );
  assert.equal(
    await refused(`{"total":1,"safe":-${odd}}`),
    `Invalid value: -${odd}: spec.safe in body should be greater than or equal to -9007199254740991`,
  );
  assert.equal(await refused(`{"total":1,"marks":[${odd},${odd}]}`), `Duplicate value: ${odd}`);
});
