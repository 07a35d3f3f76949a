import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as pki from '@arc/pki';
import { fuzzServer } from './testing/fuzz-server.ts';
import { startTestServer } from './testing/test-server.ts';

test('no request ends the server or makes it fail: seeded nonsense over both HTTP versions', async (t) => {
  const seed = Date.now() % 1_000_000;
  t.diagnostic(`seed ${seed}`);
  await using server = await startTestServer(pki);
  const { codes, failures } = await fuzzServer(server, { seed, requests: 1_500 });
  assert.deepEqual(failures, [], `seed ${seed}`);
  assert.ok((codes.get(200) ?? 0) > 0 && (codes.get(400) ?? 0) > 0 && (codes.get(404) ?? 0) > 0, 'the requests are too much alike');
  assert.equal(Object.hasOwn(Object.prototype, 'polluted'), false);
});
