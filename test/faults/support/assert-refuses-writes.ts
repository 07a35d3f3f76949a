import assert from 'node:assert/strict';
import { eventually } from '@arc/testkit';
import type { FaultWorld } from './fault-world.ts';
import type { Load } from './load.ts';

const configMaps = '/api/v1/namespaces/default/configmaps';

/** Waits until writes are refused, and asserts how, and that reads go on. */
export async function assertRefusesWrites({ client, servers }: FaultWorld, load: Load): Promise<void> {
  await load.refused(5);
  // What little room is left may do for some.
  const body = { metadata: { generateName: 'refused-' }, data: { much: 'x'.repeat(500_000) } };
  const answer = await client.send('POST', configMaps, { body });
  assert.ok(answer !== undefined && answer.code >= 500 && Number(answer.headers['retry-after']) > 0, answer?.text.slice(0, 1000));
  assert.equal((await client.send('GET', configMaps, { timeoutSeconds: 30 }))?.code, 200, 'reads go on');
  for (const server of servers) await eventually(() => server.isReady(), { what: 'a server that answers reads to be ready' });
}
