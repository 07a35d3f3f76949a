import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildImage, buildReferrer, seedRegistry, startTestRegistry, type TestRegistry } from '@arc/testkit';
import { openEndpoint } from '../oci/open-repository.ts';
import { parseEndpointURL } from '../reference/endpoint-url.ts';
import { copyArtifact, type CopyResult } from './copy-artifact.ts';

const image = buildImage([{ 'etc/motd': 'hello\n' }]);
const sbom = buildReferrer(image, 'application/vnd.example.sbom', '{}');
const signature = buildReferrer(image, 'application/vnd.example.signature', 'signed');
const listTag = image.digest.replace(':', '-');

async function copy(source: TestRegistry, destination: TestRegistry): Promise<CopyResult> {
  using here = openEndpoint(parseEndpointURL(source.url));
  using there = openEndpoint(parseEndpointURL(destination.url));
  return await copyArtifact(await here.source('demo/app'), 'v1', await there.destination('mirror/app'), { tags: ['v1'] });
}

function listed(registry: TestRegistry): string[] {
  const list = registry.content.manifest('mirror/app', listTag);
  if (list === undefined) return [];
  return (JSON.parse(list.bytes.toString('utf8')) as { manifests: { digest: string }[] }).manifests.map(({ digest }) => digest).sort();
}

async function bothSides(): Promise<{ source: TestRegistry; destination: TestRegistry } & AsyncDisposable> {
  const [source, destination] = await Promise.all([startTestRegistry(), startTestRegistry({ referrers: false })]);
  seedRegistry(source, 'demo/app', image, ['v1']);
  for (const referrer of [sbom, signature]) seedRegistry(source, 'demo/app', referrer);
  return {
    source,
    destination,
    [Symbol.asyncDispose]: async () => {
      await Promise.all([source.close(), destination.close()]);
    },
  };
}

test('a referrer that was stored without being listed, as a killed copy leaves it, is listed by the next copy', async () => {
  await using sides = await bothSides();
  seedRegistry(sides.destination, 'mirror/app', image, ['v1']);
  seedRegistry(sides.destination, 'mirror/app', signature);
  await copy(sides.source, sides.destination);
  assert.deepEqual(listed(sides.destination), [sbom.digest, signature.digest].sort());
  sides.destination.requests.clear();
  await copy(sides.source, sides.destination);
  assert.equal(sides.destination.requests.matching({ method: 'PUT' }).length, 0, 'listed ones are left alone');
});

test('a list of referrers that somebody else replaced in between is added to again', async () => {
  await using sides = await bothSides();
  const { content, faults } = sides.destination;
  const { promise, resolve } = Promise.withResolvers<void>();
  const writing = faults.add({
    match: { method: 'GET', path: new RegExp(`manifests/${listTag}$`) },
    skip: 1,
    action: { kind: 'hold', until: promise },
  });
  const copied = copy(sides.source, sides.destination);
  await writing.hit;
  const foreign = buildReferrer(image, 'application/vnd.example.other', 'foreign');
  seedRegistry(sides.destination, 'mirror/app', foreign);
  const entry = { mediaType: foreign.mediaType, digest: foreign.digest, size: foreign.bytes.length };
  const list = { schemaVersion: 2, mediaType: 'application/vnd.oci.image.index.v1+json', manifests: [entry] };
  content.putManifest('mirror/app', Buffer.from(JSON.stringify(list)), list.mediaType, [listTag]);
  resolve();
  const { warnings } = await copied;
  assert.deepEqual(warnings, []);
  assert.deepEqual(listed(sides.destination), [sbom.digest, signature.digest, foreign.digest].sort());
});
