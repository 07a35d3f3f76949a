import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { renameGroup } from './group-rename.ts';

const [old, current] = ['arc.bwi.de', 'arc.opendefense.cloud'];
const rename = (text: string, from: string, to: string): string => Buffer.from(renameGroup(Buffer.from(text), from, to)).toString();

/** As Go's encoder writes it: kind before apiVersion, `<` escaped, a newline at the end. */
const upstream =
  `{"kind":"ArtifactWorkflow","apiVersion":"arc.bwi.de/v1alpha1","metadata":{"name":"a","namespace":"n","uid":"u",` +
  `"creationTimestamp":"2025-11-20T08:00:00Z","labels":{"arc.bwi.de/artifact-type":"oci"},` +
  `"annotations":{"note":"by arc.bwi.de/v1alpha1 \\u003cold\\u003e","kubectl.kubernetes.io/last-applied-configuration":"{\\"apiVersion\\":\\"arc.bwi.de/v1alpha1\\"}\\n"},` +
  `"ownerReferences":[{"apiVersion":"arc.bwi.de/v1alpha1","kind":"Order","name":"o","uid":"v","controller":true}],` +
  `"finalizers":["arc.bwi.de/artifact-workflow-finalizer"],` +
  `"managedFields":[{"manager":"m","operation":"Update","apiVersion":"arc.bwi.de/v1alpha1","time":null,"fieldsType":"FieldsV1",` +
  `"fieldsV1":{"f:metadata":{"f:labels":{"f:arc.bwi.de/artifact-type":{}},"f:finalizers":{".":{},"v:\\"arc.bwi.de/artifact-workflow-finalizer\\"":{}}}}}]},` +
  `"spec":{"type":"oci","parameters":[{"name":"image","value":"arc.bwi.de/team/app:v1"}]},"status":{}}\n`;

test('an object is renamed in its apiVersion and metadata, and stays as it is in all else', () => {
  const renamed = rename(upstream, old, current);
  const parts = upstream.split('"spec":');
  const expected = `${parts[0]?.replaceAll('arc.bwi.de/', 'arc.opendefense.cloud/').replace('by arc.opendefense.cloud/', 'by arc.bwi.de/')}"spec":${parts[1]}`;
  assert.equal(renamed, expected);
  assert.match(renamed, /"value":"arc\.bwi\.de\/team\/app:v1"/, 'an image in a registry of that name');
  assert.equal(rename(renamed, current, old), upstream, 'and back');
});

test('what does not name the group is handed back as it is', () => {
  for (const text of [
    '',
    'not json',
    '{"spec":{"image":"arc.bwi.de/a"}}',
    '{"metadata":{"name":"arc.bwi.de"}}',
    '["arc.bwi.de/v1"]',
    '{"metadata":',
  ]) {
    const bytes = Buffer.from(text);
    assert.equal(renameGroup(bytes, old, current), bytes, text);
  }
});

test('wherever metadata may name a group, renaming and renaming back is no change', () => {
  const word = fc.constantFrom('x', `${current}/x`, `a ${current}/x`, `"${current}/`, '\u{1f600}', '\\', 'f:', `f:${current}/x`);
  const tree = fc.letrec((tie) => ({ node: fc.oneof(word, fc.array(tie('node')), fc.dictionary(word, tie('node')), fc.constant(null)) }));
  fc.assert(
    fc.property(fc.record({ metadata: tree.node, spec: tree.node, apiVersion: word }), (object) => {
      const text = JSON.stringify(object);
      const renamed = rename(text, current, old);
      assert.equal(rename(renamed, old, current), text);
      assert.deepEqual((JSON.parse(renamed) as typeof object).spec, (JSON.parse(text) as typeof object).spec);
    }),
  );
});
