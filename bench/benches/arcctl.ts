import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { arcctlCommand, startEmbeddedArc } from '@arc/testkit';
import { residentBytes } from '../processes/process-usage.ts';
import type { Bench } from './bench.ts';

/** The program as a user runs it: start to ready, memory when idle, and a first command. */
export const arcctl: Bench = {
  name: 'arcctl',
  about: '`arcctl up` to ready, its memory when idle, `arcctl get` and Node itself, cold',
  backends: 'none',
  async run({ plan, recorder }) {
    const [ready, again, rss, get, node]: [number[], number[], number[], number[], number[]] = [[], [], [], [], []];
    for (let start = 0; start < plan.starts; start += 1) {
      const folder = await mkdtemp(join(tmpdir(), 'arc-bench-'));
      try {
        const first = await timed(() => startEmbeddedArc({ dataDir: folder }));
        ready.push(first.ms);
        await first.result.stop();
        const second = await timed(() => startEmbeddedArc({ dataDir: folder }));
        again.push(second.ms);
        await using arc = second.result;
        await sleep(plan.idleMs);
        rss.push(residentBytes(arc.pid) ?? Number.NaN);
        get.push((await timed(() => run([...arcctlCommand, 'get', 'orders', '--kubeconfig', arc.kubeconfig]))).ms);
        node.push((await timed(() => run([process.execPath, '-e', '0']))).ms);
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    }
    const common = { bench: 'arcctl', backend: 'none', at: {} } as const;
    recorder.record({ ...common, metric: '`arcctl up` to ready, first start', unit: 'ms', values: ready });
    recorder.record({ ...common, metric: '`arcctl up` to ready', unit: 'ms', values: again });
    recorder.record({ ...common, metric: 'RSS when idle', unit: 'bytes', values: rss });
    recorder.record({ ...common, metric: '`arcctl get` cold', unit: 'ms', values: get, baseline: { name: '`node -e 0`', values: node } });
  },
};

async function timed<T>(work: () => Promise<T>): Promise<{ readonly result: T; readonly ms: number }> {
  const started = performance.now();
  const result = await work();
  return { result, ms: performance.now() - started };
}

async function run([program = '', ...args]: readonly string[]): Promise<void> {
  const [code] = (await once(spawn(program, args, { stdio: 'ignore' }), 'exit')) as [number | null];
  if (code !== 0) throw new Error(`${program} ${args.join(' ')} ended with ${code}`);
}
