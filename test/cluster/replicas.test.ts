import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { test } from 'node:test';
import { findKubectls, kubectlRunner, missingKubernetes } from '@arc/testkit';
import { startCluster } from '../e2e/support/cluster.ts';
import { storages } from './support/shared-storage.ts';
import { startTraffic } from './support/traffic.ts';

const kubectl = (await findKubectls()).at(-1);
const missing = kubectl === undefined ? 'no kubectl of 1.27 or newer on this machine' : missingKubernetes('kube-apiserver');

for (const [name, storage] of Object.entries(storages)) {
  test(
    `7 two replicas on ${name}: neither a rolling restart, a slow storage nor the loss of one makes the API unavailable, and watches miss nothing`,
    { skip: missing ?? (storage.missing || false), timeout: 240_000 },
    async () => {
      assert.ok(kubectl !== undefined);
      await using shared = await storage.start();
      await using cluster = await startCluster(
        async (kubeconfig, manifest) => {
          const applied = await kubectlRunner(kubectl, kubeconfig)(['apply', '-f', '-'], { input: manifest });
          assert.equal(applied.code, 0, applied.stderr);
        },
        { storage: shared.url, replicas: 2 },
      );
      await using traffic = await startTraffic(cluster);
      const [first, second] = cluster.replicas;
      assert.ok(second !== undefined);
      for (const replica of [first, second]) {
        assert.equal(await replica.program().stop('SIGTERM'), 0, replica.program().output());
        await replica.start();
      }
      shared.pause();
      await delay(2_000);
      shared.resume();
      await second.program().stop('SIGKILL');
      await delay(1_500);
      await second.start();
      await delay(1_000);
      await traffic.assertUnharmed();
    },
  );
}
