import assert from 'node:assert/strict';
import { after, suite, test } from 'node:test';
import { openEtcdImport } from './import-target.ts';
import { openEtcdStore, type EtcdStoreOptions } from './etcd-store.ts';
import { bytes, committed, missingEtcd, testEtcds } from '../test/etcd.ts';

suite('an etcd in which objects are already', { skip: missingEtcd }, async () => {
  if (missingEtcd !== undefined) return;
  const resources = new AsyncDisposableStack();
  after(() => resources.disposeAsync());
  const { host } = await resources.use(testEtcds()).start();
  const raw = resources.use(await openEtcdStore({ endpoints: [host], layout: { storePrefix: '', etcdPrefix: '' } }));
  const groups = ['core', 'argoproj.io', 'arc.opendefense.cloud'];
  let places = 0;

  /** Writes keys below a prefix of their own, and returns the options to open that prefix. */
  async function filled(contents: Readonly<Record<string, string>>): Promise<EtcdStoreOptions> {
    const etcdPrefix = `/place-${places++}`;
    for (const [key, value] of Object.entries(contents))
      await committed(raw, { key: `${etcdPrefix}/${key}`, expect: 'absent', value: bytes(value) });
    return { endpoints: [host], layout: { etcdPrefix }, groups };
  }
  const object = (apiVersion: string): string => JSON.stringify({ kind: 'X', apiVersion, metadata: { name: 'x' } });
  async function assertRefused(options: EtcdStoreOptions, expected: { readonly message: RegExp; readonly hint: RegExp }): Promise<void> {
    await assert.rejects(openEtcdStore(options), { code: 'BadDatabase', ...expected });
    // Filling it would begin by removing what is there.
    await assert.rejects(openEtcdImport(options), { code: 'BadDatabase', ...expected });
  }

  test('is opened when they are those of this server, whatever else is no object', async () => {
    const options = await filled({
      health: '{"health":"true"}',
      'core/secrets/default/s': object('v1'),
      'argoproj.io/workflows/default/w': object('argoproj.io/v1alpha1'),
      'arc.opendefense.cloud/orders/default/broken': '{"kind":"Or',
    });
    await using store = await openEtcdStore(options);
    assert.equal((await store.range({ prefix: '/registry/' })).items.length, 4);
  });

  test("is refused when they are a cluster's own", async () => {
    const expected = { message: /something else: \/place-\d+\/(pods|namespaces)\//, hint: /prefix of its own/ };
    await assertRefused(await filled({ 'core/secrets/a/b': object('v1'), 'pods/kube-system/dns': 'k8s\0\n\u000e\n\u0002v1' }), expected);
    await assertRefused(await filled({ 'namespaces/default': object('v1') }), expected);
  });

  test('is refused when they are of a group that is not served', async () => {
    const options = await filled({ 'apps.example/widgets/a/b': object('apps.example/v1') });
    await assertRefused(options, { message: /the group apps\.example, which is not served/, hint: /group=apps\.example/ });
    await using _ = await openEtcdStore({ endpoints: [host], layout: options.layout ?? {} });
  });

  test("is refused with the prefix to give when they are upstream's", async () => {
    const options = await filled({ 'arc.bwi.de/arc.bwi.de/orders/a/b': object('arc.bwi.de/v1alpha1') });
    const { etcdPrefix = '' } = options.layout ?? {};
    const prefix = `${etcdPrefix}/arc.bwi.de`;
    await assertRefused(options, { message: /written below the prefix/, hint: new RegExp(`prefix=${prefix}\\.`) });
    const there = { ...options, layout: { etcdPrefix: prefix } };
    await assertRefused(there, { message: /not served/, hint: /group=arc\.bwi\.de/ });
    await using store = await openEtcdStore({
      ...there,
      layout: { etcdPrefix: prefix, group: { inStore: 'arc.opendefense.cloud', inEtcd: 'arc.bwi.de' } },
    });
    assert.equal((await store.range({ prefix: '/registry/arc.opendefense.cloud/orders/' })).items.length, 1);
  });

  test('is refused when the prefix is that of one resource too deep', async () => {
    const options = await filled({ 'arc.opendefense.cloud/orders/a/b': object('arc.opendefense.cloud/v1alpha1') });
    const etcdPrefix = `${options.layout?.etcdPrefix}/arc.opendefense.cloud`;
    await assertRefused({ ...options, layout: { etcdPrefix } }, { message: /not where this server would have put it/, hint: /prefix/ });
  });

  test('is refused when both names of a renamed group are in use', async () => {
    const options = await filled({
      'arc.bwi.de/orders/a/b': object('arc.bwi.de/v1alpha1'),
      'arc.opendefense.cloud/orders/a/b': object('arc.opendefense.cloud/v1alpha1'),
    });
    const layout = { ...options.layout, group: { inStore: 'arc.opendefense.cloud', inEtcd: 'arc.bwi.de' } };
    await assertRefused({ ...options, layout }, { message: /beside the group/, hint: /only one of the two/ });
  });
});
