import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defaultNamespaces } from './default-namespaces.ts';
import { namespaceDefinition } from './namespace.ts';
import type { Namespace } from './namespace.ts';

function created(name: string, fields: Partial<Namespace> = {}): Namespace {
  const namespace: Namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name }, ...fields };
  namespaceDefinition.strategy?.prepareForCreate?.(namespace);
  return namespace;
}

test('a new namespace is Active, is kept by the kubernetes finalizer and carries its name as a label', () => {
  assert.deepEqual(created('team'), {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: 'team', labels: { 'kubernetes.io/metadata.name': 'team' } },
    spec: { finalizers: ['kubernetes'] },
    status: { phase: 'Active' },
  });
  assert.deepEqual(created('team', { spec: { finalizers: ['x/y'] } }).spec?.finalizers, ['x/y', 'kubernetes']);
});

test('the name label cannot be taken away', () => {
  const old = created('team');
  const next: Namespace = { ...old, metadata: { name: 'team', labels: { a: 'b' } } };
  namespaceDefinition.strategy?.prepareForUpdate?.(next, old);
  assert.deepEqual(next.metadata.labels, { a: 'b', 'kubernetes.io/metadata.name': 'team' });
});

test('a first start creates default and kube-system, fresh objects each time', () => {
  assert.deepEqual(
    defaultNamespaces().map(({ metadata }) => metadata.name),
    ['default', 'kube-system'],
  );
  assert.notEqual(defaultNamespaces()[0], defaultNamespaces()[0]);
});
