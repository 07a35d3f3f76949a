import assert from 'node:assert/strict';
import { mkdtempDisposable, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { endpoints, orders } from '@arc/api/arc';
import type { Order } from '@arc/api/arc';
import { secrets } from '@arc/api/core';
import {
  buildChart,
  buildImage,
  digestOf,
  helmRepository,
  seedRegistry,
  startFileServer,
  startS3Server,
  startTestRegistry,
} from '@arc/testkit';
import { endpoint, finishedOrder, installType, startWorld } from './support/world.ts';

const chart = buildChart('podinfo', '1.2.0');
const image = buildImage([{ app: 'v1' }]);
const tool = Buffer.alloc(500_000, 'tool');
const sums = `${digestOf(tool).slice('sha256:'.length)}  tool-1.2.tar.gz\n`;

test('one order brings a chart, files, an object and an image, with credentials, to a registry, a bucket and a directory, and says what was checked', async () => {
  await using server = await startFileServer({
    files: {
      '/files/tool/tool-1.2.tar.gz': tool,
      '/files/tool/SHA256SUMS': sums,
      ...helmRepository([buildChart('podinfo', '1.1.0'), chart], { path: '/charts/' }),
    },
    auth: { kind: 'basic', username: 'reader', password: 'the password' },
  });
  await using registry = await startTestRegistry();
  await using upstream = await startTestRegistry();
  seedRegistry(upstream, 'team/app', image, ['v1']);
  await using bucket = await startS3Server({ users: [{ accessKeyId: 'reader', secretAccessKey: 'the password' }] });
  bucket.bucket().put('tool-1.2.tar.gz', tool);
  await using world = await startWorld();
  const { client } = world;
  // Steps have a /tmp of their own, so a disk to carry across lies elsewhere.
  await using disk = await mkdtempDisposable(join('/var/tmp', 'arc-e2e-disk-'));
  await installType(client, 'helm');
  await installType(client, 'blob');
  await installType(client, 's3');
  await installType(client, 'oci');
  const credentials = { username: 'reader', password: 'the password' };
  await client.create(secrets, {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'reader', namespace: 'default' },
    stringData: credentials,
  });
  const secretRef = { name: 'reader' };
  await client.create(endpoints, endpoint('charts', `${server.url}/charts`, { type: 'helm', usage: 'PullOnly', secretRef }));
  await client.create(endpoints, endpoint('files', `${server.url}/files`, { type: 'http', usage: 'PullOnly', secretRef }));
  await client.create(endpoints, endpoint('bucket', `${bucket.url}/artifacts`, { type: 's3', secretRef }));
  await client.create(endpoints, endpoint('images', upstream.url, { type: 'oci', usage: 'PullOnly' }));
  await client.create(endpoints, endpoint('dst', `${registry.url}/zone`, { type: 'oci', usage: 'PushOnly' }));
  await client.create(endpoints, endpoint('disk', `file://${disk.path}`, { type: 'file', usage: 'PushOnly' }));
  const file = { path: 'tool/tool-1.2.tar.gz', checksums: 'tool/SHA256SUMS' };
  const order: Order = {
    apiVersion: 'arc.opendefense.cloud/v1alpha1',
    kind: 'Order',
    metadata: { name: 'mixed', namespace: 'default' },
    spec: {
      defaults: { dstRef: { name: 'dst' } },
      artifacts: [
        { type: 'helm', srcRef: { name: 'charts' }, spec: { chart: 'podinfo', version: '^1.0' } },
        { type: 'blob', srcRef: { name: 'files' }, spec: { ...file, override: 'tools/tool:1.2' } },
        { type: 'blob', srcRef: { name: 'files' }, dstRef: { name: 'disk' }, spec: file },
        { type: 'helm', srcRef: { name: 'charts' }, dstRef: { name: 'bucket' }, spec: { chart: 'podinfo', version: '1.1.0' } },
        { type: 's3', srcRef: { name: 'bucket' }, spec: { path: 'tool-1.2.tar.gz', override: 'objects/tool:1.2' } },
        { type: 'oci', srcRef: { name: 'images' }, spec: { image: 'team/app:v1' } },
      ],
    },
  };
  await client.create(orders, order);
  const finished = await finishedOrder(client, 'mixed');
  assert.equal(finished.status?.phase, 'Succeeded', JSON.stringify(finished.status, null, 2));

  assert.deepEqual(registry.content.blob('zone/podinfo', chart.digest), chart.archive);
  assert.ok(registry.content.tags('zone/podinfo').has('1.2.0'));
  assert.deepEqual(registry.content.blob('zone/tools/tool', digestOf(tool)), tool);
  assert.ok(registry.content.tags('zone/tools/tool').has('1.2'));
  assert.deepEqual(await readFile(join(disk.path, 'tool', 'tool-1.2.tar.gz')), tool);

  assert.deepEqual(registry.content.blob('zone/objects/tool', digestOf(tool)), tool);
  assert.equal(registry.content.tags('zone/team/app').get('v1'), image.digest);
  const older = buildChart('podinfo', '1.1.0');
  assert.deepEqual(bucket.bucket().bytes(older.fileName), older.archive);
  assert.match(String(bucket.bucket().bytes('index.yaml')), /version: "1\.1\.0"/);

  const logs = await world.arcctl(['logs', 'order/mixed']);
  assert.equal(logs.code, 0, logs.stderr);
  for (const line of [
    /passed +digest: sha256:[0-9a-f]{64}, says index\.yaml/,
    /skipped +provenance signature/,
    /verified +\d+ parts are there/,
  ]) {
    assert.match(logs.stdout, line);
  }
  assert.ok(!logs.stdout.includes('the password'));
});

test('a chart that is not what its index says fails the order, and nothing is tagged', async () => {
  const other = buildChart('podinfo', '1.2.0', { files: { 'podinfo/evil.txt': 'x' } });
  await using server = await startFileServer({ files: { ...helmRepository([chart]), [`/${chart.fileName}`]: other.archive } });
  await using registry = await startTestRegistry();
  await using world = await startWorld();
  await installType(world.client, 'helm');
  await world.client.create(endpoints, endpoint('charts', server.url, { type: 'helm', usage: 'PullOnly' }));
  await world.client.create(endpoints, endpoint('dst', registry.url, { type: 'oci', usage: 'PushOnly' }));
  await world.client.create(orders, {
    apiVersion: 'arc.opendefense.cloud/v1alpha1',
    kind: 'Order',
    metadata: { name: 'substituted', namespace: 'default' },
    spec: { defaults: { srcRef: { name: 'charts' }, dstRef: { name: 'dst' } }, artifacts: [{ type: 'helm', spec: { chart: 'podinfo' } }] },
  });
  const finished = await finishedOrder(world.client, 'substituted');
  assert.equal(finished.status?.phase, 'Failed');
  assert.match(JSON.stringify(finished.status), /source: fetch chart .*has wrong content: index\.yaml says/);
  assert.deepEqual(registry.content.repositories(), []);
});
