import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { endpoints as endpointType } from '@arc/api/arc';
import type { KubeObject } from '@arc/apimachinery';
import { clientConfigOf, createKubeClient, loadKubeconfig } from '@arc/kube-client';
import { eventually, findKubectls, kubectlRunner, missingKubernetes } from '@arc/testkit';
import type { Kubectl } from '@arc/testkit';
import { startCluster } from '../e2e/support/cluster.ts';
import type { Cluster } from '../e2e/support/cluster.ts';

const kubectls = await findKubectls();
const newest = kubectls.at(-1);
const missing =
  newest === undefined ? 'no kubectl of 1.27 or newer on this machine' : missingKubernetes('kube-apiserver', 'kube-controller-manager');
const namespace = 'team';
/** By its full name: the core group has another kind of this one. */
const endpoints = 'endpoints.arc.opendefense.cloud';

function endpoint(name: string, remoteURL = `https://${name}.example.com`): string {
  return JSON.stringify({
    ...{ apiVersion: 'arc.opendefense.cloud/v1alpha1', kind: 'Endpoint', metadata: { name, namespace } },
    spec: { type: 'oci', remoteURL },
  });
}

interface AuditedUser {
  readonly username: string;
  readonly groups?: readonly string[];
  readonly extra?: Readonly<Record<string, readonly string[]>>;
}

describe('7 through the aggregation layer', { skip: missing ?? false }, () => {
  const parts = new AsyncDisposableStack();
  let cluster: Cluster;
  let kubeconfig: string;
  let auditLog: string;
  const kube = async (kubectl: Kubectl, args: readonly string[], input?: string): Promise<string> => {
    const result = await kubectlRunner(kubectl, kubeconfig)(args, input === undefined ? {} : { input });
    assert.equal(result.code, 0, `kubectl ${kubectl.minor} ${args.join(' ')}\n${result.stdout}${result.stderr}`);
    return result.stdout;
  };
  const admin = async (args: readonly string[], input?: string): Promise<string> => {
    assert.ok(newest !== undefined);
    return await kube(newest, args, input);
  };

  before(async () => {
    const folder = await mkdtemp(join(tmpdir(), 'arc-aggregator-'));
    parts.defer(() => rm(folder, { recursive: true, force: true }));
    auditLog = join(folder, 'audit.log');
    const apply = async (path: string, manifest: string): Promise<void> => {
      kubeconfig = path;
      await admin(['apply', '-f', '-'], manifest);
    };
    cluster = parts.use(await startCluster(apply, { args: ['--enforce-quotas', '--audit-log', auditLog] }));
    await admin(['wait', '--for=condition=Available', 'apiservice/v1alpha1.arc.opendefense.cloud', '--timeout=60s']);
    cluster.startControllers();
    await admin(['create', 'namespace', namespace]);
    await eventually(async () => (await admin(['explain', 'order.spec'])) !== '', { what: 'the OpenAPI of the Orders' });
  });
  after(() => parts.disposeAsync());

  for (const kubectl of kubectls) {
    test(`7 kubectl ${kubectl.minor} applies on either side, is told of conflicts, explains, edits, lists and deletes`, async () => {
      const [mine, served] = [`client-${kubectl.minor}`, `server-${kubectl.minor}`];
      const run = (...args: readonly string[]): Promise<string> => kube(kubectl, [...args, '-n', namespace]);
      assert.match(await kube(kubectl, ['apply', '-f', '-'], endpoint(mine)), / created/);
      assert.match(await kube(kubectl, ['apply', '-f', '-'], endpoint(mine)), / unchanged/);
      assert.match(await kube(kubectl, ['apply', '--server-side', '-f', '-'], endpoint(served)), / serverside-applied/);
      const other = ['apply', '--server-side', '--field-manager=other', '-f', '-'];
      const conflict = await kubectlRunner(kubectl, kubeconfig)(other, { input: endpoint(served, 'https://else.example.com') });
      assert.match(conflict.stderr, /conflict with "kubectl": \.spec\.remoteURL/);
      await kube(kubectl, [...other, '--force-conflicts'], endpoint(served, 'https://else.example.com'));
      const url = ['get', endpoints, served, '-o', 'jsonpath={.spec.remoteURL} {.metadata.managedFields[*].manager}'];
      assert.match(await run(...url), /^https:\/\/else\.example\.com .*other/);
      assert.match(await run('explain', 'endpoints.spec.remoteURL', '--api-version=arc.opendefense.cloud/v1alpha1'), /remoteURL/);
      await run('patch', endpoints, mine, '--type=merge', '-p', '{"metadata":{"labels":{"colour":"red"}}}');
      assert.match(await run('get', endpoints, '-l', 'colour=red'), new RegExp(`^NAME.*\\n${mine} `));
      assert.match(await run('describe', endpoints, mine), /Remote URL: +https:/);
      await run('delete', endpoints, mine, served, '--timeout=20s');
      assert.equal(await run('get', endpoints, '-o', 'name'), '');
    });
  }

  test('7 certificates, tokens and impersonation arrive as the user they stand for, with groups and extra', async () => {
    /** As whom the server behind the aggregation layer has seen a request for this name. */
    const seenAs = async (name: string, args: readonly string[]): Promise<AuditedUser> => {
      await kubectlRunner(newest as Kubectl, kubeconfig)(['get', endpoints, name, '-n', namespace, ...args]);
      return await eventually(
        async () => {
          const events = (await readFile(auditLog, 'utf8')).split('\n').filter((line) => line.includes(`"name":"${name}"`));
          const [line] = events;
          return line !== undefined && (JSON.parse(line) as { readonly user: AuditedUser }).user;
        },
        { what: `a request for ${name} in the audit log` },
      );
    };
    await admin(['create', 'rolebinding', 'all', '-n', namespace, '--clusterrole=view', '--group=system:authenticated']);
    await admin(['create', 'serviceaccount', 'robot', '-n', namespace]);
    const token = (await admin(['create', 'token', 'robot', '-n', namespace])).trim();
    await eventually(
      async () =>
        (await admin(['auth', 'can-i', 'get', endpoints, '-n', namespace, '--as=jane', '--as-group=system:authenticated'])) === 'yes\n',
      {
        what: "ARC's rules in the role view",
      },
    );

    const certificate = await cluster.kube.kubeconfig('jane', ['readers', 'writers']);
    const byCertificate = await seenAs('by-certificate', ['--kubeconfig', certificate]);
    assert.equal(byCertificate.username, 'jane');
    assert.deepEqual([...(byCertificate.groups ?? [])].sort(), ['readers', 'system:authenticated', 'writers']);

    const nobody = await cluster.kube.kubeconfig('nobody');
    const config = JSON.parse(await readFile(nobody, 'utf8')) as { users: { name: string; user: object }[] };
    config.users = config.users.map(({ name }) => ({ name, user: { token } }));
    await writeFile(nobody, JSON.stringify(config));
    const byToken = await seenAs('by-token', ['--kubeconfig', nobody]);
    assert.equal(byToken.username, `system:serviceaccount:${namespace}:robot`);
    assert.ok(byToken.groups?.includes(`system:serviceaccounts:${namespace}`));
    assert.ok(byToken.extra?.['authentication.kubernetes.io/credential-id']?.[0]?.startsWith('JTI='), JSON.stringify(byToken));

    const impersonated = await seenAs('by-impersonation', ['--as=Jörg / ops', '--as-group=on call', '--as-group=readers']);
    assert.equal(impersonated.username, 'Jörg / ops');
    assert.deepEqual([...(impersonated.groups ?? [])].sort(), ['on call', 'readers', 'system:authenticated']);
  });

  test('7 a watch through the aggregation layer tells every event of a busy hour once and in order, resumed again and again', async () => {
    // Three changes a second for an hour.
    const [objects, changes] = [20, 540];
    const source = { path: kubeconfig, text: await readFile(kubeconfig, 'utf8') };
    await using client = createKubeClient(await clientConfigOf(await loadKubeconfig([source])), { userAgent: 'watch-test' });
    const stop = new AbortController();
    const told: bigint[] = [];
    let watches = 0;
    let { resourceVersion = '' } = (await client.list(endpointType, { namespace })).metadata;
    const follow = async (): Promise<void> => {
      for (; !stop.signal.aborted; watches++) {
        for await (const { object } of client.watch(endpointType, { namespace, resourceVersion, timeoutSeconds: 1, signal: stop.signal })) {
          resourceVersion = object.metadata.resourceVersion ?? '';
          told.push(BigInt(resourceVersion));
        }
      }
    };
    const following = follow().catch((error: unknown) => {
      if (!stop.signal.aborted) throw error;
    });
    const written: bigint[] = [];
    const write = async (name: string): Promise<void> => {
      written.push(BigInt((await client.create(endpointType, JSON.parse(endpoint(name)) as KubeObject)).metadata.resourceVersion ?? ''));
      for (let change = 0; change < changes; change++) {
        const { metadata } = await client.patch(endpointType, { namespace, name }, { metadata: { labels: { change: `c${change}` } } });
        written.push(BigInt(metadata.resourceVersion ?? ''));
      }
    };
    await Promise.all(Array.from({ length: objects }, (_, at) => write(`busy-${at}`)));
    written.sort((a, b) => (a < b ? -1 : 1));
    await eventually(() => told.at(-1) === written.at(-1), { what: 'the last event' });
    stop.abort();
    await following;
    assert.ok(watches > 2, `${watches} watches`);
    assert.equal(told.length, objects * (changes + 1));
    assert.deepEqual(told, written);
    await admin(['delete', endpoints, '--all', '-n', namespace]);
  });

  test('7 a ResourceQuota counts what there is of ARC, refuses more, and takes back what goes', async () => {
    await admin(['create', 'quota', 'few', '-n', namespace, `--hard=count/${endpoints}=2`]);
    const used = (): Promise<string> =>
      admin(['get', 'quota', 'few', '-n', namespace, '-o', `jsonpath={.status.used.count/endpoints\\.arc\\.opendefense\\.cloud}`]);
    await eventually(async () => (await used()) === '0', { what: 'the quota to be counted', timeoutMs: 60_000 });
    for (const name of ['first', 'second']) await admin(['create', '-f', '-'], endpoint(name));
    const refused = await kubectlRunner(newest as Kubectl, kubeconfig)(['create', '-f', '-'], { input: endpoint('third') });
    assert.match(refused.stderr, /"third" is forbidden: exceeded quota: few, .*used: count\/endpoints\.arc\.opendefense\.cloud=2, .*=2/);
    await admin(['delete', endpoints, 'first', '-n', namespace]);
    // kube-controller-manager sees by its own watch, through the aggregation layer, that one is gone.
    await eventually(async () => (await used()) === '1', { what: 'the quota to be counted again', timeoutMs: 90_000 });
    await admin(['create', '-f', '-'], endpoint('third'));
  });
});
