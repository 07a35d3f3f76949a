import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { orders } from '@arc/api/arc';
import { configMaps, secrets, type Secret } from '@arc/api/core';
import type { Finding, Store } from '@arc/storage';
import { openPostgresImport, openPostgresStore } from '@arc/storage-postgres';
import { openEtcdStore } from '@arc/storage-etcd';
import { openSqliteStore } from '@arc/storage-sqlite';
import {
  arcctlCommand,
  buildImage,
  eventually,
  findProgram,
  missingPostgres,
  runCommand,
  seedRegistry,
  startEmbeddedArc,
  startEtcd,
  startFaultyProxy,
  startPostgres,
  startTestRegistry,
  type CommandResult,
} from '@arc/testkit';
import {
  byName,
  contentOf,
  inRevisionOrder,
  kubectlOutput,
  missingKubectl,
  newestOf,
  settledContentOf,
  watchFrom,
  withoutRevisions,
  writtenByPeople,
} from './support/storage-content.ts';
import type { Content } from './support/storage-content.ts';
import { createEndpoints, finishedOrder, installOciType, ociOrder, startWorld, type World } from './support/world.ts';

const etcdProgram = findProgram('etcd');
const [program, ...leading] = arcctlCommand;

async function storage(...args: readonly string[]): Promise<CommandResult> {
  return await runCommand(program, [...leading, 'storage', ...args]);
}

async function done(...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await storage(...args);
  assert.equal(code, 0, `arcctl storage ${args.join(' ')}\n${stdout}${stderr}`);
  return stdout;
}

const skip = missingPostgres() ?? missingKubectl;

test('everything moves from storage to storage', { skip }, async (t) => {
  await using resources = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'arc-e2e-'));
  resources.defer(() => rm(folder, { recursive: true, force: true }));
  const dataDir = join(folder, 'data');
  const postgres = resources.use(await startPostgres({ durable: false }));
  for (const name of ['arc', 'half', 'bad']) {
    await postgres.createDatabase(name);
    await done('migrate', '--storage', postgres.url(name));
  }
  const etcd = etcdProgram === undefined ? undefined : resources.use(await startEtcd(etcdProgram, join(folder, 'etcd')));
  const withEtcd = { skip: etcd === undefined ? 'no etcd on this machine' : false };
  const [source, destination] = [await startTestRegistry(), await startTestRegistry()];
  resources.defer(async () => void (await Promise.all([source.close(), destination.close()])));
  const image = (name: string): void => seedRegistry(source, `demo/${name}`, buildImage([{ name }]), ['v1']);

  const urls = {
    sqlite: `sqlite:${join(dataDir, 'arc.db')}`,
    postgres: postgres.url('arc'),
    etcd: `etcd://${etcd?.host ?? ''}`,
    back: `sqlite:${join(folder, 'back.db')}`,
  };
  const start = (url: string): Promise<World> => startWorld({ dataDir, storage: url });
  const order = async ({ client }: World, name: string): Promise<void> => {
    image(name);
    await client.create(orders, ociOrder(name, [{ image: `demo/${name}:v1` }]));
    assert.equal((await finishedOrder(client, name)).status?.phase, 'Succeeded');
  };
  const writesTo = (name: RegExp): number =>
    destination.requests.matching({ path: name }).filter(({ method }) => !['GET', 'HEAD'].includes(method)).length;

  let token = '';
  let content: Content = new Map();

  await t.test('there is an SQLite file with a finished Order, Secrets and users', async () => {
    await using world = await start(urls.sqlite);
    await installOciType(world.client);
    await createEndpoints(world.client, source.url, destination.url);
    await world.client.create(secrets, {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { namespace: 'default', name: 'creds' },
      data: { password: Buffer.from('hunter2').toString('base64') },
    } as Secret);
    token = (await world.arcctl(['user', 'token', 'ci'])).stdout.trim();
    await kubectlOutput(world, ['create', 'clusterrolebinding', 'ci', '--clusterrole=view', '--user=ci']);
    await order(world, 'first');
    assert.ok(writesTo(/demo\/first/) > 0);
    content = await settledContentOf(world);
  });

  /** Starts on a storage that was filled with `content`, looks at it, and leaves more there. */
  const assertMoved = async (
    url: string,
    name: string,
    { keepsRevisions, resumes }: { readonly keepsRevisions: boolean; readonly resumes: boolean },
  ): Promise<void> => {
    const writes = writesTo(/./);
    const { revision } = JSON.parse(await done('status', '--storage', url, '-o', 'json')) as { readonly revision: number };
    const known = resumes ? revision : newestOf(content);
    await using world = await start(url);
    const moved = await contentOf(world);
    if (keepsRevisions) assert.deepEqual(moved, content);
    assert.deepEqual(withoutRevisions(moved), withoutRevisions(content));
    assert.deepEqual(inRevisionOrder(moved), inRevisionOrder(content));
    assert.match(await kubectlOutput(world, ['--token', token, 'get', 'orders', '-o', 'name']), /order\S*\/first/);

    await world.client.create(configMaps, { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: `in-${name}`, namespace: 'default' } });
    const expired = ['ERROR Expired'];
    assert.deepEqual(await watchFrom(world, known - 1), expired);
    assert.deepEqual(await watchFrom(world, known), resumes ? [`ADDED in-${name}`] : expired);

    await order(world, name);
    assert.equal(writesTo(/./) - writes, writesTo(new RegExp(`/demo/${name}/`)), 'nothing is transferred again');
    content = await settledContentOf(world);
  };

  await t.test('from SQLite to PostgreSQL', async () => {
    const report = await done('copy', '--from', urls.sqlite, '--to', urls.postgres);
    assert.match(report, /Every object has kept its resourceVersion/);
    await assertMoved(urls.postgres, 'postgres', { keepsRevisions: true, resumes: true });
  });

  await t.test('from PostgreSQL to etcd', withEtcd, async () => {
    assert.match(await done('copy', '--from', urls.postgres, '--to', urls.etcd), /etcd has numbered the objects anew, in the same order/);
    await assertMoved(urls.etcd, 'etcd', { keepsRevisions: false, resumes: false });
  });

  await t.test('and to SQLite again', async () => {
    await done('copy', '--from', etcd === undefined ? urls.postgres : urls.etcd, '--to', urls.back);
    await assertMoved(urls.back, 'back', { keepsRevisions: true, resumes: true });
  });

  await t.test('a backup taken beside a running server becomes another storage; a damaged one becomes nothing', async () => {
    const file = join(folder, 'arc.backup');
    const damaged = join(folder, 'damaged.backup');
    {
      await using world = await start(urls.back);
      content = await contentOf(world);
      const report = JSON.parse(await done('backup', '--storage', urls.back, '--to', file, '-o', 'json')) as { readonly objects: number };
      // With the lease and the key of the servers that have shared it.
      assert.equal(report.objects, content.size + 2);
      await world.client.create(configMaps, { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'too-late', namespace: 'default' } });
    }
    const bytes = await readFile(file);
    bytes.writeUInt8(bytes.readUInt8(bytes.length >> 1) ^ 0xff, bytes.length >> 1);
    await writeFile(damaged, bytes);
    const before = await done('status', '--storage', urls.postgres);
    const refused = await storage('restore', '--from', damaged, '--storage', urls.postgres, '--replace');
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /^error\[BadBackup\]: the backup cannot be used: .*\nhint: .* Nothing was changed\.\n$/);
    assert.equal(await done('status', '--storage', urls.postgres), before);

    const full = await storage('restore', '--from', file, '--storage', urls.postgres);
    assert.equal(full.code, 1);
    assert.match(full.stderr, /^error\[NotEmpty\]: .*\nhint: .*--replace/);
    await done('restore', '--from', file, '--storage', urls.postgres, '--replace');
    await assertMoved(urls.postgres, 'restored', { keepsRevisions: true, resumes: false });
  });

  await t.test('a copy that was killed in the middle is no storage for a server, and goes on when it is run again', async () => {
    const large = `sqlite:${join(folder, 'large.db')}`;
    await fill(await openSqliteStore({ file: join(folder, 'large.db') }), manyObjects);
    await using proxy = await startFaultyProxy(postgres);
    proxy.delay(20);
    const half = postgres.url('half');
    const through = half.replace(`:${postgres.port}`, `:${proxy.port}`);
    const copy = spawn(program, [...leading, 'storage', 'copy', '--from', large, '--to', through], { stdio: 'ignore' });
    const killed = once(copy, 'exit');
    {
      await using target = await openPostgresImport({ url: `${half}&application_name=test` });
      await eventually(async () => (await target.state()).objects > 0, { what: 'the first objects', intervalMs: 5 });
      copy.kill('SIGKILL');
      assert.deepEqual(await killed, [null, 'SIGKILL']);
      assert.ok((await target.state()).objects < manyObjects.length);
    }
    const isNone = await startEmbeddedArc({ dataDir, storage: half }).then(() => assert.fail('it has started'), String);
    assert.match(isNone, /error\[BadDatabase\]: .* was not filled completely/);
    const command = /goes on where it stopped: arcctl (.*)$/m.exec(isNone)?.[1] ?? '';
    assert.equal(command, `storage copy --from ${large} --to '${through}'`);
    proxy.delay(0);
    assert.match(await done('copy', '--from', large, '--to', through), /^An earlier run had written \d+ of them\.\nCopied 3000 objects/);
    assert.equal((await storage('doctor', '--storage', half)).code, 0);
  });

  const bad = {
    sqlite: { url: `sqlite:${join(folder, 'bad.db')}`, open: () => openSqliteStore({ file: join(folder, 'bad.db') }) },
    postgres: { url: postgres.url('bad'), open: () => openPostgresStore({ url: postgres.url('bad') }) },
    etcd: {
      url: `${urls.etcd}?prefix=/bad`,
      open: () => openEtcdStore({ endpoints: [etcd?.host ?? ''], layout: { storePrefix: '/registry', etcdPrefix: '/bad' } }),
    },
  };
  for (const [backend, { url, open }] of Object.entries(bad)) {
    await t.test(`the doctor finds what is wrong in ${backend}`, backend === 'etcd' ? withEtcd : {}, async () => {
      await fill(await open(), badObjects);
      const findings = async (): Promise<readonly Finding[]> => {
        const { code, stdout } = await storage('doctor', '--storage', url, '-o', 'json');
        assert.equal(code, 1);
        return (JSON.parse(stdout) as { readonly findings: readonly Finding[] }).findings;
      };
      assert.deepEqual(
        (await findings()).map(({ severity, check, key }) => `${severity} ${check} ${key}`),
        [
          'problem key /registry/core/configmaps/default/other',
          'problem value /registry/core/configmaps/default/undecodable',
          'information owner /registry/core/configmaps/default/orphan',
        ],
      );
      await done('doctor', '--storage', url, '--remove', '/registry/core/configmaps/default/undecodable', '--yes');
      assert.equal((await findings()).length, 2);
    });
  }

  await t.test('kubectl get and apply move between running servers what people have written, and run Orders anew', async () => {
    await using from = await start(urls.postgres);
    const inUse = await storage('restore', '--from', join(folder, 'arc.backup'), '--storage', urls.postgres, '--replace');
    assert.match(inUse.stderr, /^error\[Locked\]: .* is in use: \d+ sessions of ARC\nhint: Stop the servers/);
    await kubectlOutput(from, ['create', 'namespace', 'team-b']);
    await using to = await startWorld({ storage: 'memory:' });
    const exported = await kubectlOutput(from, ['get', movedKinds.join(','), '-A', '-l', notOfEveryServer, '-o', 'yaml']);
    const writes = writesTo(/./);
    assert.equal((await kubectlOutput(to, ['apply', '-f', '-'], { input: exported })).includes('configured'), false);
    for (const { kind, metadata } of content.values()) {
      if (kind === 'Order') assert.equal((await finishedOrder(to.client, metadata.name ?? '')).status?.phase, 'Succeeded');
    }
    assert.equal(writesTo(/./), writes, 'what is at the destination is not sent again');
    assert.match(await kubectlOutput(to, ['--token', token, 'get', 'orders', '-o', 'name']), /order\S*\/first/);

    const [before, now] = [byName(await contentOf(from)), byName(await settledContentOf(to))];
    const lost = new Set([...before.keys()].filter((name) => !now.has(name)).map((name) => name.split(' ')[0]));
    assert.deepEqual(lost, new Set(['Event']));
    for (const name of [
      'Secret default/creds',
      'Endpoint default/src',
      'Order default/first',
      'ClusterRoleBinding /ci',
      'ClusterArtifactType /oci',
    ]) {
      const [old, copy] = [before.get(name), now.get(name)];
      assert.deepEqual(writtenByPeople(copy), writtenByPeople(old));
      assert.notEqual(copy?.metadata.uid, old?.metadata.uid);
      assert.ok(Date.parse(String(copy?.metadata.creationTimestamp)) > Date.parse(String(old?.metadata.creationTimestamp)));
    }

    const anew = exported.replaceAll(/^ {4}(?:uid|resourceVersion|creationTimestamp|generation):.*\n/gm, '');
    assert.match(await kubectlOutput(to, ['apply', '-f', '-'], { input: anew }), /order\S*\/first configured/);
    assert.match(await kubectlOutput(to, ['apply', '--server-side', '-f', '-'], { input: anew }), /order\S*\/first serverside-applied/);
  });
});

/** All but what every server makes for itself. */
const notOfEveryServer = '!kubernetes.io/bootstrapping,kubernetes.io/metadata.name notin (default,kube-system)';

const movedKinds = [
  'namespaces',
  'secrets',
  'configmaps',
  'clusterroles',
  'clusterrolebindings',
  'roles',
  'rolebindings',
  'clusterworkflowtemplates',
  'workflowtemplates',
  'clusterartifacttypes',
  'artifacttypes',
  'endpoints',
  'orders',
];

const configMap = (name: string, metadata: object = {}): string =>
  JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: 'default', uid: `uid-of-${name}`, ...metadata } });

const manyObjects = Array.from({ length: 3000 }, (_, i): readonly [string, string] => [
  `/registry/core/configmaps/default/${i}`,
  configMap(String(i), { annotations: { filling: 'x'.repeat(200) } }),
]);

const badObjects = [
  ['/registry/core/configmaps/default/orphan', configMap('orphan', { ownerReferences: [{ kind: 'Order', name: 'gone', uid: 'gone' }] })],
  ['/registry/core/configmaps/default/other', configMap('another')],
  ['/registry/core/configmaps/default/undecodable', '{"metadata":'],
  ['/registry/core/configmaps/default/well', configMap('well')],
] as const;

async function fill(store: Store, objects: readonly (readonly [key: string, value: string])[]): Promise<void> {
  await using _store = store;
  await store.commit(objects.map(([key, value]) => ({ key, expect: 'absent', value: Buffer.from(value) })));
}
