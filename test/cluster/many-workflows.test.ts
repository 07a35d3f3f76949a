import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { artifactWorkflows, orders } from '@arc/api/arc';
import type { ArtifactWorkflow } from '@arc/api/arc';
import { workflows } from '@arc/api/argo';
import type { Workflow } from '@arc/api/argo';
import type { KubeClient } from '@arc/kube-client';
import { eventually, missingArgo, missingArgoDefinitions } from '@arc/testkit';
import { startArgoScenario } from '../e2e/support/argo-scenario.ts';
import { namespace } from '../e2e/support/argo-world.ts';
import { createEndpoints, installOciType, ociOrder } from '../e2e/support/world.ts';

/** The cap the scenario gives the controllers. */
const cap = 100;
const count = Number(process.env['ARC_TEST_WORKFLOWS'] ?? 300);
const ofAnOrder = 100;

test(
  `7 of ${count} artifacts that are ready at once, Argo never has more than ${cap} unfinished Workflows, and all of them end`,
  { skip: missingArgo('workflow-controller') ?? missingArgoDefinitions() ?? false, timeout: 900_000 },
  async (t) => {
    // With the 20 requests a second Argo is content with unless told otherwise, two Workflows end in a second.
    const args = ['--qps', '500', '--burst', '500'];
    await using scenario = await startArgoScenario({ otherwise: () => ({ exitCode: 0 }), args });
    const { client, argo } = scenario;
    await installOciType(client);
    await createEndpoints(client, 'https://src.example.com', 'https://dst.example.com', namespace);
    const stop = new AbortController();
    const load = follow(client, stop.signal);
    const began = { at: performance.now(), cpu: cpuSecondsOf(argo.pid) };
    let largest = memoryOf(argo.pid);
    for (let first = 0; first < count; first += ofAnOrder) {
      const artifacts = Array.from({ length: Math.min(ofAnOrder, count - first) }, (_, index) => ({ image: `app:v${first + index}` }));
      await client.create(orders, ociOrder(`o${first}`, artifacts, namespace));
    }
    await eventually(
      async () => {
        largest = Math.max(largest, memoryOf(argo.pid));
        const { items } = await client.list<ArtifactWorkflow>(artifactWorkflows, { namespace });
        const ended = items.filter(({ status }) => status?.phase === 'Succeeded' || status?.phase === 'Failed');
        return items.length === count && ended.length === count;
      },
      { what: 'all to end', timeoutMs: 800_000, intervalMs: 500 },
    );
    const seconds = (performance.now() - began.at) / 1000;
    const cpu = cpuSecondsOf(argo.pid) - began.cpu;
    stop.abort();
    const { most, seen } = await load;
    t.diagnostic(
      `${count} Workflows in ${seconds.toFixed(0)} s, ${most} unfinished at most; Argo's controller took ${cpu.toFixed(1)} s of CPU and ${(largest / 1e6).toFixed(0)} MB`,
    );
    assert.equal(seen, count, 'one Workflow for each artifact');
    assert.ok(most <= cap, `${most} unfinished Workflows`);
    assert.ok(most > cap / 2, `${most} unfinished Workflows: too few to say anything`);
    const { items } = await client.list<ArtifactWorkflow>(artifactWorkflows, { namespace });
    assert.deepEqual(
      items.filter(({ status }) => status?.phase !== 'Succeeded').map(({ metadata, status }) => `${metadata.name}: ${status?.message}`),
      [],
    );
  },
);

/** Counts Workflows as everybody sees them who watches. */
async function follow(client: KubeClient, signal: AbortSignal): Promise<{ readonly most: number; readonly seen: number }> {
  const unfinished = new Set<string>();
  const names = new Set<string>();
  let most = 0;
  let { resourceVersion = '' } = (await client.list(workflows, { namespace })).metadata;
  while (!signal.aborted) {
    try {
      for await (const { type, object } of client.watch<Workflow>(workflows, { namespace, resourceVersion, signal })) {
        const { name = '', resourceVersion: revision = '' } = object.metadata;
        resourceVersion = revision;
        names.add(name);
        const isOver = type === 'DELETED' || ['Succeeded', 'Failed', 'Error'].includes(object.status?.phase ?? '');
        if (isOver) unfinished.delete(name);
        else unfinished.add(name);
        most = Math.max(most, unfinished.size);
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }
  return { most, seen: names.size };
}

function cpuSecondsOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  // utime and stime, in ticks of 10 ms
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

/** Resident, in bytes. */
function memoryOf(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) * 1024;
}
