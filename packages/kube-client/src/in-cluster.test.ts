import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { FakeClock } from '@arc/kernel';
import { inClusterConfig } from './in-cluster.ts';

test('a pod reaches its cluster as its service account, with the token and the authorities of the minute', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'arc-service-account-'));
  try {
    const clock = new FakeClock();
    const inside = { KUBERNETES_SERVICE_HOST: 'fd00::1', KUBERNETES_SERVICE_PORT: '6443' };
    assert.equal(await inClusterConfig({ environment: {}, directory, clock }), undefined, 'not in a cluster');
    await assert.rejects(inClusterConfig({ environment: inside, directory, clock }), {
      code: 'ServiceAccountUnreadable',
      hint: /automount/,
    });
    for (const [name, content] of [
      ['ca.crt', 'PEM'],
      ['token', 'first\n'],
      ['namespace', 'arc-system'],
    ] as const) {
      await writeFile(join(directory, name), content);
    }
    const config = await inClusterConfig({ environment: inside, directory, clock });
    assert.ok(config?.currentCaPem !== undefined && typeof config.token === 'function');
    assert.deepEqual([config.server, config.caPem, config.namespace], ['https://[fd00::1]:6443', 'PEM', 'arc-system']);
    await writeFile(join(directory, 'token'), 'second');
    await writeFile(join(directory, 'ca.crt'), 'OTHER PEM');
    assert.deepEqual([await config.token(), await config.currentCaPem()], ['first', 'PEM']);
    await clock.advance(60_000);
    assert.deepEqual([await config.token(), await config.currentCaPem()], ['second', 'OTHER PEM']);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
});
