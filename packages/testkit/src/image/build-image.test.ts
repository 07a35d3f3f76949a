import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { digestOf } from '../registry/content.ts';
import { buildImage } from './build-image.ts';
import { tar } from './tar.ts';

test('the same files give the same image', () => {
  const build = () => buildImage((platform) => [{ 'etc/platform': platform }], { random: { layers: 2, bytes: 5000 } });
  assert.equal(build().digest, build().digest);
  assert.equal(build().manifests.length, 3);
  assert.notEqual(build().platforms.get('linux/amd64')?.digest, build().platforms.get('linux/arm64')?.digest);
});

test('diff_ids are the digests of the uncompressed layers', () => {
  const { blobs, manifests } = buildImage([{ 'a/b': 'x' }, { c: 'y' }], { platforms: ['linux/amd64'] });
  const manifest = JSON.parse(String(manifests[0]?.bytes)) as { config: { digest: string }; layers: { digest: string }[] };
  const config = JSON.parse(String(blobs.get(manifest.config.digest))) as { rootfs: { diff_ids: string[] } };
  assert.deepEqual(
    config.rootfs.diff_ids,
    manifest.layers.map((layer) => digestOf(gunzipSync(blobs.get(layer.digest) ?? Buffer.alloc(0)))),
  );
});

test('tar reads what tar wrote', () => {
  const listing = execFileSync('tar', ['-tvf', '-'], {
    input: tar({ 'etc/deep/motd': 'hello', bin: Buffer.alloc(600) }),
    encoding: 'utf8',
  });
  const paths = listing
    .trim()
    .split('\n')
    .map((line) => line.split(' ').at(-1));
  assert.deepEqual(paths, ['bin', 'etc/', 'etc/deep/', 'etc/deep/motd']);
});
