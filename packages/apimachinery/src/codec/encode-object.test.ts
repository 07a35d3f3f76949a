import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeJson } from './decode-json.ts';
import { encodeForStorage, encodeObject } from './encode-object.ts';

const order = {
  status: { phase: 'Grün' },
  metadata: { resourceVersion: '7', name: 'ä', labels: { metadata: 'x' } },
  kind: 'Order',
  apiVersion: 'arc.opendefense.cloud/v1alpha1',
};

test('apiVersion, kind and metadata come first, and the metadata range is exact', () => {
  const { bytes, metadata } = encodeObject(order);
  const text = new TextDecoder().decode(bytes);
  assert.equal(
    text,
    '{"apiVersion":"arc.opendefense.cloud/v1alpha1","kind":"Order","metadata":{"resourceVersion":"7","name":"ä","labels":{"metadata":"x"}},"status":{"phase":"Grün"}}',
  );
  assert.deepEqual(JSON.parse(new TextDecoder().decode(bytes.subarray(...metadata))), order.metadata);
});

test('the stored form has no resourceVersion', () => {
  const { bytes, metadata } = encodeForStorage(order);
  assert.ok(!new TextDecoder().decode(bytes).includes('resourceVersion'));
  assert.equal(new TextDecoder().decode(bytes.subarray(...metadata)), '{"name":"ä","labels":{"metadata":"x"}}');
  assert.equal(order.metadata.resourceVersion, '7');
});

test('an object of nothing but metadata, and a __proto__ field, survive', () => {
  assert.equal(
    new TextDecoder().decode(encodeObject({ apiVersion: 'v1', kind: 'A', metadata: {} }).bytes),
    '{"apiVersion":"v1","kind":"A","metadata":{}}',
  );
  const text = '{"apiVersion":"v1","kind":"A","metadata":{"__proto__":"x"},"__proto__":{"a":1}}';
  const object = decodeJson(text).value as Parameters<typeof encodeObject>[0];
  assert.equal(new TextDecoder().decode(encodeObject(object).bytes), text);
});
