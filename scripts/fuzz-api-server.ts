import { parseArgs } from 'node:util';
import * as pki from '@arc/pki';
import { fuzzServer } from '../packages/apiserver/src/testing/fuzz-server.ts';
import { startTestServer } from '../packages/apiserver/src/testing/test-server.ts';

/** The long run of the request fuzzer: `node scripts/fuzz-api-server.ts --requests 200000 [--seed N]`. */
const { values } = parseArgs({
  options: { requests: { type: 'string', default: '200000' }, seed: { type: 'string', default: String(Date.now() % 1_000_000) } },
});
const seed = Number(values.seed);
await using server = await startTestServer(pki);
const { requests, codes, failures } = await fuzzServer(server, { seed, requests: Number(values.requests), parallel: 32 });
const counts = [...codes].toSorted(([a], [b]) => a - b).map(([code, count]) => `${code}: ${count}`);
process.stdout.write(`seed ${seed}, ${requests} requests; ${counts.join(', ')}\n`);
for (const failure of failures.slice(0, 20)) process.stdout.write(`${JSON.stringify(failure)}\n`);
process.exitCode = failures.length === 0 ? 0 : 1;
