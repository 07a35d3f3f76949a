import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { endpoints, type Endpoint } from '@arc/api/arc';
import { namespaces } from '@arc/api/core';
import { ApiStatusError, isStatusReason, type ResourceType } from '@arc/apimachinery';
import { clientConfigOf, createKubeClient, loadKubeconfig, type KubeClient } from '@arc/kube-client';
import { eventually } from '@arc/testkit';
import type { Cluster } from '../../e2e/support/cluster.ts';

const namespace = 'team';
const apiServices: ResourceType = {
  ...{ group: 'apiregistration.k8s.io', version: 'v1', kind: 'APIService', plural: 'apiservices', namespaced: false },
};

/** Clients of the ARC API behind the aggregation layer: a writer, a watcher, and one that looks whether the APIService is available. */
export interface Traffic extends AsyncDisposable {
  /** Waits until this many more Endpoints have been created. */
  progress(count: number): Promise<void>;
  /** Ends it, and asserts that every acknowledged write is stored and was told once, in order, and that the API was always available. */
  assertUnharmed(): Promise<void>;
}

/** Begins when the APIService is available. */
export async function startTraffic({ kube }: Cluster): Promise<Traffic> {
  const path = await kube.kubeconfig('admin', ['system:masters']);
  const config = await clientConfigOf(await loadKubeconfig([{ path, text: await readFile(path, 'utf8') }]));
  await using starting = new AsyncDisposableStack();
  const client = starting.use(createKubeClient(config, { userAgent: 'traffic' }));
  await client.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
  await eventually(async () => (await availability(client)) === 'True', { what: 'the APIService', timeoutMs: 60_000 });

  const stop = new AbortController();
  const names: string[] = [];
  const followed = follow(client, stop.signal);
  const sampled = sample(client, stop.signal);
  const written = write(client, names, stop.signal);
  const parts = starting.move();
  const all = Promise.all([followed, sampled, written]);
  // Whoever asks is told; until then a failure is nobody's surprise.
  all.catch(() => undefined);
  return {
    async progress(count) {
      const wanted = names.length + count;
      await Promise.race([eventually(() => names.length >= wanted, { what: `${count} more Endpoints`, timeoutMs: 60_000 }), all]);
    },
    async assertUnharmed() {
      stop.abort();
      const [events, seenAvailability] = await all;
      const stored = (await client.list<Endpoint>(endpoints, { namespace })).items.map(({ metadata }) => metadata.name ?? '');
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
      assert.deepEqual([...new Set(seenAvailability)], ['True']);
    },
    async [Symbol.asyncDispose]() {
      stop.abort();
      await all.catch(() => undefined);
      await parts.disposeAsync();
    },
  };
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

/** Creates Endpoints one after another. @param names gets those whose creation was acknowledged */
async function write(client: KubeClient, names: string[], signal: AbortSignal): Promise<void> {
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
