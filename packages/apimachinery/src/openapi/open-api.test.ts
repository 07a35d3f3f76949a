import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { isObject } from '../json/object.ts';
import type { KindDefinition } from '../kind/kind.ts';
import { s } from '../schema/builder.ts';
import { buildOpenApi } from './open-api.ts';

const hashes = { sha512: (text: string): string => createHash('sha512').update(text).digest('hex') };
const widget: KindDefinition = {
  group: 'demo.example.com',
  version: 'v1',
  kind: 'Widget',
  names: { plural: 'widgets', singular: 'widget' },
  scope: 'Namespaced',
  description: 'A widget.',
  schema: s.object({
    spec: s.object({
      port: s.optional(s.intOrString({ description: 'A port.' })),
      parts: s.optional(s.listMap(s.object({ name: s.string() }), ['name'])),
      free: s.optional(s.freeForm()),
    }),
  }),
  subresources: { status: true },
};
const namespace: KindDefinition = {
  group: '',
  version: 'v1',
  kind: 'Namespace',
  names: { plural: 'namespaces', singular: 'namespace' },
  scope: 'Cluster',
  description: 'A namespace.',
  schema: s.object({}),
  strategicMergePatch: true,
};
const review: KindDefinition = {
  ...namespace,
  group: 'authorization.k8s.io',
  kind: 'Review',
  names: { plural: 'reviews', singular: 'review' },
  verbs: ['create'],
};
const pod: KindDefinition = {
  ...namespace,
  kind: 'Pod',
  names: { plural: 'pods', singular: 'pod' },
  scope: 'Namespaced',
  verbs: ['get', 'list', 'watch'],
};
const log = {
  group: '',
  version: 'v1',
  resource: 'pods',
  subresource: 'log',
  verbs: ['get'],
  mediaType: 'text/plain',
  queryParameters: [{ name: 'follow', type: 'boolean', description: 'Go on as the log grows.' }],
} as const;
const api = { kinds: [namespace, pod, widget, review], extraSubresources: [log] };
const openApi = buildOpenApi(api, hashes, { version: 'v1.2.3' });

interface Operation {
  operationId: string;
  parameters?: { name: string }[];
  requestBody?: { content: Record<string, unknown> };
  'x-kubernetes-group-version-kind': unknown;
  'x-kubernetes-action': string;
}
interface Document {
  paths: Record<string, Record<string, unknown>>;
  components: { schemas: Record<string, Record<string, unknown>> };
}
const documentOf = (key: string): Document => JSON.parse(openApi.documents.get(key)?.json ?? '') as Document;
const operationAt = (key: string, method: string, path: string): Operation | undefined =>
  documentOf(key).paths[path]?.[method] as Operation | undefined;
const operations = (document: Document): [string, Operation][] =>
  Object.entries(document.paths).flatMap(([path, item]) =>
    Object.entries(item)
      .filter(([method]) => method !== 'parameters')
      .map(([method, operation]): [string, Operation] => [`${method} ${path}`, operation as Operation]),
  );

test('1.4 the index names each document with the hash of its content', () => {
  const { paths } = JSON.parse(openApi.index.json) as { paths: Record<string, { serverRelativeURL: string }> };
  assert.deepEqual(Object.keys(paths), ['api/v1', 'apis/demo.example.com/v1', 'apis/authorization.k8s.io/v1']);
  const { json, hash } = openApi.documents.get('apis/demo.example.com/v1') ?? assert.fail();
  assert.equal(hash, hashes.sha512(json).toUpperCase());
  assert.equal(paths['apis/demo.example.com/v1']?.serverRelativeURL, `/openapi/v3/apis/demo.example.com/v1?hash=${hash}`);
  const changed = buildOpenApi({ kinds: [{ ...widget, description: 'Another.' }] }, hashes, { version: 'v1.2.3' });
  assert.notEqual(changed.documents.get('apis/demo.example.com/v1')?.hash, hash);
  const again = buildOpenApi(api, hashes, { version: 'v1.2.3' });
  assert.equal(again.index.json, openApi.index.json);
});

test('1.4 paths and operations of a namespaced kind', () => {
  const root = '/apis/demo.example.com/v1';
  assert.deepEqual(
    operations(documentOf('apis/demo.example.com/v1')).map(([where, operation]) => [
      where,
      operation['x-kubernetes-action'],
      operation.operationId,
    ]),
    [
      [`get ${root}/widgets`, 'list', 'listDemoExampleComV1WidgetForAllNamespaces'],
      [`post ${root}/namespaces/{namespace}/widgets`, 'post', 'createDemoExampleComV1NamespacedWidget'],
      [`delete ${root}/namespaces/{namespace}/widgets`, 'deletecollection', 'deleteCollectionDemoExampleComV1NamespacedWidget'],
      [`get ${root}/namespaces/{namespace}/widgets`, 'list', 'listDemoExampleComV1NamespacedWidget'],
      [`delete ${root}/namespaces/{namespace}/widgets/{name}`, 'delete', 'deleteDemoExampleComV1NamespacedWidget'],
      [`get ${root}/namespaces/{namespace}/widgets/{name}`, 'get', 'readDemoExampleComV1NamespacedWidget'],
      [`patch ${root}/namespaces/{namespace}/widgets/{name}`, 'patch', 'patchDemoExampleComV1NamespacedWidget'],
      [`put ${root}/namespaces/{namespace}/widgets/{name}`, 'put', 'replaceDemoExampleComV1NamespacedWidget'],
      [`get ${root}/namespaces/{namespace}/widgets/{name}/status`, 'get', 'readDemoExampleComV1NamespacedWidgetStatus'],
      [`patch ${root}/namespaces/{namespace}/widgets/{name}/status`, 'patch', 'patchDemoExampleComV1NamespacedWidgetStatus'],
      [`put ${root}/namespaces/{namespace}/widgets/{name}/status`, 'put', 'replaceDemoExampleComV1NamespacedWidgetStatus'],
    ],
  );
});

test('1.4 every operation carries its kind; writes carry what kubectl looks for', () => {
  for (const [where, operation] of operations(documentOf('apis/demo.example.com/v1'))) {
    assert.deepEqual(operation['x-kubernetes-group-version-kind'], { group: 'demo.example.com', kind: 'Widget', version: 'v1' }, where);
    if (/^(?:post|put|patch)/.test(where)) {
      const names = (operation.parameters ?? []).map(({ name }) => name);
      for (const wanted of ['dryRun', 'fieldManager', 'fieldValidation']) assert.ok(names.includes(wanted), `${where} ${wanted}`);
      assert.equal(names.includes('force'), where.startsWith('patch'));
    }
  }
  for (const { parameters } of Object.values(documentOf('api/v1').paths)) {
    assert.ok((parameters as { name: string }[]).some(({ name }) => name === 'pretty'));
  }
});

test('0.7 strategic merge patch is listed for kinds that take it, and only for them', () => {
  const patchTypes = (key: string, path: string): string[] => Object.keys(operationAt(key, 'patch', path)?.requestBody?.content ?? {});
  const widgetPath = '/apis/demo.example.com/v1/namespaces/{namespace}/widgets/{name}';
  assert.deepEqual(patchTypes('apis/demo.example.com/v1', widgetPath), ['application/json-patch+json', 'application/merge-patch+json']);
  assert.deepEqual(patchTypes('api/v1', '/api/v1/namespaces/{name}'), [
    'application/json-patch+json',
    'application/merge-patch+json',
    'application/strategic-merge-patch+json',
  ]);
  const applying = buildOpenApi(api, hashes, { version: 'v1', serverSideApply: true });
  assert.match(applying.documents.get('apis/demo.example.com/v1')?.json ?? '', /application\/apply-patch\+yaml/);
});

test('1.4 schemas: reverse-DNS names, kinds, metadata by reference, no dangling references', () => {
  for (const key of openApi.documents.keys()) {
    const document = documentOf(key);
    const names = Object.keys(document.components.schemas);
    for (const [, name] of JSON.stringify(document).matchAll(/"#\/components\/schemas\/([^"]+)"/g))
      assert.ok(names.includes(name ?? ''), name);
  }
  const { schemas } = documentOf('apis/demo.example.com/v1').components;
  assert.deepEqual(Object.keys(schemas), [
    'com.example.demo.v1.Widget',
    'com.example.demo.v1.WidgetList',
    ...['ObjectMeta', 'ListMeta', 'DeleteOptions', 'Patch', 'Status'].map((kind) => `io.k8s.apimachinery.pkg.apis.meta.v1.${kind}`),
  ]);
  const schema = schemas['com.example.demo.v1.Widget'] ?? assert.fail();
  assert.deepEqual(schema['x-kubernetes-group-version-kind'], [{ group: 'demo.example.com', kind: 'Widget', version: 'v1' }]);
  const properties = schema['properties'] as Record<string, { allOf?: unknown; properties?: Record<string, unknown> }>;
  assert.deepEqual(Object.keys(properties), ['apiVersion', 'kind', 'metadata', 'spec']);
  assert.deepEqual(properties['metadata']?.allOf, [{ $ref: '#/components/schemas/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta' }]);
  assert.deepEqual(properties['spec']?.properties?.['port'], {
    description: 'A port.',
    minimum: Number.MIN_SAFE_INTEGER,
    maximum: Number.MAX_SAFE_INTEGER,
    'x-kubernetes-int-or-string': true,
    anyOf: [{ type: 'integer' }, { type: 'string' }],
  });
  const parts = properties['spec']?.properties?.['parts'];
  assert.ok(isObject(parts));
  assert.deepEqual([parts['x-kubernetes-list-type'], parts['x-kubernetes-list-map-keys']], ['map', ['name']]);
  assert.ok(Object.hasOwn(documentOf('api/v1').components.schemas, 'io.k8s.api.core.v1.Namespace'));
});

test('1.4 kinds with few verbs, and subresources that are no objects', () => {
  assert.deepEqual(
    operations(documentOf('apis/authorization.k8s.io/v1')).map(([where]) => where),
    ['post /apis/authorization.k8s.io/v1/reviews'],
  );
  assert.ok(!Object.hasOwn(documentOf('apis/authorization.k8s.io/v1').components.schemas, 'io.k8s.api.authorization.v1.ReviewList'));
  const read = operationAt('api/v1', 'get', '/api/v1/namespaces/{namespace}/pods/{name}/log');
  assert.deepEqual(
    read?.parameters?.map(({ name }) => name),
    ['follow'],
  );
});
