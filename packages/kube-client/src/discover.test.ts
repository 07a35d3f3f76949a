import { statusError } from '@arc/apimachinery';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RawResponse } from './client.ts';
import { discover, findResource } from './discover.ts';
import { createFakeClient } from './fake/index.ts';

const order = { verbs: ['get', 'list'], shortNames: ['ord'], categories: ['arc'] };
const orderType = { group: 'arc.example', version: 'v1alpha1', plural: 'orders', kind: 'Order', namespaced: true };
const expected = [
  {
    type: { group: '', version: 'v1', plural: 'events', kind: 'Event', namespaced: true },
    singular: 'event',
    shortNames: ['ev'],
    categories: [],
    verbs: ['list'],
    subresources: [],
  },
  { type: orderType, singular: 'order', ...order, subresources: ['status'] },
];

const aggregated: Record<string, unknown> = {
  '/api': {
    items: [
      {
        metadata: {},
        versions: [
          {
            version: 'v1',
            resources: [
              {
                resource: 'events',
                responseKind: { kind: 'Event' },
                scope: 'Namespaced',
                singularResource: 'event',
                verbs: ['list'],
                shortNames: ['ev'],
              },
            ],
          },
        ],
      },
    ],
  },
  '/apis': {
    items: [
      {
        metadata: { name: 'arc.example' },
        versions: [
          {
            version: 'v1alpha1',
            resources: [
              {
                resource: 'orders',
                responseKind: { kind: 'Order' },
                scope: 'Namespaced',
                singularResource: 'order',
                ...order,
                subresources: [{ subresource: 'status' }],
              },
            ],
          },
        ],
      },
    ],
  },
};

const legacy: Record<string, unknown> = {
  '/api': { kind: 'APIVersions', versions: ['v1'] },
  '/api/v1': {
    resources: [{ name: 'events', singularName: 'event', namespaced: true, kind: 'Event', verbs: ['list'], shortNames: ['ev'] }],
  },
  '/apis': { groups: [{ name: 'arc.example', versions: [{ groupVersion: 'arc.example/v1alpha1' }] }] },
  '/apis/arc.example/v1alpha1': {
    resources: [
      { name: 'orders', singularName: 'order', namespaced: true, kind: 'Order', ...order },
      { name: 'orders/status', singularName: '', namespaced: true, kind: 'Order', verbs: ['get'] },
    ],
  },
};

function clientOf(documents: Record<string, unknown>, contentType: string) {
  const client = createFakeClient();
  client.onRaw(({ path }): RawResponse => {
    const document = documents[path];
    if (document === undefined) throw statusError.noSuchRoute();
    const bytes = new TextEncoder().encode(JSON.stringify(document));
    return {
      status: 200,
      headers: { 'content-type': contentType },
      body: (async function* () {
        yield bytes;
      })(),
    };
  });
  return client;
}

test('aggregated discovery needs two requests', async () => {
  const client = clientOf(aggregated, 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList');
  assert.deepEqual(await discover(client), expected);
  assert.equal(client.requests.length, 2);
});

test('a server without it is asked group version by group version', async () => {
  assert.deepEqual(await discover(clientOf(legacy, 'application/json')), expected);
});

test('a server without core group is fine', async () => {
  const { '/api': _core, ...rest } = legacy;
  assert.deepEqual(await discover(clientOf(rest, 'application/json')), expected.slice(1));
});

test('resources are found by every name they go by', () => {
  for (const text of ['orders', 'order', 'Order', 'ORD', 'orders.arc.example', 'ord.v1alpha1.arc.example']) {
    assert.equal(findResource(expected, text).type, orderType, text);
  }
  assert.equal(findResource(expected, 'ev.v1').type.kind, 'Event');
  assert.throws(() => findResource(expected, 'ordrs'), { code: 'UnknownResource', hint: 'Did you mean orders?' });
  assert.throws(() => findResource(expected, 'pods'), { code: 'UnknownResource', hint: /api-resources/ });
});
