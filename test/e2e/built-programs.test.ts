import assert from 'node:assert/strict';
import { cp, mkdtempDisposable, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { orders } from '@arc/api/arc';
import { buildImage, runCommand, seedRegistry, startTestRegistry } from '@arc/testkit';
import { createEndpoints, finishedOrder, installOciType, ociOrder, startWorld } from './support/world.ts';

const build = fileURLToPath(new URL('../../scripts/build.ts', import.meta.url));

test('what an image holds runs anywhere, without this repository and without TypeScript', { timeout: 240_000 }, async () => {
  await using place = await mkdtempDisposable(join(tmpdir(), 'arc-built-'));
  const built = await runCommand(process.execPath, [build, '--out', join(place.path, 'dist'), '--version', '7.8.9-test']);
  assert.equal(built.code, 0, built.stderr);
  await cp(join(place.path, 'dist', 'image'), join(place.path, 'image'), { recursive: true });
  await rm(join(place.path, 'dist'), { recursive: true });
  const program = (name: string): string =>
    join(place.path, 'image/node_modules/@arc', `app-${name.replace(/^arc-/, '')}`, 'bin', `${name}.mjs`);

  for (const name of ['arcctl', 'arc-apiserver', 'arc-controller-manager', 'arc-worker']) {
    const answer = await runCommand(process.execPath, ['--no-strip-types', program(name), name === 'arcctl' ? 'version' : '--version']);
    assert.equal(answer.code, 0, `${name}: ${answer.stderr}`);
    assert.match(answer.stdout, /\b7\.8\.9-test\b/, name);
  }

  await using source = await startTestRegistry();
  await using destination = await startTestRegistry();
  seedRegistry(source, 'demo/app', buildImage([{ a: 'b' }]), ['v1']);
  await using world = await startWorld({ command: [process.execPath, '--no-strip-types', program('arcctl')] });
  await installOciType(world.client);
  await createEndpoints(world.client, source.url, destination.url);
  await world.client.create(orders, ociOrder('built', [{ image: 'demo/app:v1' }]));
  const order = await finishedOrder(world.client, 'built');
  assert.equal(order.status?.phase, 'Succeeded', order.status?.message);
  assert.notEqual(destination.content.manifest('demo/app', 'v1'), undefined);
});
