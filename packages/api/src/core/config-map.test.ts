import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configMapDefinition } from './config-map.ts';
import type { ConfigMap } from './config-map.ts';

function configMap(fields: Partial<ConfigMap> = {}): ConfigMap {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'c', namespace: 'default' }, ...fields };
}

function errorsOf(object: ConfigMap): string[] {
  return (configMapDefinition.strategy?.validate?.(object) ?? []).map(({ field, message }) => `${field}: ${message}`);
}

test('data and binaryData may not share a key', () => {
  assert.deepEqual(errorsOf(configMap({ data: { a: '1' }, binaryData: { a: 'MQ==' } })), [
    'data[a]: Invalid value: "a": duplicate of key present in binaryData',
    'binaryData[a]: Invalid value: "a": duplicate of key present in data',
  ]);
});

test('text counts by its UTF-8 length', () => {
  assert.deepEqual(errorsOf(configMap({ data: { a: 'x'.repeat(1024 * 1024) } })), []);
  assert.deepEqual(errorsOf(configMap({ data: { a: 'ä'.repeat(600_000) } })), [': Too long: may not be more than 1048576 bytes']);
});

test('binaryData that is not base64 is refused by key', () => {
  assert.match(errorsOf(configMap({ binaryData: { a: '***' } }))[0] ?? '', /^binaryData\[a\]: Invalid value: "\*\*\*"/);
});

test('an immutable ConfigMap keeps both maps', () => {
  const old = configMap({ immutable: true, data: { a: '1' }, binaryData: { b: 'MQ==' } });
  const forbidden = (object: ConfigMap) => (configMapDefinition.strategy?.validateUpdate?.(object, old) ?? []).map(({ field }) => field);
  assert.deepEqual(forbidden({ ...old }), []);
  assert.deepEqual(forbidden({ ...old, data: {} }), ['data']);
  assert.deepEqual(forbidden({ ...old, binaryData: { b: 'Mg==' } }), ['binaryData']);
});

test('the Data column counts both maps', () => {
  const column = configMapDefinition.columns?.find(({ name }) => name === 'Data');
  assert.equal(column?.value(configMap({ data: { a: '1' }, binaryData: { b: '', c: '' } })), 3);
  assert.equal(column?.value(configMap()), 0);
});
