import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtempDisposableSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { billOfMaterials } from './bill-of-materials.ts';
import { provenanceOf } from './provenance.ts';

const facts = { version: '1.2.3', time: '2026-11-29T00:00:00Z', commit: '0123456789abcdef0123456789abcdef01234567' };

test('the bill of materials names every package once, by its package URL, and what ours need', () => {
  const description = { name: '@arc/one', version: '1.2.3', dependencies: { yaml: '2.9.1' } };
  const bill = billOfMaterials(
    facts,
    [{ description, folder: '', sources: '' }],
    [
      { name: 'yaml', version: '2.9.1', license: 'ISC', folder: '' },
      { name: '@other/two', version: '4.0.0', license: 'MIT', folder: '' },
    ],
  );
  const components = bill['components'] as readonly { purl: string; licenses: unknown }[];
  assert.deepEqual(
    components.map(({ purl }) => purl),
    ['pkg:npm/%40arc/one@1.2.3', 'pkg:npm/yaml@2.9.1', 'pkg:npm/%40other/two@4.0.0'],
  );
  assert.deepEqual(components[1]?.licenses, [{ expression: 'ISC' }]);
  assert.deepEqual(bill['dependencies'], [
    { ref: 'artifact-conduit', dependsOn: ['pkg:npm/%40arc/one@1.2.3'] },
    { ref: 'pkg:npm/%40arc/one@1.2.3', dependsOn: ['pkg:npm/yaml@2.9.1'] },
  ]);
});

test('the provenance names files by their digests and the commit they are built from', () => {
  using place = mkdtempDisposableSync(join(tmpdir(), 'arc-provenance-'));
  const path = join(place.path, 'arc-one-1.2.3.tgz');
  writeFileSync(path, 'content');
  const statement = provenanceOf([path], facts, '24.21.0');
  const sha256 = createHash('sha256').update('content').digest('hex');
  assert.deepEqual(statement['subject'], [{ name: 'arc-one-1.2.3.tgz', digest: { sha256 } }]);
  const { buildDefinition } = statement['predicate'] as { buildDefinition: { resolvedDependencies: unknown } };
  assert.deepEqual(buildDefinition.resolvedDependencies, [{ name: 'source', digest: { gitCommit: facts.commit } }]);
});
