import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseFileArtifactSpec } from './file-artifact-spec.ts';

const digest = `sha256:${'a'.repeat(64)}`;
const parse = (spec: unknown) => parseFileArtifactSpec(JSON.stringify(spec));

test('the spec of a blob artifact', () => {
  const plain = parse({ path: 'a/b%20c.tgz', digest, checksums: '', override: 'tools/b:1', unknown: {} });
  assert.deepEqual([plain.publishedName, plain.name, plain.digest, plain.checksums], ['b c.tgz', 'b c.tgz', digest, undefined]);
  assert.deepEqual([plain.mediaType, plain.artifactType], ['application/octet-stream', 'application/vnd.opendefense.arc.file.v1']);
  assert.deepEqual(plain.registryTarget(), { repository: 'tools/b', tags: ['1'] });
  const named = parse({ path: 'a/b.tgz', name: 'other.tgz', tags: ['1', '2'], override: { repository: 'tools/b' } });
  assert.deepEqual([named.publishedName, named.name, named.registryTarget().tags], ['b.tgz', 'other.tgz', ['1', '2']]);
  assert.equal(parse({ path: 'a/b.tgz', name: 'other.tgz' }).directoryPath(), 'a/other.tgz');
  assert.equal(parse({ path: '/a/b.tgz', override: 'x/y.tgz' }).directoryPath(), 'x/y.tgz');
  assert.equal(parse({ path: '100%' }).name, '100%');
});

test('what is wrong is said with its field', () => {
  for (const [spec, expected] of [
    [{}, /names no file/],
    [{ path: 7 }, /spec\.path: path is not a string/],
    [{ path: 'a/..' }, /spec\.path: not a name for a file/],
    [{ path: 'a%2fb' }, /spec\.path: not a name for a file/],
    [{ path: 'a', name: '../x' }, /spec\.name: not a name for a file/],
    [{ path: 'a', digest: 'md5:x' }, /spec\.digest: not a digest/],
    [{ path: 'a', mediaType: 'text' }, /spec\.mediaType: not a media type/],
    [{ path: 'a', onConflict: 'yes' }, /spec\.onConflict/],
  ] as const) {
    assert.throws(() => parse(spec), expected);
  }
  for (const override of [undefined, 'tools/b', ':1', 'Tools/b:1', 'tools/b@sha256:x', '{{.name}}:1']) {
    assert.throws(() => parse({ path: 'a', override }).registryTarget(), { code: 'InvalidReference' }, String(override));
  }
});
