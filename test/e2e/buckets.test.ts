import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { orders } from '@arc/api/arc';
import { digestOf, startS3Server } from '@arc/testkit';
import { finishedOrder, installType, startWorld } from './support/world.ts';

const examples = fileURLToPath(new URL('../../examples/s3/', import.meta.url));
const tool = Buffer.alloc(9_000_000, 'tool');
const user = { accessKeyId: 'example-key', secretAccessKey: 'example-secret' };

test('the order of examples/s3 brings objects from bucket to bucket, with signatures, and a second one moves nothing', async () => {
  await using source = await startS3Server({ users: [user], buckets: ['releases'], pageSize: 2 });
  await using destination = await startS3Server({ users: [user], buckets: ['zone-a'] });
  await using world = await startWorld();
  const releases = source.bucket('releases');
  releases.put('tool/tool-1.2.tar.gz', tool);
  releases.put('tool/SHA256SUMS', `${digestOf(tool).slice('sha256:'.length)}  tool-1.2.tar.gz\n`);
  for (const version of ['1.9.0', '2.0.1', '2.10.0', '2.9.0', '3.0.0']) releases.put(`agent/agent-${version}.tar.gz`, `agent ${version}`);
  for (const name of ['a.yaml', 'b/c d.yaml', 'b/e+f.yaml']) releases.put(`rules/${name}`, `rule ${name}`, {}, false);
  await installType(world.client, 's3');
  const endpoints = (await readFile(join(examples, 'endpoints.yaml'), 'utf8'))
    .replace('http://127.0.0.1:9000', source.url)
    .replace('http://127.0.0.1:9001', destination.url);
  const file = join(world.folder, 'order.yaml');
  await writeFile(file, `${endpoints}---\n${await readFile(join(examples, 'order.yaml'), 'utf8')}`);
  const applied = await world.arcctl(['order', 'submit', '-f', file]);
  assert.equal(applied.code, 0, applied.stderr);
  const finished = await finishedOrder(world.client, 'demo-objects');
  assert.equal(finished.status?.phase, 'Succeeded', JSON.stringify(finished.status, null, 2));
  const zone = destination.bucket('zone-a');
  const rules = ['a.yaml', 'b/c d.yaml', 'b/e+f.yaml'].map((name) => `incoming/rules/current/${name}`);
  assert.deepEqual(zone.keys(), ['incoming/agent/agent-2.10.0.tar.gz', ...rules, 'incoming/tool/tool-1.2.tar.gz']);
  assert.ok(zone.bytes('incoming/tool/tool-1.2.tar.gz')?.equals(tool));
  assert.deepEqual([String(zone.bytes(rules[1] ?? '')), zone.uploads.size], ['rule b/c d.yaml', 0]);
  const logs = await world.arcctl(['logs', 'order/demo-objects']);
  assert.match(logs.stdout, /passed +digest: sha256:[0-9a-f]{64}, says 127\.0\.0\.1:\d+\/releases\/tool\/SHA256SUMS/);
  assert.match(logs.stdout, /skipped +digest: of 3 of 3 files/);
  assert.ok(!`${logs.stdout}${logs.stderr}${JSON.stringify(finished)}`.includes(user.secretAccessKey));

  const puts = destination.requests.matching({ method: 'PUT' }).length;
  const again = { ...finished, metadata: { name: 'again', namespace: 'default' }, status: undefined };
  await world.client.create(orders, again);
  assert.equal((await finishedOrder(world.client, 'again')).status?.phase, 'Succeeded');
  assert.equal(destination.requests.matching({ method: 'PUT' }).length, puts);
});
