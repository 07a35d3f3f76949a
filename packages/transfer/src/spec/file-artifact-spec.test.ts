import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseFileArtifactSpec } from './file-artifact-spec.ts';

const digest = `sha256:${'a'.repeat(64)}`;
const parse = (spec: unknown) => parseFileArtifactSpec(JSON.stringify(spec));

test('the spec of a blob artifact', () => {
  const plain = parse({ path: 'a/b%20c.tgz', digest, checksums: '', override: 'tools/b:1', unknown: {} });
  const { path } = plain;
  assert.deepEqual(
    [plain.publishedName(path), plain.nameOf(path, undefined), plain.nameOf(path, 'title'), plain.digest, plain.checksums],
    ['b c.tgz', 'b c.tgz', 'title', digest, undefined],
  );
  assert.deepEqual([plain.mediaType, plain.artifactType], ['application/octet-stream', 'application/vnd.opendefense.arc.file.v1']);
  assert.deepEqual(plain.registryTarget(undefined), { repository: 'tools/b', tags: ['1'] });
  const named = parse({ path: 'a/b.tgz', name: 'other.tgz', tags: ['1', '2'], override: { repository: 'tools/b' } });
  assert.deepEqual(
    [named.publishedName('a/b.tgz'), named.nameOf('a/b.tgz', 'title'), named.registryTarget(undefined).tags],
    ['b.tgz', 'other.tgz', ['1', '2']],
  );
  const at = (spec: { readonly path: string }, name: string, from = spec.path, version?: string) =>
    parse(spec).destinationPath(from, { name, version });
  assert.equal(at({ path: 'a%20/b.tgz' }, 'other.tgz'), 'a /other.tgz');
  const overridden = { path: '/a/b.tgz', override: 'x/y.tgz' };
  assert.equal(at(overridden, 'b.tgz'), 'x/y.tgz');
  assert.equal(parse({ path: '100%' }).nameOf('100%', undefined), '100%');
  assert.equal(parseFileArtifactSpec('{"path":"a%20b"}', 'plain').nameOf('a%20b', undefined), 'a%20b');
  const versioned = { path: 't-{{.version}}.tgz', version: '^1', override: 'tools/t:{{.version}}' };
  assert.deepEqual(parse(versioned).registryTarget('1.2.0+b').tags, ['1.2.0_b']);
  const moved = { ...versioned, override: 'x/{{.version}}/t.tgz' };
  assert.equal(at(moved, 't.tgz', 't-1.2.0.tgz', '1.2.0'), 'x/1.2.0/t.tgz');
  const folder = { path: 'a/', override: 'x/' };
  assert.deepEqual([at({ path: 'a/' }, 'b/c', 'a/b/c'), at(folder, 'b/c', 'a/b/c')], ['b/c', 'x/b/c']);
});

test('what is wrong is said with its field', () => {
  for (const [spec, expected] of [
    [{}, /names no file/],
    [{ path: 7 }, /spec\.path: path is not a string/],
    [{ path: 'a', version: '^1' }, /belong together/],
    [{ path: 'a-{{.version}}' }, /belong together/],
    [{ path: 'a/', digest }, /means many files/],
    [{ path: 'a', digest: 'md5:x' }, /spec\.digest: not a digest/],
    [{ path: 'a', mediaType: 'text' }, /spec\.mediaType: not a media type/],
    [{ path: 'a', onConflict: 'yes' }, /spec\.onConflict/],
  ] as const) {
    assert.throws(() => parse(spec), expected);
  }
  for (const spec of [{ path: 'a/..' }, { path: 'a%2fb' }, { path: 'a', name: '../x' }]) {
    assert.throws(() => parse(spec).nameOf(spec.path, undefined), /spec\.(?:path|name): not a name for a file/);
  }
  for (const override of [undefined, 'tools/b', ':1', 'Tools/b:1', 'tools/b@sha256:x', '{{.name}}:1']) {
    assert.throws(() => parse({ path: 'a', override }).registryTarget(undefined), { code: 'InvalidReference' }, String(override));
  }
});
