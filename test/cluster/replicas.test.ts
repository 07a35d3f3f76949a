import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { test } from 'node:test';
import { endpoints, type Endpoint } from '@arc/api/arc';
import { namespaces } from '@arc/api/core';
import { ApiStatusError, isStatusReason, type ResourceType } from '@arc/apimachinery';
import { clientConfigOf, createKubeClient, loadKubeconfig, type KubeClient } from '@arc/kube-client';
import {
  arcctlCommand,
  eventually,
  findKubectls,
  kubectlRunner,
  kubernetesEtcd,
  missingKubernetes,
  missingPostgres,
  runCommand,
  startEtcd,
  startPostgres,
} from '@arc/testkit';
import { startCluster, type Cluster } from '../e2e/support/cluster.ts';

const kubectl = (await findKubectls()).at(-1);
const missing = kubectl === undefined ? 'no kubectl of 1.27 or newer on this machine' : missingKubernetes('kube-apiserver');
const namespace = 'team';
const apiServices: ResourceType = {
  ...{ group: 'apiregistration.k8s.io', version: 'v1', kind: 'APIService', plural: 'apiservices', namespaced: false },
};

/** A storage that hangs and goes on, as a database does whose disk is slow or whose primary is being replaced. */
interface SharedStorage extends AsyncDisposable {
  readonly url: string;
  pause(): void;
  resume(): void;
}

const storages: Readonly<Record<string, { readonly missing: string | false | undefined; start(): Promise<SharedStorage> }>> = {
  PostgreSQL: {
    missing: missingPostgres(),
    async start() {
      const postgres = await startPostgres({ durable: false });
      await postgres.createDatabase('arc');
      const [program, ...leading] = arcctlCommand;
      const url = postgres.url('arc');
      const migrated = await runCommand(program, [...leading, 'storage', 'migrate', '--storage', url]);
      assert.equal(migrated.code, 0, migrated.stderr);
      return {
        url,
        pause: () => signalChildren(postgres.pid, 'SIGSTOP'),
        resume: () => signalChildren(postgres.pid, 'SIGCONT'),
        [Symbol.asyncDispose]: () => postgres[Symbol.asyncDispose](),
      };
    },
  },
  etcd: {
    missing: false,
    async start() {
      const folder = await mkdtemp(join(tmpdir(), 'arc-replicas-'));
      const etcd = await startEtcd(kubernetesEtcd() ?? '', join(folder, 'etcd'));
      return {
        url: `etcd://${etcd.host}`,
        pause: () => etcd.pause(),
        resume: () => etcd.resume(),
        async [Symbol.asyncDispose]() {
          await etcd[Symbol.asyncDispose]();
          await rm(folder, { recursive: true, force: true });
        },
      };
    },
  },
};

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
      await using client = await adminOf(cluster);
      await client.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
      await eventually(async () => (await availability(client)) === 'True', { what: 'the APIService', timeoutMs: 60_000 });

      const stop = new AbortController();
      const followed = follow(client, stop.signal);
      const seenAvailability = sample(client, stop.signal);
      const written = write(client, stop.signal);
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
      stop.abort();

      const names = await written;
      const stored = (await client.list<Endpoint>(endpoints, { namespace })).items.map(({ metadata }) => metadata.name ?? '');
      const events = await followed;
      assert.deepEqual(
        names.filter((each) => !stored.includes(each)),
        [],
        'what was said to be created is there',
      );
      assert.ok(names.length > 20, `${names.length} were created`);
      const added = events.filter(({ kind }) => kind === 'ADDED').map((event) => event.name);
      assert.deepEqual(added.length, new Set(added).size, 'nothing is told twice');
      assert.deepEqual(names.filter((each) => !added.includes(each)).slice(0, -1), [], 'nothing is missed');
      const revisions = events.map(({ revision }) => revision);
      assert.deepEqual(
        revisions,
        [...revisions].sort((a, b) => (a < b ? -1 : 1)),
      );
      assert.deepEqual([...new Set(await seenAvailability)], ['True']);
    },
  );
}

/** Every session of PostgreSQL is a process of its own. */
function signalChildren(parent: number | undefined, signal: NodeJS.Signals): void {
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    let stat: string;
    try {
      stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    } catch {
      continue;
    }
    const [, owner] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (Number(owner) === parent) process.kill(Number(pid), signal);
  }
}

async function adminOf({ kube }: Cluster): Promise<KubeClient> {
  const path = await kube.kubeconfig('admin', ['system:masters']);
  const config = await clientConfigOf(await loadKubeconfig([{ path, text: await readFile(path, 'utf8') }]));
  return createKubeClient(config, { userAgent: 'replicas-test' });
}

async function availability(client: KubeClient): Promise<string | undefined> {
  const found = await client.get(apiServices, { name: 'v1alpha1.arc.opendefense.cloud' });
  const { conditions = [] } = (found['status'] ?? {}) as { conditions?: readonly { type: string; status: string }[] };
  return conditions.find(({ type }) => type === 'Available')?.status;
}

async function sample(client: KubeClient, signal: AbortSignal): Promise<readonly (string | undefined)[]> {
  const seen: (string | undefined)[] = [];
  while (!signal.aborted) {
    seen.push(await availability(client));
    await delay(100);
  }
  return seen;
}

/** Creates Endpoints one after another. @returns the names of those whose creation was acknowledged */
async function write(client: KubeClient, signal: AbortSignal): Promise<readonly string[]> {
  const names: string[] = [];
  for (let index = 0; !signal.aborted; index++) {
    const name = `e-${index}`;
    const endpoint: Endpoint = {
      ...{ apiVersion: 'arc.opendefense.cloud/v1alpha1', kind: 'Endpoint', metadata: { name, namespace } },
      spec: { type: 'oci', remoteURL: 'https://registry.example.com' },
    };
    try {
      await client.create(endpoints, endpoint);
      names.push(name);
    } catch (error) {
      // A server that is killed owes an answer; what it has stored by then is told by the watch only.
      if (!(error instanceof ApiStatusError) || error.httpCode < 500) {
        if (!(error instanceof Error && 'retryable' in error && error.retryable === true)) throw error;
      }
    }
    await delay(20);
  }
  return names;
}

interface Told {
  readonly kind: string;
  readonly name: string;
  readonly revision: bigint;
}

/** Follows Endpoints from the beginning, and goes on where a watch ended. */
async function follow(client: KubeClient, signal: AbortSignal): Promise<readonly Told[]> {
  const told: Told[] = [];
  const { items, metadata } = await client.list(endpoints, { namespace });
  for (const {
    metadata: { name = '', resourceVersion: revision = '' },
  } of items)
    told.push({ kind: 'ADDED', name, revision: BigInt(revision) });
  told.sort((a, b) => Number(a.revision - b.revision));
  let { resourceVersion = '' } = metadata;
  while (!signal.aborted) {
    try {
      for await (const event of client.watch(endpoints, { namespace, resourceVersion, signal })) {
        const { name = '', resourceVersion: revision = '' } = event.object.metadata;
        told.push({ kind: event.type, name, revision: BigInt(revision) });
        resourceVersion = revision;
      }
    } catch (error) {
      if (signal.aborted) break;
      assert.equal(isStatusReason(error, 'Expired') || isStatusReason(error, 'Gone'), false, 'a watch that goes on is not expired');
      await delay(50);
    }
  }
  return told;
}
