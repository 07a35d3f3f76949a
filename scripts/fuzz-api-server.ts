import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { parseArgs } from 'node:util';
import * as pki from '@arc/pki';
import { createMemoryStore } from '@arc/storage';
import { forgettingStore } from '../packages/apiserver/src/testing/fuzz/forgetting-store.ts';
import { fuzzServer } from '../packages/apiserver/src/testing/fuzz/fuzz-server.ts';
import { testKinds } from '../packages/apiserver/src/testing/kinds.ts';
import { crewDefinition } from '../packages/apiserver/src/testing/scalable-kind.ts';
import { startTestServer } from '../packages/apiserver/src/testing/test-server.ts';

/** The long run of the request fuzzer: `npm run fuzz -- --requests 200000 [--seed N] [--seconds N]`, which ends it earlier. */
const { values } = parseArgs({
  options: {
    requests: { type: 'string', default: '200000' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    seconds: { type: 'string', default: '86400' },
  },
});
const seed = Number(values.seed);
/** More than this is left behind by requests: runs of 80,000 ended within 1 MB of where they began. */
const maxGrowth = 12 * 1024 * 1024;
/** What every process of this kind comes to hold: compiled code, pools, caches that have a limit. */
const warmUp = 5_000;

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

const store = forgettingStore(createMemoryStore());
await using server = await startTestServer(pki, { kinds: [...testKinds, crewDefinition], store });
await fuzzServer(server, { seed: seed + 1, requests: warmUp, parallel: 32 });
const before = await heldAtRest();
const signal = AbortSignal.timeout(Number(values.seconds) * 1_000);
const { requests, codes, failures } = await fuzzServer(server, { seed, requests: Number(values.requests), parallel: 32, signal });
const after = await heldAtRest();

const total = new Map<number, number>();
for (const [intent, ofIntent] of [...codes].toSorted()) {
  for (const [code, count] of ofIntent) total.set(code, (total.get(code) ?? 0) + count);
  process.stdout.write(`${intent.padEnd(22)} ${countsOf(ofIntent)}\n`);
}
process.stdout.write(`seed ${seed}, ${requests} requests: ${countsOf(total)}\n`);
process.stdout.write(`held at rest: ${heldText(before)} after ${warmUp} requests, ${heldText(after)} after all\n`);
for (const failure of failures.slice(0, 20)) process.stdout.write(`${JSON.stringify(failure)}\n`);
process.stdout.write(`${failures.length} failures\n`);
process.exitCode = failures.length === 0 && after.heap + after.external - before.heap - before.external < maxGrowth ? 0 : 1;

/** Bytes. */
interface Held {
  readonly heap: number;
  /** Array buffers included. */
  readonly external: number;
}

/** What is held when nothing is stored, there is no history and nobody asks. */
async function heldAtRest(): Promise<Held> {
  const json = { 'content-type': 'application/merge-patch+json' };
  for (const path of [
    '/apis/demo.example.com/v1/namespaces/ns/widgets',
    '/apis/demo.example.com/v1/namespaces/ns/crews',
    '/api/v1/namespaces/ns/notes',
  ]) {
    const { items } = (await server.admin.get(path)).object() as unknown as { items: { metadata: { name: string } }[] };
    for (const { metadata } of items) {
      await server.admin.send('PATCH', `${path}/${metadata.name}`, { body: { metadata: { finalizers: null } }, headers: json });
    }
    await server.admin.send('DELETE', path);
  }
  await store.forget();
  while (!/^apiserver_watch_cache_history_events 0$/m.test((await server.admin.get('/metrics')).text)) await sleep(20);
  // What a collection finds unused is given back by callbacks in later turns, and may have held more.
  for (let time = 0; time < 3; time++) {
    collectGarbage();
    await sleep(20);
  }
  const { heapUsed: heap, external } = process.memoryUsage();
  return { heap, external };
}

function heldText({ heap, external }: Held): string {
  return `${megabytes(heap)} MB and ${megabytes(external)} MB outside the heap`;
}

function countsOf(counts: ReadonlyMap<number, number>): string {
  return [...counts]
    .toSorted(([a], [b]) => a - b)
    .map(([code, count]) => `${code}: ${count}`)
    .join(', ');
}

function megabytes(bytes: number): string {
  return (bytes / 1024 / 1024).toFixed(1);
}
