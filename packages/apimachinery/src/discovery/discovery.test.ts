import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import type { KindDefinition } from '../kind/kind.ts';
import { s } from '../schema/builder.ts';
import { aggregatedMediaType, buildDiscovery } from './discovery.ts';
import type { Hashes } from './hashes.ts';
import type { ExtraSubresource } from './served-kinds.ts';

const hashes: Hashes = {
  sha256: (text) => createHash('sha256').update(text).digest(),
  sha512: (text) => createHash('sha512').update(text).digest('hex'),
};
const kind = (group: string, version: string, name: string, more: Partial<KindDefinition> = {}): KindDefinition => ({
  group,
  version,
  kind: name,
  names: { plural: `${name.toLowerCase()}s`, singular: name.toLowerCase() },
  scope: 'Namespaced',
  description: name,
  schema: s.object({}),
  ...more,
});
const newEvent = kind('events.k8s.io', 'v1', 'Event');
const api = {
  kinds: [
    kind('', 'v1', 'Namespace', {
      scope: 'Cluster',
      names: { plural: 'namespaces', singular: 'namespace', shortNames: ['ns'] },
      subresources: { status: true },
    }),
    kind('', 'v1', 'Event', { servedAlsoAs: [{ definition: newEvent, fromStored: (object) => object, toStored: (object) => object }] }),
    kind('', 'v1', 'Pod'),
    kind('demo.example.com', 'v1', 'Widget', {
      names: { plural: 'widgets', singular: 'widget', shortNames: ['wd'], categories: ['all'] },
      subresources: { status: true },
    }),
    kind('demo.example.com', 'v1alpha1', 'Gadget'),
    kind('authorization.k8s.io', 'v1', 'Review', { scope: 'Cluster', verbs: ['create'] }),
  ],
  extraSubresources: [{ group: '', version: 'v1', resource: 'pods', subresource: 'log', verbs: ['get'] }] satisfies ExtraSubresource[],
};
const discovery = buildDiscovery(api, hashes);
const plain = (path: string): unknown => JSON.parse(discovery.plain.get(path)?.json ?? 'null');
const allVerbs = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'];

test('D1 D2 D3 groups and versions', () => {
  assert.deepEqual(plain('/api'), {
    kind: 'APIVersions',
    versions: ['v1'],
    serverAddressByClientCIDRs: [{ clientCIDR: '0.0.0.0/0', serverAddress: '' }],
  });
  const demo = {
    name: 'demo.example.com',
    versions: [
      { groupVersion: 'demo.example.com/v1', version: 'v1' },
      { groupVersion: 'demo.example.com/v1alpha1', version: 'v1alpha1' },
    ],
    preferredVersion: { groupVersion: 'demo.example.com/v1', version: 'v1' },
  };
  const groups = plain('/apis') as { kind: string; groups: { name: string }[] };
  assert.equal(groups.kind, 'APIGroupList');
  assert.deepEqual(
    groups.groups.map(({ name }) => name),
    ['events.k8s.io', 'demo.example.com', 'authorization.k8s.io'],
  );
  assert.deepEqual(groups.groups[1], demo);
  assert.deepEqual(plain('/apis/demo.example.com'), { kind: 'APIGroup', apiVersion: 'v1', ...demo });
});

test('D4 resources: sorted verbs, subresources after their parent, storageVersionHash', () => {
  assert.deepEqual(plain('/apis/demo.example.com/v1'), {
    kind: 'APIResourceList',
    apiVersion: 'v1',
    groupVersion: 'demo.example.com/v1',
    resources: [
      {
        name: 'widgets',
        singularName: 'widget',
        namespaced: true,
        kind: 'Widget',
        verbs: allVerbs,
        shortNames: ['wd'],
        categories: ['all'],
        storageVersionHash: 'bQ1YHmG75GQ=',
      },
      { name: 'widgets/status', singularName: '', namespaced: true, kind: 'Widget', verbs: ['get', 'patch', 'update'] },
    ],
  });
  const core = plain('/api/v1') as { groupVersion: string; resources: { name: string; storageVersionHash?: string; verbs: string[] }[] };
  assert.equal(core.groupVersion, 'v1');
  assert.deepEqual(
    core.resources.map(({ name }) => name),
    ['namespaces', 'namespaces/status', 'events', 'pods', 'pods/log'],
  );
  assert.equal(core.resources[3]?.storageVersionHash, 'xPOwRZ+Yhw8=', 'as every Kubernetes says of pods');
  const events = plain('/apis/events.k8s.io/v1') as typeof core;
  assert.equal(events.resources[0]?.storageVersionHash, core.resources[2]?.storageVersionHash);
  const reviews = plain('/apis/authorization.k8s.io/v1') as typeof core;
  assert.deepEqual(reviews.resources[0]?.verbs, ['create']);
  assert.equal(reviews.resources[0]?.storageVersionHash, undefined);
});

test('1.2 aggregated discovery in v2 and v2beta1', () => {
  const { json, etag } = discovery.aggregated('/apis', 'v2');
  const list = JSON.parse(json) as {
    kind: string;
    apiVersion: string;
    metadata: object;
    items: { metadata: { name?: string }; versions: unknown[] }[];
  };
  assert.equal(etag, `"${hashes.sha512(json).toUpperCase()}"`);
  assert.equal(list.kind, 'APIGroupDiscoveryList');
  assert.equal(list.apiVersion, 'apidiscovery.k8s.io/v2');
  assert.deepEqual(
    list.items.map(({ metadata }) => metadata.name),
    ['events.k8s.io', 'demo.example.com', 'authorization.k8s.io'],
  );
  const responseKind = { group: 'demo.example.com', version: 'v1', kind: 'Widget' };
  assert.deepEqual(list.items[1]?.versions[0], {
    version: 'v1',
    resources: [
      {
        resource: 'widgets',
        responseKind,
        scope: 'Namespaced',
        singularResource: 'widget',
        verbs: allVerbs,
        shortNames: ['wd'],
        categories: ['all'],
        subresources: [{ subresource: 'status', responseKind, verbs: ['get', 'patch', 'update'] }],
      },
    ],
    freshness: 'Current',
  });
  assert.deepEqual(JSON.parse(discovery.aggregated('/apis', 'v2beta1').json), { ...list, apiVersion: 'apidiscovery.k8s.io/v2beta1' });
  const core = JSON.parse(discovery.aggregated('/api', 'v2').json) as {
    items: { metadata: object; versions: { resources: { resource: string; subresources?: unknown }[] }[] }[];
  };
  assert.equal(core.items.length, 1);
  assert.deepEqual(core.items[0]?.metadata, {});
  assert.deepEqual(core.items[0]?.versions[0]?.resources[2]?.subresources, [
    { subresource: 'log', responseKind: { group: '', version: 'v1', kind: 'Pod' }, verbs: ['get'] },
  ]);
  assert.equal(aggregatedMediaType('v2'), 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList');
});

test('D1 a server without the core group', () => {
  const { plain, aggregated } = buildDiscovery({ kinds: [kind('demo.example.com', 'v1', 'Widget')] }, hashes);
  assert.deepEqual((JSON.parse(plain.get('/api')?.json ?? '') as { versions: unknown }).versions, []);
  assert.equal(plain.get('/api/v1'), undefined);
  assert.deepEqual((JSON.parse(aggregated('/api', 'v2').json) as { items: unknown }).items, []);
});
