import assert from 'node:assert/strict';
import { after, suite, test } from 'node:test';
import { diagnoseEtcd } from './diagnose.ts';
import { openEtcdStore } from './etcd-store.ts';
import { creation, missingEtcd, testEtcds, write } from '../test/etcd.ts';

suite('diagnosing an etcd', { skip: missingEtcd }, async () => {
  if (missingEtcd !== undefined) return;
  const resources = new AsyncDisposableStack();
  after(() => resources.disposeAsync());
  const etcds = resources.use(testEtcds());

  test('a member in order is told of, and nothing is found', async () => {
    const { host } = await etcds.start();
    const { members, findings } = await diagnoseEtcd({ endpoints: [host] });
    assert.deepEqual(findings, []);
    const [member] = members;
    assert.equal(member?.endpoint, host);
    assert.match(member.version, /^3\.\d+\.\d+/);
    assert.match(member.leader, /^[1-9]\d+$/);
    assert.ok(member.raftTerm > 0 && member.dbSize > 0);
  });

  test('endpoints of different clusters do not agree, and one that is away is named', async () => {
    const [one, other] = [await etcds.start(), await etcds.start()];
    const endpoints = [one.host, other.host];
    // Two clusters of one member each have the same ids where they were started alike; a further election tells them apart.
    await other.kill();
    await other.start();
    const { findings } = await diagnoseEtcd({ endpoints });
    assert.match(findings[0]?.message ?? '', new RegExp(`${one.host} and ${other.host} do not agree on leader and term`));
    const away = await diagnoseEtcd({ endpoints: [one.host, '127.0.0.1:1'], timeoutMs: 500 });
    assert.equal(away.members.length, 1);
    assert.match(away.findings[0]?.message ?? '', /127\.0\.0\.1:1/);
    await assert.rejects(diagnoseEtcd({ endpoints: ['127.0.0.1:1'], timeoutMs: 300 }), { code: 'Unavailable' });
  });

  test('an etcd without room has raised an alarm', async () => {
    const { host } = await etcds.start({ args: ['--quota-backend-bytes', String(2 * 1024 * 1024)] });
    await using store = await openEtcdStore({ endpoints: [host] });
    await assert.rejects(async () => {
      for (let i = 0; i < 500; i++) await write(store, creation(`/registry/core/configmaps/n/${i}`, 'x'.repeat(300_000)));
    });
    const { findings } = await diagnoseEtcd({ endpoints: [host] });
    assert.match(findings[0]?.message ?? '', /has raised the alarm NOSPACE/);
    assert.match(findings[0]?.hint ?? '', /alarm disarm/);
  });
});
