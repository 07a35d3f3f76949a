import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import { contradictions, randomIntegers } from '@arc/storage/conformance';
import type { ChangeEvent } from '@arc/storage';
import { missingPostgres } from '@arc/testkit';
import { createApiClient } from '../faults/support/api-client.ts';
import { startApiServers } from './api-servers.ts';
import type { Collection, StoredConfigMap } from './collection.ts';
import { followCollection } from './follow-collection.ts';
import { recordRequests } from './record-requests.ts';
import { tellDeletions } from './tell-deletions.ts';

// Whether what clients of three API servers on one PostgreSQL database are answered and told is one sequence that agrees with real time.

const { values: given } = parseArgs({
  options: {
    operations: { type: 'string', default: '100000' },
    clients: { type: 'string', default: '24' },
    seed: { type: 'string', default: String(randomInt(2 ** 31)) },
  },
});
const [operations, clients, seed] = [Number(given.operations), Number(given.clients), Number(given.seed)];
const say = (line: string): void => void process.stdout.write(`${line}\n`);

const missing = missingPostgres();
if (missing === undefined) {
  say(`${operations} operations of ${clients} clients, --seed ${seed}`);
  const found = await check();
  for (const line of found.slice(0, 20)) say(line);
  say(`${found.length} contradictions`);
  process.exitCode = found.length === 0 ? 0 : 1;
} else {
  say(`skipped: ${missing}`);
}

async function check(): Promise<readonly string[]> {
  await using parts = new AsyncDisposableStack();
  const { configs } = parts.use(await startApiServers());
  const servers = configs.map((config) => parts.use(createApiClient(config)));
  const [first] = servers;
  if (first === undefined) throw new Error('no server was started');
  await first.send('POST', '/api/v1/namespaces', { body: { metadata: { name: 'run' } } });
  const path = '/api/v1/namespaces/run/configmaps';
  const newest = async (): Promise<number> => {
    const answer = await first.send('GET', path);
    return Number((JSON.parse(answer?.text ?? '') as StoredConfigMap).metadata.resourceVersion);
  };
  const collection: Collection = { path, base: await newest() };

  const random = randomIntegers(seed);
  const followed = servers.flatMap((server, index) =>
    [() => Infinity, () => 1 + random(300)].map((eventsPerWatch, which) =>
      parts.use(followCollection(server, collection, { name: `watch ${which} of server ${index}`, eventsPerWatch })),
    ),
  );
  const names = Array.from({ length: 20 }, (_, index) => `object-${index}`);
  const began = performance.now();
  const recorded = await recordRequests(servers, collection, { operations, clients, names, seed });
  const seconds = (performance.now() - began) / 1000;

  const [log, ...others] = followed;
  if (log === undefined) throw new Error('nothing was watched');
  const last = (await newest()) - collection.base;
  for (const { reached } of followed) await reached(last);
  const checking = performance.now();
  const found = [
    ...servers.flatMap(({ complaints }) => complaints),
    ...followed.flatMap(({ broken }) => broken),
    ...contradictions(tellDeletions(recorded, log.events), log.events),
    ...others.flatMap(({ events }, index) => difference(`watch ${index + 1}`, events, log.events)),
  ];
  const of = (kind: string): number => recorded.filter((operation) => operation.kind === kind).length;
  const committed = recorded.filter((operation) => operation.kind === 'write' && operation.outcome === 'committed').length;
  say(`${recorded.length} operations in ${seconds.toFixed(1)} s, checked in ${((performance.now() - checking) / 1000).toFixed(1)} s:`);
  say(`  ${of('write')} conditional writes, ${committed} of them committed; ${of('read')} GETs; ${of('snapshot')} LISTs`);
  const watches = followed.reduce((sum, { watches }) => sum + watches, 0);
  say(`  ${log.events.length} changes, told to ${followed.length} followers by ${watches} watches`);
  return found;
}

/** Where two logs of the same changes differ first. */
function difference(what: string, told: readonly ChangeEvent[], log: readonly ChangeEvent[]): readonly string[] {
  const line = (event: ChangeEvent | undefined): string =>
    event === undefined ? 'nothing' : `${event.revision} ${event.key} ${event.value === null ? 'deleted' : Buffer.from(event.value)}`;
  const at = log.findIndex((event, index) => line(event) !== line(told[index]));
  if (at < 0 && told.length === log.length) return [];
  const index = at < 0 ? log.length : at;
  return [`${what} told ${line(told[index])} where the first one told ${line(log[index])}`];
}
