import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { coreKinds } from '@arc/api/core';
import { createApiServer } from '@arc/apiserver';
import { FakeClock } from '@arc/kernel';
import { createAuthority, issueClientCertificate, issueServerCertificate } from '@arc/pki';
import { compactRegularly } from '@arc/storage';
import { openSqliteStore } from '@arc/storage-sqlite';
import { eventually } from '@arc/testkit';
import { createApiClient, type ApiClient } from './support/api-client.ts';
import { contradictions } from './support/contradictions.ts';
import { startLoad } from './support/load.ts';
import { seed } from './support/random.ts';

const hour = 3_600_000;

test('a clock that is set hours forward and back under load: nothing is lost, times out or is forgotten early', async (t) => {
  t.diagnostic(`FAULT_SEED=${seed}`);
  await using resources = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'arc-faults-'));
  resources.defer(() => rm(folder, { recursive: true }));
  const store = resources.use(await openSqliteStore({ file: join(folder, 'arc.db') }));
  // Late enough for the certificates to be valid wherever it is set to.
  const clock = new FakeClock(Date.now() + 100 * hour);
  const compaction = new AbortController();
  const compacted = compactRegularly(store, { signal: compaction.signal, clock, everyMs: 1_000, keepMs: 600_000, keepRevisions: 1 });
  resources.defer(async () => {
    compaction.abort();
    await compacted;
  });
  const authority = createAuthority({ commonName: 'clock' });
  const serving = issueServerCertificate(authority, { names: ['localhost'], addresses: ['127.0.0.1'] });
  const api = await createApiServer({
    kinds: coreKinds,
    store,
    clock,
    tls: { cert: serving.certPem, key: serving.keyPem, clientCa: authority.certPem },
  });
  resources.defer(() => api.close({ graceMs: 0 }));
  const { port } = await api.listen({ host: '127.0.0.1', port: 0 });
  const access = {
    server: `https://127.0.0.1:${port}`,
    caPem: authority.certPem,
    clientCertificate: issueClientCertificate(authority, { user: 'admin', groups: ['system:masters'] }),
  };
  const client = resources.use(createApiClient(access));
  await eventually(async () => (await client.send('GET', '/readyz'))?.code === 200, { what: 'the server to be ready' });

  const load = resources.use(await startLoad(client, { timeoutSeconds: 30 }));
  for (const hours of [5, -9, 30, -60, 1]) {
    await load.progress(20);
    clock.jump(hours * hour);
    // Less than the timeout of any request, and enough for watches to end and compaction to look.
    await clock.advance(4_000);
    await load.progress(20);
  }
  assert.equal(load.refusals, 0, 'no request times out');
  assert.equal(await store.compactedRevision(), 0, 'all of history is younger than ten minutes');
  assert.deepEqual(contradictions(await load.finish()), []);
  assert.deepEqual(client.complaints, []);
  assert.ok(
    (await secondsOfRequests(client)).every((seconds) => seconds >= 0 && seconds < 600),
    'durations are those that passed',
  );

  await clock.advance(601_000);
  assert.ok((await store.compactedRevision()) > 0, 'history is forgotten when its time has come');

  clock.jump(-200 * hour);
  const newcomer = resources.use(createApiClient(access));
  assert.equal((await newcomer.send('GET', '/api/v1/namespaces'))?.code, 401, 'a certificate of the future');
  clock.jump(200 * hour);
  assert.equal((await newcomer.send('GET', '/api/v1/namespaces'))?.code, 200, 'the same, when the clock is right again');
});

async function secondsOfRequests(client: ApiClient): Promise<readonly number[]> {
  const text = (await client.send('GET', '/metrics'))?.text ?? '';
  const sums = text.matchAll(/^apiserver_(?:request|storage_operation)_duration_seconds_sum\S* (\S+)$/gm);
  return [...sums].map(([, sum]) => Number(sum));
}
