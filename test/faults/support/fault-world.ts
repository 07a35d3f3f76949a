import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { clientConfigOf, loadKubeconfig } from '@arc/kube-client';
import { eventually, startEmbeddedArc, type EmbeddedArc } from '@arc/testkit';
import { createApiClient, type ApiClient } from './api-client.ts';
import { contradictions } from './contradictions.ts';
import { startLoad, type Load } from './load.ts';
import { startProbes } from './probes.ts';
import { seed } from './random.ts';

/** A whole ARC over one storage, as `arcctl up` starts it, and an administrator's client of it. */
export interface FaultWorld extends AsyncDisposable {
  readonly client: ApiClient;
  readonly arc: EmbeddedArc;
  readonly dataDir: string;
  /** Ends the server with a signal and starts it again on the same storage and port. */
  restart(signal: NodeJS.Signals): Promise<void>;
  isReady(): Promise<boolean>;
  metric(name: string): Promise<number>;
}

/** @param storage the URL for `--storage`; undefined: the file of the data directory. */
export async function startFaultWorld(storage?: string): Promise<FaultWorld> {
  const dataDir = await mkdtemp(join(tmpdir(), 'arc-faults-'));
  const options = { dataDir, ...(storage !== undefined && { storage }) };
  let arc = await startEmbeddedArc(options);
  const { kubeconfig, server } = arc;
  const client = createApiClient(
    await clientConfigOf(await loadKubeconfig([{ path: kubeconfig, text: await readFile(kubeconfig, 'utf8') }])),
  );
  return {
    client,
    dataDir,
    get arc() {
      return arc;
    },
    async restart(signal) {
      await arc.stop(signal);
      arc = await startEmbeddedArc({ ...options, listen: new URL(server).host });
    },
    isReady: async () => (await client.send('GET', '/readyz'))?.code === 200,
    async metric(name) {
      const answer = await client.send('GET', '/metrics');
      const lines = answer?.text.split('\n').filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `)) ?? [];
      return lines.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
    },
    async [Symbol.asyncDispose]() {
      client[Symbol.dispose]();
      await arc.stop();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

export interface FaultOptions {
  /** Undefined: the file of the data directory. */
  readonly storage: string | undefined;
  /** Whether the server itself is ended by the fault; its probes then may go unanswered. */
  readonly endsServer?: boolean;
  /** Of the requests of the load. Default 5. */
  readonly timeoutSeconds?: number;
}

/** Lets `fault` happen under load, waits until the load goes on, and asserts that what clients saw has no contradiction. */
export async function assertSurvives(
  t: TestContext,
  { storage, endsServer = false, timeoutSeconds = 5 }: FaultOptions,
  fault: (world: FaultWorld, load: Load) => Promise<void>,
): Promise<void> {
  t.diagnostic(`FAULT_SEED=${seed}`);
  await using world = await startFaultWorld(storage);
  await using load = await startLoad(world.client, { timeoutSeconds });
  const { pid } = world.arc;
  await using probes = startProbes(world.client);
  try {
    await load.progress(30);
    await fault(world, load);
    await load.progress(30);
    await eventually(() => world.isReady(), { what: 'readyz to pass again' });
    const record = await load.finish();
    assert.deepEqual(contradictions(record), []);
    assert.deepEqual(world.client.complaints, []);
    if (!endsServer) assert.deepEqual(probes.failures, [], 'probes that failed');
    assert.equal(world.arc.pid === pid, !endsServer, 'the server is the one that was started');
  } catch (error) {
    throw new Error(`with FAULT_SEED=${seed}; the server printed:\n${world.arc.output().slice(-6000)}`, { cause: error });
  }
}
