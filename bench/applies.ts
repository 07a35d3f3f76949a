import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parallel, send, startServer } from './load-client.ts';
import { inTurn, line } from './statistics.ts';

const applyPatch = 'application/apply-patch+yaml';
const payload = 'x'.repeat(1000);

/**
 * Server-side applies against merge patches of the same objects, both changing one field, from 50 connections: what
 * comparing and recording who owns what adds. Then applies that change nothing and so write nothing.
 */
export async function benchApplies({ objects, rounds }: { readonly objects: number; readonly rounds: number }): Promise<string[]> {
  const folder = await mkdtemp(join(tmpdir(), 'arc-bench-'));
  try {
    await using server = await startServer(join(folder, 'arc.db'));
    const agent = server.agent(50);
    const namespaces = `${server.url}/api/v1/namespaces`;
    await send(agent, namespaces, {
      method: 'POST',
      body: JSON.stringify({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'default' } }),
    });
    let value = 0;
    const patch = async (contentType: string, next: () => number): Promise<number> => {
      const started = performance.now();
      await parallel(objects, 50, (index) => {
        const name = `c-${index}`;
        const body = JSON.stringify({
          apiVersion: 'v1',
          kind: 'ConfigMap',
          metadata: { name },
          data: { payload, value: String(next()) },
        });
        const url = `${namespaces}/default/configmaps/${name}?fieldManager=bench&force=true`;
        return send(agent, contentType === applyPatch ? url : url.replace('&force=true', ''), { method: 'PATCH', body, contentType });
      });
      return objects / ((performance.now() - started) / 1000);
    };
    const apply = (): Promise<number> => patch(applyPatch, () => value++);
    await apply();
    const pairs = await inTurn(rounds, apply, () => patch('application/merge-patch+json', () => value++));
    await patch(applyPatch, () => 0);
    const unchanged = await inTurn(
      rounds,
      () => patch(applyPatch, () => 0),
      () => patch('application/merge-patch+json', () => 0),
    );
    agent.destroy();
    return [
      'Server-side apply of 1 KB objects, 50 connections, SQLite (WAL, synchronous=FULL)',
      line('  applies that change a field', pairs.a, '1/s', 0),
      line('  merge patches that change a field', pairs.b, '1/s', 0),
      line('  ratio apply / merge patch', pairs.ratio, 'x'),
      line('  applies that change nothing', unchanged.a, '1/s', 0),
    ];
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
