import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fillTemplate, groupLabel, objectName, sentAnnotation, sentMarker, templateOf, tierLabel } from './object-template.ts';

interface Filled {
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly annotations: Readonly<Record<string, string>>;
  };
  readonly spec: unknown;
}

test('a filled template is the manifest under another name, with labels to select and the time it was sent', () => {
  const manifest = { apiVersion: 'v1', kind: 'Thing', metadata: { name: 'x', labels: { own: 'label' } }, spec: { a: '@@DIGEST@@' } };
  const template = templateOf(manifest, 'ns');
  const text = fillTemplate(template, 42, 1_764_000_000_123_456);
  const object = JSON.parse(text) as Filled;
  assert.equal(object.kind, 'Thing');
  assert.equal(object.metadata.name, objectName(42));
  assert.equal(object.metadata.namespace, 'ns');
  assert.deepEqual(object.metadata.labels, { own: 'label', [groupLabel]: 'g-42', [tierLabel]: 'common' });
  assert.equal(object.metadata.annotations[sentAnnotation], '1764000000123456');
  assert.match(text.slice(text.indexOf(sentMarker) + sentMarker.length), /^\d{16}"/);
  assert.equal(fillTemplate(template, 42, 7).length, text.length, 'of one length, whatever the time');
  assert.notDeepEqual((JSON.parse(fillTemplate(template, 43, 7)) as Filled).spec, object.spec);
});
