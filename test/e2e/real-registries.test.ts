import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { orders } from '@arc/api/arc';
import { buildImage, findProgram, runCommand, seedRegistry, startDockerRegistry, startTestRegistry } from '@arc/testkit';
import { createEndpoints, finishedOrder, installOciType, ociOrder, startWorld } from './support/world.ts';

const registry = findProgram('docker-registry');
const skopeo = findProgram('skopeo');
const missing = [registry === undefined && 'docker-registry', skopeo === undefined && 'skopeo'].filter((name) => name !== false);

test(
  'docker-registry on both sides, skopeo fills the source and judges the destination',
  { skip: missing.length > 0 && `not installed: ${missing.join(', ')}` },
  async () => {
    if (registry === undefined || skopeo === undefined) return;
    const folder = await mkdtemp(join(tmpdir(), 'arc-e2e-registry-'));
    try {
      await using nursery = await startTestRegistry();
      await using source = await startDockerRegistry(registry, join(folder, 'source'));
      await using destination = await startDockerRegistry(registry, join(folder, 'destination'));
      const image = buildImage([{ 'etc/motd': 'hello' }], { random: { layers: 2, bytes: 500_000 } });
      seedRegistry(nursery, 'demo/app', image, ['v1']);
      const filled = await runCommand(skopeo, [
        'copy',
        '--all',
        '--preserve-digests',
        '--src-tls-verify=false',
        '--dest-tls-verify=false',
        `docker://${nursery.host}/demo/app:v1`,
        `docker://${source.host}/demo/app:v1`,
      ]);
      assert.equal(filled.code, 0, filled.stderr);

      await using world = await startWorld();
      await installOciType(world.client);
      await createEndpoints(world.client, source.url, destination.url);
      await world.client.create(orders, ociOrder('real', [{ image: 'demo/app:v1', override: 'zone/app:v1', tags: ['stable'] }]));
      const order = await finishedOrder(world.client, 'real');
      assert.equal(order.status?.phase, 'Succeeded', JSON.stringify(order.status, null, 2));

      for (const tag of ['v1', 'stable']) {
        const judged = await runCommand(skopeo, ['inspect', '--raw', '--tls-verify=false', `docker://${destination.host}/zone/app:${tag}`]);
        assert.equal(judged.code, 0, judged.stderr);
        assert.equal(judged.stdout, image.bytes.toString('utf8'), 'the index, byte for byte');
      }
      for (const platform of ['amd64', 'arm64']) {
        const judged = await runCommand(skopeo, [
          '--override-os=linux',
          `--override-arch=${platform}`,
          'copy',
          '--src-tls-verify=false',
          `docker://${destination.host}/zone/app:v1`,
          `dir:${join(folder, platform)}`,
        ]);
        assert.equal(judged.code, 0, judged.stderr);
      }
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
);
