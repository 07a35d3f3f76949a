import assert from 'node:assert/strict';
import { mkdtempDisposable, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { artifactWorkflows, clusterArtifactTypes, endpoints, orders } from '@arc/api/arc';
import type { ArtifactWorkflow, ClusterArtifactType } from '@arc/api/arc';
import { clusterWorkflowTemplates } from '@arc/api/argo';
import type { KubeObject } from '@arc/apimachinery';
import { buildImage, buildReferrer, findTool, seedRegistry, startFileServer, startTestRegistry } from '@arc/testkit';
import { createEndpoints, endpoint, finishedOrder, ociOrder, readExample, startWorld } from './support/world.ts';
import type { World } from './support/world.ts';

const clamscan = findTool('clamscan');

/** Looks into every blob, compressed or not. */
const scripted = `
found=$(find "$ARC_ARTIFACT_DIR" -type f | while read -r file; do gzip -cdf < "$file" | grep -aq 'bad'' news' && echo "$file"; done)
if [ -n "$found" ]; then echo "bad news in \${found##*/}"; exit 3; fi
echo "looked at $(find "$ARC_ARTIFACT_DIR" -type f | wc -l) files"
`;

async function installScannedType({ client }: World, folder: 'oci-scanned' | 'blob-scanned', parameters: Readonly<Record<string, string>>) {
  await client.create(clusterWorkflowTemplates, await readExample(folder, 'cluster-workflow-template.yaml'));
  const type = (await readExample(folder, 'artifact-type.yaml')) as unknown as ClusterArtifactType;
  const kept = type.spec?.parameters?.filter(({ name = '' }) => !Object.hasOwn(parameters, name)) ?? [];
  const changed = Object.entries(parameters).map(([parameter, value]) => ({ name: parameter, value }));
  await client.create(clusterArtifactTypes, { ...type, spec: { ...type.spec, parameters: [...kept, ...changed] } } as KubeObject);
}

interface Receipt {
  readonly source: { readonly reference: string; readonly digest: string };
  readonly destination: { readonly references: readonly string[] };
  readonly checks: readonly { readonly name: string; readonly result: string; readonly detail: string }[];
}

async function receiptsOf({ client }: World, order: string): Promise<readonly Receipt[]> {
  const { items } = await client.list<ArtifactWorkflow>(artifactWorkflows, { namespace: 'default' });
  return items
    .filter(({ metadata }) => metadata.name?.startsWith(`${order}-`) === true)
    .map(({ status }) => JSON.parse(status?.receipt ?? '{}') as Receipt);
}

test('an image is fetched, scanned and pushed as it was scanned; one with a finding is not', async () => {
  const good = buildImage((platform) => [{ 'etc/platform': platform }]);
  const bad = buildImage((platform) => [{ 'etc/motd': `bad news for ${platform}` }]);
  await using source = await startTestRegistry();
  await using destination = await startTestRegistry();
  await using world = await startWorld();
  const { client } = world;
  seedRegistry(source, 'demo/good', good, ['v1']);
  seedRegistry(source, 'demo/good', buildReferrer(good, 'application/spdx+json', '{"spdxVersion":"SPDX-2.3"}'));
  seedRegistry(source, 'demo/bad', bad, ['v1']);
  await installScannedType(world, 'oci-scanned', { scanner: 'newsreader', scanCommand: scripted });
  await createEndpoints(client, source.url, destination.url);
  const typed = (name: string, spec: Record<string, unknown>) => {
    const order = ociOrder(name, [spec]);
    return { ...order, spec: { ...order.spec, artifacts: [{ type: 'oci-scanned', spec }] } };
  };
  await client.create(orders, typed('good', { image: 'demo/good:v1', override: 'zone/good:v1', tags: ['stable'] }));
  await client.create(orders, typed('one', { image: 'demo/good:v1', override: 'zone/one:v1', platforms: ['linux/amd64'] }));
  await client.create(orders, typed('bad', { image: 'demo/bad:v1' }));

  const delivered = await finishedOrder(client, 'good');
  assert.equal(delivered.status?.phase, 'Succeeded', JSON.stringify(delivered.status, null, 2));
  const { content } = destination;
  assert.deepEqual([content.tags('zone/good').get('v1'), content.tags('zone/good').get('stable')], [good.digest, good.digest]);
  assert.equal(content.referrers('zone/good', good.digest).length, 1, 'what lies beside it came along');
  assert.ok(![...content.tags('zone/good').keys()].includes('artifact'), 'the tag of the layout stays there');
  const [receipt] = await receiptsOf(world, 'good');
  assert.deepEqual(receipt?.source, { reference: `${source.host}/demo/good:v1`, digest: good.digest, mediaType: good.mediaType });
  assert.deepEqual(receipt?.destination.references, [`${destination.host}/zone/good:v1`, `${destination.host}/zone/good:stable`]);
  assert.deepEqual(
    receipt?.checks.map(({ name, result }) => `${result} ${name}`),
    ['skipped signature', 'passed scan', 'passed content'],
  );
  assert.match(receipt?.checks[1]?.detail ?? '', new RegExp(`^newsreader on ${good.digest}: looked at \\d+ files$`));

  const selected = await finishedOrder(client, 'one');
  assert.equal(selected.status?.phase, 'Succeeded', JSON.stringify(selected.status, null, 2));
  assert.ok(content.tags('zone/one').has('v1'));

  const refused = await finishedOrder(client, 'bad');
  assert.equal(refused.status?.phase, 'Failed');
  assert.match(
    JSON.stringify(refused.status),
    /scan: newsreader ended with exit code 3: bad news in [0-9a-f]{64}\. Nothing was delivered\./,
  );
  assert.equal(content.has('demo/bad'), false);
});

test('without a scanner the receipt says that nobody scanned; a dry run fetches nothing', async () => {
  await using source = await startTestRegistry();
  await using destination = await startTestRegistry();
  await using world = await startWorld();
  const { client } = world;
  const image = buildImage([{ hello: 'world' }]);
  seedRegistry(source, 'demo/app', image, ['v1']);
  await installScannedType(world, 'oci-scanned', { scanner: 'none' });
  await createEndpoints(client, source.url, destination.url);
  const order = ociOrder('plain', []);
  const artifacts = [{ type: 'oci-scanned', spec: { image: 'demo/app:v1' } }];
  await client.create(orders, {
    ...order,
    metadata: { name: 'dry', namespace: 'default' },
    spec: { ...order.spec, artifacts, dryRun: true },
  });
  const dry = await finishedOrder(client, 'dry');
  assert.equal(dry.status?.phase, 'Succeeded', JSON.stringify(dry.status, null, 2));
  assert.equal(destination.content.has('demo/app'), false);
  await client.create(orders, { ...order, spec: { ...order.spec, artifacts } });
  const finished = await finishedOrder(client, 'plain');
  assert.equal(finished.status?.phase, 'Succeeded', JSON.stringify(finished.status, null, 2));
  assert.equal(destination.content.tags('demo/app').get('v1'), image.digest);
  const [receipt] = await receiptsOf(world, 'plain');
  assert.deepEqual(receipt?.checks[1], { name: 'scan', result: 'skipped', detail: 'no scanner is named by the ArtifactType' });
});

/** What clamscan is to find, with a database of the test's own: that of the project is large and has to be downloaded. */
async function clamCommand(folder: string): Promise<string> {
  const marker = 'A text that only this test takes for a virus.';
  await writeFile(join(folder, 'test.ndb'), `Arc.Test.Marker:0:*:${Buffer.from(marker).toString('hex')}\n`);
  const type = (await readExample('blob-scanned', 'artifact-type.yaml')) as unknown as ClusterArtifactType;
  const shipped = type.spec?.parameters?.find(({ name }) => name === 'scanCommand')?.value ?? '';
  return shipped.replace('clamscan ', `clamscan --database='${folder}' `);
}

const scanners = {
  'a scripted scanner': {
    skip: false,
    command: () => Promise.resolve(scripted),
    finding: /bad news in bad\.txt/,
    clean: /looked at 1 files/,
  },
  'the shipped clamscan': {
    skip: clamscan === undefined && 'clamscan (Debian package clamav) is not installed',
    command: clamCommand,
    finding: /clamscan ended with exit code 1: \S+bad\.txt: Arc\.Test\.Marker\.UNOFFICIAL FOUND/,
    clean: /clamscan on sha256:\w+: nothing found/,
  },
} as const;

for (const [who, { skip, command, finding, clean }] of Object.entries(scanners)) {
  test(`files are scanned on their way by ${who}, into a registry and into a directory`, { skip }, async () => {
    await using server = await startFileServer({
      files: { '/good.txt': 'good news', '/bad.txt': 'bad news. A text that only this test takes for a virus.' },
    });
    await using registry = await startTestRegistry();
    await using folder = await mkdtempDisposable('/var/tmp/arc-e2e-scan-');
    await using disk = await mkdtempDisposable('/var/tmp/arc-e2e-disk-');
    await using world = await startWorld();
    const { client } = world;
    await installScannedType(world, 'blob-scanned', { scanCommand: await command(folder.path) });
    await client.create(endpoints, endpoint('files', server.url, { type: 'http' }));
    await client.create(endpoints, endpoint('disk', `file://${disk.path}`, { type: 'file' }));
    await client.create(endpoints, endpoint('registry', registry.url));
    const artifact = (path: string, to: string, spec: object = {}) => ({
      ...{ type: 'blob-scanned', srcRef: { name: 'files' }, dstRef: { name: to }, spec: { path, ...spec } },
    });
    const files = {
      good: [artifact('good.txt', 'disk', { override: 'news/good.txt' }), artifact('good.txt', 'registry', { override: 'news/good:v1' })],
      bad: [artifact('bad.txt', 'disk'), artifact('bad.txt', 'registry', { override: 'news/bad:v1' })],
    };
    for (const [name, artifacts] of Object.entries(files)) {
      const { spec, ...order } = ociOrder(name, []);
      await client.create(orders, { ...order, spec: { ...spec, artifacts } });
    }
    const delivered = await finishedOrder(client, 'good');
    assert.equal(delivered.status?.phase, 'Succeeded', JSON.stringify(delivered.status, null, 2));
    assert.equal(await readFile(join(disk.path, 'news', 'good.txt'), 'utf8'), 'good news');
    assert.ok(registry.content.tags('news/good').has('v1'));
    const receipts = await receiptsOf(world, 'good');
    assert.equal(receipts.length, 2);
    for (const { checks, source } of receipts) {
      assert.deepEqual(
        checks.map(({ name, result }) => `${result} ${name}`),
        ['skipped digest', 'passed scan', 'passed content'],
      );
      assert.match(checks[1]?.detail ?? '', clean);
      assert.equal(source.reference, `${new URL(server.url).host}/good.txt`);
    }
    const refused = await finishedOrder(client, 'bad');
    assert.equal(refused.status?.phase, 'Failed');
    assert.match(JSON.stringify(refused.status), finding);
    assert.equal(registry.content.has('news/bad'), false);
    await assert.rejects(readFile(join(disk.path, 'bad.txt')), { code: 'ENOENT' });
  });
}
