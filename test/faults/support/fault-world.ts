import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { eventually } from '@arc/testkit';
import { spread, type ApiClient } from './api-client.ts';
import { contradictions } from './contradictions.ts';
import { startFaultServer, type FaultServer, type FaultServerOptions } from './fault-server.ts';
import { startLoad, type Load } from './load.ts';
import { startProbes } from './probes.ts';
import { randomNumbers, seed } from './random.ts';

/** One or several servers over one storage. */
export interface FaultWorld {
  /** Each of its requests goes to any of the servers. */
  readonly client: ApiClient;
  /** The first of `servers`. */
  readonly server: FaultServer;
  readonly servers: readonly FaultServer[];
}

export interface FaultOptions extends FaultServerOptions {
  /** How many. Default 1. */
  readonly servers?: number;
  /** Those that the fault ends and starts again: their probes may go unanswered. Default none. */
  readonly ended?: readonly number[];
  /** Of the requests of the load. Default 5. */
  readonly timeoutSeconds?: number;
}

/** Lets `fault` happen under load, waits until the load goes on, and asserts that what clients saw has no contradiction. */
export async function assertSurvives(
  t: TestContext,
  { servers: count = 1, ended = [], timeoutSeconds = 5, ...options }: FaultOptions,
  fault: (world: FaultWorld, load: Load) => Promise<void>,
): Promise<void> {
  t.diagnostic(`FAULT_SEED=${seed}`);
  await using resources = new AsyncDisposableStack();
  const server = resources.use(await startFaultServer(options));
  const servers = [server];
  while (servers.length < count) servers.push(resources.use(await startFaultServer(options)));
  const client = spread(
    servers.map((each) => each.client),
    randomNumbers(300),
  );
  const load = resources.use(await startLoad(client, { timeoutSeconds }));
  const lasting = servers.filter((_, index) => !ended.includes(index));
  const pids = servers.map(({ arc }) => arc.pid);
  const probes = lasting.map((each) => resources.use(startProbes(each.client)));
  try {
    await load.progress(30);
    await fault({ client, server, servers }, load);
    await load.progress(30);
    for (const each of servers) await eventually(() => each.isReady(), { what: 'readyz to pass again' });
    const record = await load.finish();
    assert.deepEqual(contradictions(record), []);
    assert.deepEqual(client.complaints, []);
    assert.deepEqual(
      probes.flatMap(({ failures }) => failures),
      [],
      'probes that failed',
    );
    assert.deepEqual(
      servers.map(({ arc }, index) => arc.pid === pids[index]),
      servers.map((_, index) => !ended.includes(index)),
      'the servers are those that were started',
    );
  } catch (error) {
    const printed = servers.map(({ arc }, index) => `server ${index} printed:\n${arc.output().slice(-6000)}`);
    throw new Error(`with FAULT_SEED=${seed}; ${printed.join('\n')}`, { cause: error });
  }
}
