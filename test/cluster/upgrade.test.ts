import assert from 'node:assert/strict';
import { test } from 'node:test';
import { arcctlCommand, findKubectls, kubectlRunner, missingKubernetes, runCommand } from '@arc/testkit';
import { startCluster, type Cluster } from '../e2e/support/cluster.ts';
import { storages } from './support/shared-storage.ts';
import { startTraffic } from './support/traffic.ts';

const kubectl = (await findKubectls()).at(-1);
const missing = kubectl === undefined ? 'no kubectl of 1.27 or newer on this machine' : missingKubernetes('kube-apiserver');
/** Arguments of Node that make any of our programs that of the next release. */
const nextRelease = ['--import', new URL('support/next-release.ts', import.meta.url).href];

for (const [name, storage] of Object.entries(storages)) {
  const migrates = name === 'PostgreSQL';
  test(
    `7 two replicas on ${name} are replaced by those of the next release under traffic: no write and no event of a watch is lost`,
    { skip: missing ?? (storage.missing || false), timeout: 240_000 },
    async () => {
      await using shared = await storage.start();
      await using cluster = await startCluster(applyWith, { storage: shared.url, replicas: 2 });
      await using traffic = await startTraffic(cluster);
      await traffic.progress(20);
      if (migrates) await assertMigrated(cluster, shared.url);
      await traffic.progress(20);
      for (const replica of cluster.replicas) {
        assert.equal(await replica.program().stop('SIGTERM'), 0, replica.program().output());
        await traffic.progress(5);
        await replica.start(nextRelease);
        await traffic.progress(20);
      }
      await traffic.assertUnharmed();
    },
  );
}

/** Migrates as the Job of the chart does, while servers of the release before are at work, with what may go wrong around it. */
async function assertMigrated({ replicas: [, replica] }: Cluster, storage: string): Promise<void> {
  assert.ok(replica !== undefined);
  await replica.program().stop('SIGTERM');
  const early = replica.launch(nextRelease);
  const waiting = await early.says('the storage: trying again until it is mended');
  assert.match(JSON.stringify(waiting), /has version 3; this ARC works with 4.*arcctl storage migrate/, 'new program, old tables');

  const [program, ...leading] = arcctlCommand;
  const migrated = await runCommand(program, [...nextRelease, ...leading, 'storage', 'migrate', '--storage', storage]);
  assert.equal(migrated.code, 0, migrated.stderr);
  await early.says('the API is served');

  assert.equal(await early.stop('SIGTERM'), 0, early.output());
  const back = replica.launch();
  const refused = await back.says('the storage: trying again until it is mended');
  assert.match(
    JSON.stringify(refused),
    /has version 4, written by a newer ARC; this one knows 3.*Use that version/,
    'old program, new tables',
  );
  assert.equal(await back.stop('SIGTERM'), 0, back.output());
  await replica.start(nextRelease);
}

async function applyWith(kubeconfig: string, manifest: string): Promise<void> {
  assert.ok(kubectl !== undefined);
  const applied = await kubectlRunner(kubectl, kubeconfig)(['apply', '-f', '-'], { input: manifest });
  assert.equal(applied.code, 0, applied.stderr);
}
