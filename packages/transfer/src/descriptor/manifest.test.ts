import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildImage } from '@arc/testkit';
import * as fc from 'fast-check';
import { digestOf, DigestVerifier } from '../digest/digest.ts';
import { mediaTypes } from './media-types.ts';
import { parseManifest } from './manifest.ts';
import { parseStrictJson } from './strict-json.ts';

const image = buildImage([{ a: 'b' }]);

test('an index and its manifests are read from their bytes', () => {
  const index = parseManifest(image.bytes, `${image.mediaType}; charset=utf-8`);
  assert.deepEqual(index.descriptor, { mediaType: mediaTypes.ociIndex, digest: image.digest, size: image.bytes.length });
  assert.deepEqual(
    index.children.map(({ platform }) => platform?.architecture),
    ['amd64', 'arm64'],
  );
  const [first] = image.manifests;
  const manifest = parseManifest(first?.bytes ?? Buffer.alloc(0), mediaTypes.ociManifest);
  assert.equal(manifest.blobs.length, 2);
  assert.equal(manifest.config?.mediaType, mediaTypes.ociConfig);
});

test('manifests that mean two things, or nothing, are refused', () => {
  const parse = (document: unknown, type: string): unknown =>
    parseManifest(Buffer.from(typeof document === 'string' ? document : JSON.stringify(document)), type);
  const descriptor = { mediaType: 'x/y', digest: digestOf(Buffer.from('')), size: 0 };
  const cases: readonly (readonly [unknown, string, string])[] = [
    [{ schemaVersion: 2, mediaType: mediaTypes.ociManifest, config: descriptor, layers: [] }, mediaTypes.ociIndex, 'InvalidManifest'],
    [{ schemaVersion: 2, manifests: [], layers: [] }, mediaTypes.ociIndex, 'InvalidManifest'],
    [{ schemaVersion: 2, config: descriptor, layers: [], manifests: [] }, mediaTypes.ociManifest, 'InvalidManifest'],
    [`{"schemaVersion":2,"manifests":[],"manifests":[]}`, mediaTypes.ociIndex, 'InvalidManifest'],
    [{ schemaVersion: 1, fsLayers: [] }, 'application/vnd.docker.distribution.manifest.v1+prettyjws', 'UnsupportedMediaType'],
    [{ schemaVersion: 2, config: { ...descriptor, digest: 'sha256:0' }, layers: [] }, mediaTypes.ociManifest, 'InvalidManifest'],
    [{ schemaVersion: 2, config: { ...descriptor, size: -1 }, layers: [] }, mediaTypes.ociManifest, 'InvalidManifest'],
    ['<html>', 'text/html', 'InvalidManifest'],
    ['{}', 'text/html', 'UnsupportedMediaType'],
    ['[]', mediaTypes.ociIndex, 'InvalidManifest'],
  ];
  for (const [document, type, code] of cases) assert.throws(() => parse(document, type), { code }, JSON.stringify(document));
});

test('JSON without duplicate keys is read as JSON.parse reads it', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const text = JSON.stringify(value);
      assert.deepEqual(parseStrictJson(Buffer.from(text), 'it'), JSON.parse(text));
    }),
  );
});

test('a duplicate key is found at any depth and however it is written', () => {
  for (const text of ['{"a":1,"a":2}', '{"x":[{"b":{"a":1,"\\u0061":2}}]}', '{"a" : {}, "b": "\\"a\\":", "a":0}']) {
    assert.throws(() => parseStrictJson(Buffer.from(text), 'it'), /twice/, text);
  }
  assert.doesNotThrow(() => parseStrictJson(Buffer.from('{"a":{"a":1},"b":[{"a":1},{"a":2}]}'), 'it'));
});

test('the verifier accepts exactly the announced bytes, in whatever pieces', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 50 }), { maxLength: 8 }), fc.nat(7), (pieces, damaged) => {
      const whole = Buffer.concat(pieces);
      const check = (parts: readonly Uint8Array[]): void => {
        const verifier = new DigestVerifier(digestOf(whole), whole.length, 'it');
        for (const part of parts) verifier.update(part);
        verifier.finish();
      };
      assert.doesNotThrow(() => check(pieces));
      assert.throws(() => check([...pieces, Buffer.from('x')]), { code: 'SizeMismatch' });
      const target = pieces[damaged];
      if (target === undefined || target.length === 0) return;
      const changed = pieces.map((piece) => (piece === target ? piece.map((byte) => byte ^ 1) : piece));
      assert.throws(() => check(changed), { code: 'DigestMismatch' });
    }),
  );
});
