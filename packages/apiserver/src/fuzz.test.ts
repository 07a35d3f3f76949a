import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as pki from '@arc/pki';
import { fuzzServer } from './testing/fuzz/fuzz-server.ts';
import { testKinds } from './testing/kinds.ts';
import { crewDefinition } from './testing/scalable-kind.ts';
import { startTestServer } from './testing/test-server.ts';

test('no request ends the server or makes it fail: seeded requests, right, wrong and broken, over both HTTP versions', async (t) => {
  const seed = Date.now() % 1_000_000;
  t.diagnostic(`seed ${seed}`);
  await using server = await startTestServer(pki, { kinds: [...testKinds, crewDefinition] });
  const { codes, failures } = await fuzzServer(server, { seed, requests: 1_500, parallel: 32 });
  assert.deepEqual(failures, [], `seed ${seed}`);
  const good = (intent: string): number => [...(codes.get(intent) ?? [])].reduce((sum, [code, count]) => sum + (code < 300 ? count : 0), 0);
  for (const intent of [
    'create',
    'create in YAML',
    'json-patch',
    'merge-patch',
    'strategic-merge-patch',
    'apply',
    'scale',
    'list',
    'watch',
  ]) {
    assert.ok(good(intent) > 0, `none of the requests to ${intent} got through, seed ${seed}`);
  }
  assert.equal(Object.hasOwn(Object.prototype, 'polluted'), false);
});
