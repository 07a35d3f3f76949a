import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { artifactTypes, endpoints, orders, type Endpoint, type Order } from '@arc/api/arc';
import { configMaps } from '@arc/api/core';
import { eventually, findProgram, startEmbeddedArc, startEtcd, type EtcdServer } from '@arc/testkit';
import { startWorld } from './support/world.ts';

const program = findProgram('etcd');
const skip = program === undefined ? 'no etcd on this machine' : undefined;

/** As Go's encoder writes it: fields in the order of its structs, `<`, `>` and `&` escaped, a newline at the end. */
function goJson(object: unknown): string {
  const escaped = JSON.stringify(object).replaceAll(/[<>&]/g, (character) => `\\u00${character.charCodeAt(0).toString(16)}`);
  return `${escaped}\n`;
}

/** What an API server library writes for objects of a group, without a resourceVersion. */
function upstreamObjects(group: string): Readonly<Record<string, string>> {
  const apiVersion = `${group}/v1alpha1`;
  const managedFields = (fieldsV1: unknown): readonly unknown[] => [
    { manager: 'kubectl-create', operation: 'Update', apiVersion, time: '2025-11-20T08:00:00Z', fieldsType: 'FieldsV1', fieldsV1 },
  ];
  const endpoint = {
    kind: 'Endpoint',
    apiVersion,
    metadata: {
      name: 'source',
      namespace: 'default',
      uid: '0b8e2cc8-5f56-4a6b-9d6c-0d4f5b0c1a01',
      creationTimestamp: '2025-11-20T08:00:00Z',
      annotations: { note: 'team <ops> & friends' },
      managedFields: managedFields({ 'f:spec': { 'f:remoteURL': {}, 'f:type': {}, 'f:usage': {} } }),
    },
    spec: { type: 'oci', remoteURL: 'https://registry.example?a=1&b=2', secretRef: { name: '' }, usage: 'PullOnly' },
    status: {},
  };
  const order = {
    kind: 'Order',
    apiVersion,
    metadata: {
      name: 'nightly',
      namespace: 'default',
      uid: '0b8e2cc8-5f56-4a6b-9d6c-0d4f5b0c1a02',
      creationTimestamp: '2025-11-20T08:00:01Z',
      finalizers: [`${group}/order-finalizer`],
      managedFields: managedFields({ 'f:metadata': { 'f:finalizers': { '.': {}, [`v:"${group}/order-finalizer"`]: {} } } }),
    },
    spec: {
      defaults: { srcRef: { name: 'source' }, dstRef: { name: 'nowhere' } },
      artifacts: [{ type: 'unheard-of', srcRef: { name: '' }, dstRef: { name: '' }, spec: { image: `${group}/app:v1` } }],
    },
    status: {},
  };
  /** Of no namespace then. */
  const type = { kind: 'ArtifactType', apiVersion, metadata: { name: 'oci', uid: '0b8e2cc8-5f56-4a6b-9d6c-0d4f5b0c1a03' }, spec: {} };
  const early = { ...endpoint, metadata: { name: 'early', namespace: 'default', creationTimestamp: null } };
  return {
    'endpoints/default/source': goJson(endpoint),
    'endpoints/default/early': goJson(early),
    'orders/default/nightly': goJson(order),
    'artifacttypes/oci': goJson(type),
  };
}

async function put(etcd: EtcdServer, key: string, value: string): Promise<void> {
  await etcd.call('kv/put', { key: Buffer.from(key).toString('base64'), value: Buffer.from(value).toString('base64') });
}

async function read(etcd: EtcdServer, key: string): Promise<string | undefined> {
  const answer = await etcd.call('kv/range', { key: Buffer.from(key).toString('base64') });
  const { kvs } = answer as { readonly kvs?: readonly { readonly value: string }[] };
  return kvs?.[0] === undefined ? undefined : Buffer.from(kvs[0].value, 'base64').toString();
}

for (const { group, parameters } of [
  { group: 'arc.opendefense.cloud', parameters: 'prefix=/registry/arc.opendefense.cloud' },
  { group: 'arc.bwi.de', parameters: 'prefix=/registry/arc.bwi.de&group=arc.bwi.de' },
]) {
  test(`an etcd that upstream ARC wrote, when its group was ${group}, is served as it is`, { skip }, async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'arc-e2e-'));
    await using etcd = await startEtcd(program ?? '', join(folder, 'etcd'));
    const root = `/registry/${group}/${group}/`;
    for (const [key, value] of Object.entries(upstreamObjects(group))) await put(etcd, `${root}${key}`, value);
    const stored = async (key: string): Promise<string> => (await read(etcd, `${root}${key}`)) ?? '';

    await t.test('only where the URL says so', async () => {
      const dataDir = join(folder, 'wrong');
      await assert.rejects(startEmbeddedArc({ dataDir, storage: `etcd://${etcd.host}` }), new RegExp(`give prefix=/registry/${group}\\.`));
    });

    await using world = await startWorld({ storage: `etcd://${etcd.host}?${parameters}` });
    const { client } = world;

    await t.test('its objects are there under the present name', async () => {
      const { items } = await client.list<Endpoint>(endpoints, { namespace: 'default' });
      assert.deepEqual(
        items.map(({ metadata }) => metadata.name),
        ['early', 'source'],
      );
      const source = items[1];
      assert.equal(source?.apiVersion, 'arc.opendefense.cloud/v1alpha1');
      assert.equal(source?.metadata.annotations?.['note'], 'team <ops> & friends');
      assert.equal(source?.spec?.remoteURL, 'https://registry.example?a=1&b=2');
      const order = await client.get<Order>(orders, { namespace: 'default', name: 'nightly' });
      assert.deepEqual(order.metadata.finalizers, ['arc.opendefense.cloud/order-finalizer']);
      assert.deepEqual(order.spec?.artifacts?.[0]?.spec, { image: `${group}/app:v1` });
      assert.deepEqual((await client.list(artifactTypes, { namespace: 'default' })).items, []);
      assert.equal((await client.list(artifactTypes)).items.length, 1);
      assert.match((await world.arcctl(['get', 'orders'])).stdout, /nightly/);
    });

    await t.test('what the controllers and others write is what upstream can read', async () => {
      await eventually(
        async () => (await client.get<Order>(orders, { namespace: 'default', name: 'nightly' })).status?.phase !== undefined,
        {
          what: 'a status of the Order',
        },
      );
      await client.patch(endpoints, { namespace: 'default', name: 'source' }, { spec: { usage: 'All' } });
      for (const key of ['endpoints/default/source', 'orders/default/nightly']) {
        const text = await stored(key);
        const { apiVersion, metadata } = JSON.parse(text) as {
          readonly apiVersion: string;
          readonly metadata: Readonly<Record<string, unknown>>;
        };
        assert.equal(apiVersion, `${group}/v1alpha1`);
        assert.equal(metadata['resourceVersion'], undefined);
        assert.equal(/arc\.(bwi\.de|opendefense\.cloud)\//.exec(JSON.stringify(metadata))?.[1], group.slice('arc.'.length));
      }
      await client.create(configMaps, { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'beside', namespace: 'default' } });
      assert.notEqual(await read(etcd, `/registry/${group}/core/configmaps/default/beside`), undefined);
    });

    await t.test('an Order that upstream keeps by its finalizer can be deleted', async () => {
      await client.delete(orders, { namespace: 'default', name: 'nightly' });
      await eventually(async () => (await stored('orders/default/nightly')) === '', { what: 'the Order to go' });
    });
    await rm(folder, { recursive: true, force: true });
  });
}
