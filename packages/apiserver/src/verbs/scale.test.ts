import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { ManagedFieldsEntry } from '@arc/apimachinery';
import * as pki from '@arc/pki';
import { testKinds } from '../testing/kinds.ts';
import { crewDefinition } from '../testing/scalable-kind.ts';
import { startTestServer } from '../testing/test-server.ts';

const server = await startTestServer(pki, { kinds: [...testKinds, crewDefinition] });
after(() => server[Symbol.asyncDispose]());
const crews = '/apis/demo.example.com/v1/namespaces/ns/crews';
const merge = { 'content-type': 'application/merge-patch+json' };
const applyPatch = { 'content-type': 'application/apply-patch+yaml' };

const create = (name: string, spec: object, manager = 'creator') =>
  server.admin.post(`${crews}?fieldManager=${manager}`, { metadata: { name }, spec });
const scaleOf = async (name: string) => (await server.admin.get(`${crews}/${name}/scale`)).object();
const patchScale = (name: string, body: unknown, query = '', headers: Record<string, string> = merge) =>
  server.admin.send('PATCH', `${crews}/${name}/scale${query}`, { body, headers });
const get = async (name: string) => (await server.admin.get(`${crews}/${name}`)).object();
const applied = (replicas: number, metadata = {}) => ({ apiVersion: 'autoscaling/v1', kind: 'Scale', metadata, spec: { replicas } });

/** Who owns the replicas: manager, operation and subresource. */
async function owners(name: string): Promise<string[]> {
  const { managedFields = [] } = (await get(name)).metadata;
  const owning = managedFields.filter(({ fieldsV1 }) => JSON.stringify(fieldsV1).includes('"f:members":{}'));
  return owning.map(({ manager, operation, subresource = '', apiVersion }: ManagedFieldsEntry) =>
    `${manager} ${operation} ${subresource} ${apiVersion}`.replace('  ', ' '),
  );
}

test('2.8 GET scale shows replicas wanted and observed, and the selector, wherever the kind keeps them', async () => {
  await create('shown', { size: { members: 3 }, ship: 'x' });
  const status = { status: { aboard: 2, selector: 'crew=shown' } };
  await server.admin.send('PATCH', `${crews}/shown/status`, { body: status, headers: merge });
  const { metadata } = await get('shown');
  assert.deepEqual(await scaleOf('shown'), {
    apiVersion: 'autoscaling/v1',
    kind: 'Scale',
    metadata: {
      name: 'shown',
      namespace: 'ns',
      uid: metadata.uid,
      resourceVersion: metadata.resourceVersion,
      creationTimestamp: metadata.creationTimestamp,
    },
    spec: { replicas: 3 },
    status: { replicas: 2, selector: 'crew=shown' },
  });
  const table = (await server.admin.get(`${crews}/shown/scale`, { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' })).object();
  assert.deepEqual((table['rows'] as { cells: unknown[] }[])[0]?.cells.slice(0, 3), ['shown', 3, 2]);
  assert.equal((await server.admin.get(`${crews}/missing/scale`)).code, 404);
  assert.equal((await server.admin.get('/apis/demo.example.com/v1/namespaces/ns/widgets/w/scale')).code, 404, 'not every kind has one');
  assert.equal((await server.admin.send('DELETE', `${crews}/shown/scale`)).code, 405);
  await create('unset', {});
  const unset = await server.admin.get(`${crews}/unset/scale`);
  assert.equal(unset.status().message, 'Internal error occurred: the spec replicas field ".spec.size.members" does not exist');
  assert.equal((await patchScale('unset', {})).code, 400);
  assert.equal((await patchScale('unset', { spec: { replicas: 2 } })).code, 200, 'what is missing is made');
});

test('2.8 PUT and PATCH of scale change the replicas and nothing else; generation counts', async () => {
  await create('changed', { size: { members: 1 }, ship: 'x' });
  const patched = await patchScale('changed', { metadata: { labels: { a: 'b' } }, spec: { replicas: 4 }, status: { replicas: 9 } });
  assert.equal(patched.code, 200);
  assert.deepEqual(
    [patched.object().kind, patched.object()['spec'], patched.object()['status']],
    ['Scale', { replicas: 4 }, { replicas: 0 }],
  );
  const object = await get('changed');
  assert.deepEqual(object['spec'], { size: { members: 4 }, ship: 'x' });
  assert.equal(object.metadata.labels, undefined);
  assert.equal(object.metadata.generation, 2);
  assert.equal(patched.object().metadata.resourceVersion, object.metadata.resourceVersion);

  const json = [
    { op: 'test', path: '/spec/replicas', value: 4 },
    { op: 'replace', path: '/spec/replicas', value: 5 },
  ];
  assert.equal((await patchScale('changed', json, '', { 'content-type': 'application/json-patch+json' })).code, 200);
  assert.equal((await patchScale('changed', {}, '', { 'content-type': 'application/strategic-merge-patch+json' })).code, 415);
  assert.equal((await server.admin.send('PUT', `${crews}/changed/scale`, { body: applied(6) })).code, 200, 'without a resourceVersion');
  assert.deepEqual((await patchScale('changed', { spec: { replicas: 7 } }, '?dryRun=All')).object()['spec'], { replicas: 7 });
  assert.deepEqual((await scaleOf('changed'))['spec'], { replicas: 6 }, 'a dry run stores nothing');
  const before = (await get('changed')).metadata.resourceVersion;
  await patchScale('changed', { spec: { replicas: 6 } });
  assert.equal((await get('changed')).metadata.resourceVersion, before, 'no change, no write');
});

test('2.8 4.4 PUT of scale takes protobuf, as the Scale of a custom resource does', async () => {
  await create('binary', { size: { members: 1 } });
  const field = (number: number, value: string | Buffer): Buffer => {
    const bytes = Buffer.from(value);
    return Buffer.concat([Buffer.from([(number << 3) | 2, bytes.length]), bytes]);
  };
  const type = Buffer.concat([field(1, 'autoscaling/v1'), field(2, 'Scale')]);
  const scale = Buffer.concat([field(1, Buffer.concat([field(1, 'binary'), field(3, 'ns')])), field(2, Buffer.from([0x08, 6]))]);
  const body = Buffer.concat([Buffer.from('k8s\0'), field(1, type), field(2, scale)]);
  const headers = { 'content-type': 'application/vnd.kubernetes.protobuf', accept: 'application/vnd.kubernetes.protobuf,application/json' };
  const answer = await server.admin.send('PUT', `${crews}/binary/scale`, { body, headers });
  assert.equal(answer.code, 200, answer.text);
  assert.deepEqual(answer.object()['spec'], { replicas: 6 });
  assert.deepEqual((await get('binary'))['spec'], { size: { members: 6 } });
  assert.match((await server.admin.get('/metrics')).text, /apiserver_request_total\{verb="PUT",[^}]*resource="crews",subresource="scale"/);
});

test('2.8 scale has the optimistic lock, and refuses what is no number of replicas', async () => {
  await create('locked', { size: { members: 1 } });
  const scale = await scaleOf('locked');
  await patchScale('locked', { spec: { replicas: 2 } });
  const stale = await server.admin.send('PUT', `${crews}/locked/scale`, { body: { ...scale, spec: { replicas: 3 } } });
  assert.equal(stale.code, 409);
  assert.equal(
    (await patchScale('locked', { metadata: { resourceVersion: scale.metadata.resourceVersion }, spec: { replicas: 3 } })).code,
    409,
  );
  assert.equal((await patchScale('locked', { metadata: { uid: 'another' }, spec: { replicas: 3 } })).code, 409);
  const { resourceVersion } = (await scaleOf('locked')).metadata;
  assert.equal((await patchScale('locked', { metadata: { resourceVersion }, spec: { replicas: 3 } })).code, 200);

  const negative = await patchScale('locked', { spec: { replicas: -1 } });
  assert.equal(negative.code, 422);
  assert.equal(
    negative.status().message,
    'Scale.autoscaling "locked" is invalid: spec.replicas: Invalid value: -1: must be greater than or equal to 0',
  );
  assert.equal((await patchScale('locked', { spec: { replicas: 'many' } })).code, 422);
  assert.equal((await patchScale('locked', { spec: { replicas: 2 ** 31 } })).code, 422);
  const misshapen = { ...applied(1), spec: 'many' };
  assert.equal((await server.admin.send('PUT', `${crews}/locked/scale`, { body: misshapen })).code, 422);
  assert.match(
    (await patchScale('locked', { spec: { replicas: 13 } })).status().message ?? '',
    /^Crew.*spec\.size\.members.*brings bad luck$/,
  );
  const strict = await server.admin.send('PUT', `${crews}/locked/scale?fieldValidation=Strict`, { body: { ...applied(1), x: 1 } });
  assert.equal(strict.status().message, 'strict decoding error: unknown field "x"');
  assert.equal((await server.admin.send('PUT', `${crews}/locked/scale`, { body: await get('locked') })).code, 400, 'a Crew is no Scale');
  assert.equal((await server.admin.send('PUT', `${crews}/locked/scale`, { body: applied(1, { name: 'other' }) })).code, 400);
  assert.deepEqual((await scaleOf('locked'))['spec'], { replicas: 3 });
});

test('2.8 what is scaled is owned through the subresource, at the path of the object', async () => {
  await create('owned', { size: { members: 1 }, ship: 'x' });
  assert.deepEqual(await owners('owned'), ['creator Update demo.example.com/v1']);
  await patchScale('owned', { spec: { replicas: 2 } }, '?fieldManager=scaler');
  assert.deepEqual(await owners('owned'), ['scaler Update scale demo.example.com/v1']);
  const entry = (await get('owned')).metadata.managedFields?.find(({ manager }) => manager === 'scaler');
  assert.deepEqual(entry?.fieldsV1, { 'f:spec': { 'f:size': { 'f:members': {} } } });
  const creator = (await get('owned')).metadata.managedFields?.find(({ manager }) => manager === 'creator');
  assert.match(JSON.stringify(creator?.fieldsV1), /f:ship/, 'the rest stays where it was');
});

test('2.8 scale is applied: conflicts, force, sharing, and in the same way from the object', async () => {
  const config = { apiVersion: 'demo.example.com/v1', kind: 'Crew', metadata: { name: 'applied' }, spec: { size: { members: 1 } } };
  const applyObject = (query: string) => server.admin.send('PATCH', `${crews}/applied${query}`, { body: config, headers: applyPatch });
  assert.equal((await applyObject('?fieldManager=gitops')).code, 201);
  const conflict = await patchScale('applied', applied(5), '?fieldManager=scaler', applyPatch);
  assert.equal(conflict.code, 409);
  assert.equal(conflict.status().message, 'Apply failed with 1 conflict: conflict with "gitops": .spec.replicas');
  assert.equal((await patchScale('applied', applied(1), '?fieldManager=friend', applyPatch)).code, 200);
  assert.deepEqual(await owners('applied'), ['friend Apply scale demo.example.com/v1', 'gitops Apply demo.example.com/v1']);
  const forced = await patchScale('applied', applied(5), '?fieldManager=scaler&force=true', applyPatch);
  assert.deepEqual(forced.object()['spec'], { replicas: 5 });
  assert.deepEqual(await owners('applied'), ['scaler Apply scale demo.example.com/v1']);
  const { resourceVersion } = (await get('applied')).metadata;
  await patchScale('applied', applied(5), '?fieldManager=scaler', applyPatch);
  assert.equal((await get('applied')).metadata.resourceVersion, resourceVersion, 'applying again writes nothing');
  assert.equal(
    (await applyObject('?fieldManager=gitops')).status().message,
    'Apply failed with 1 conflict: conflict with "scaler" with subresource "scale": .spec.size.members',
  );
  const unknown = await patchScale('applied', { ...applied(1), spec: { replicas: 1, x: 1 } }, '?fieldManager=scaler', applyPatch);
  assert.match(unknown.status().message ?? '', /Kind=Scale\): \.spec\.x: field not declared in schema/);
  assert.equal((await patchScale('missing', applied(1), '?fieldManager=scaler', applyPatch)).code, 404, 'there is nothing to scale');
});

test('2.8 6.3 scale is a right of its own: crews/scale', async () => {
  const asked: string[] = [];
  await using guarded = await startTestServer(pki, {
    kinds: [...testKinds, crewDefinition],
    authorizer: {
      authorize: async ({ verb, resource, subresource }) => {
        asked.push(`${verb} ${resource}/${subresource}`);
        return { decision: subresource === 'scale' ? 'allow' : 'deny', reason: '' };
      },
    },
  });
  await guarded.admin.post(crews, { metadata: { name: 'guarded' }, spec: { size: { members: 1 } } });
  const scaler = guarded.as('scaler');
  assert.equal((await scaler.get(`${crews}/guarded`)).code, 403);
  assert.equal((await scaler.send('PATCH', `${crews}/guarded/scale`, { body: { spec: { replicas: 2 } }, headers: merge })).code, 200);
  assert.deepEqual(asked, ['get crews/', 'patch crews/scale']);
});

test('2.8 1.1 scale shows in discovery and OpenAPI as autoscaling/v1 Scale', async () => {
  const verbs = ['get', 'patch', 'update'];
  const list = (await server.admin.get('/apis/demo.example.com/v1')).object() as unknown as { resources: { name: string }[] };
  assert.deepEqual(
    list.resources.find(({ name }) => name === 'crews/scale'),
    { name: 'crews/scale', singularName: '', namespaced: true, group: 'autoscaling', version: 'v1', kind: 'Scale', verbs },
  );
  const accept = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';
  assert.match(
    (await server.admin.get('/apis', { accept })).text,
    /\{"subresource":"scale","responseKind":\{"group":"autoscaling","version":"v1","kind":"Scale"\},"verbs":\["get","patch","update"\]\}/,
  );
  const openApi = JSON.parse((await server.admin.get('/openapi/v3/apis/demo.example.com/v1')).text) as {
    paths: Record<string, Record<string, { requestBody?: { content: object }; 'x-kubernetes-group-version-kind'?: object }>>;
    components: { schemas: object };
  };
  const path = openApi.paths['/apis/demo.example.com/v1/namespaces/{namespace}/crews/{name}/scale'];
  assert.deepEqual(path?.['patch']?.['x-kubernetes-group-version-kind'], { group: 'autoscaling', kind: 'Scale', version: 'v1' });
  assert.match(JSON.stringify(path['put']), /#\/components\/schemas\/io\.k8s\.api\.autoscaling\.v1\.Scale/);
  assert.ok(Object.hasOwn(openApi.components.schemas, 'io.k8s.api.autoscaling.v1.Scale'));
  assert.deepEqual(Object.keys(path['patch']?.requestBody?.content ?? {}).includes('application/strategic-merge-patch+json'), false);
});

test('2.8 a kind whose scale is not in its schema is refused', async () => {
  const wrong = { ...crewDefinition, subresources: { scale: { specReplicasPath: '.spec.ship', statusReplicasPath: '.status.aboard' } } };
  await assert.rejects(startTestServer(pki, { kinds: [wrong] }), { code: 'InvalidKind' });
});
