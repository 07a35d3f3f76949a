import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { request, type RequestOptions as HttpsOptions } from 'node:https';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { selfSubjectAccessReviews } from '@arc/api/core';
import type { KubeObject } from '@arc/apimachinery';
import { startControllers } from '@arc/controller';
import { clientConfigOf, createKubeClient, loadKubeconfig } from '@arc/kube-client';
import type { KubeClient } from '@arc/kube-client';
import {
  arcctlCommand,
  argoDefinitions,
  eventually,
  findKubectls,
  findTool,
  kubectlRunner,
  missingArgo,
  missingArgoDefinitions,
  missingKubernetes,
  runCommand,
  startWorkflowController,
} from '@arc/testkit';
import type { CommandResult, RunOptions } from '@arc/testkit';
import { startCluster, type Cluster } from './support/cluster.ts';
import { startControllerManager } from './support/controller-manager.ts';
import { createFakeKubelet } from './support/fake-kubelet.ts';
import { account, order, password, phaseOf, supply, tenant } from './support/supply.ts';

type Run = (args: readonly string[], options?: RunOptions) => Promise<CommandResult>;

const kubectl = (await findKubectls()).at(-1);
const missing =
  kubectl === undefined ? 'no kubectl of 1.27 or newer on this machine' : missingKubernetes('kube-apiserver', 'kube-controller-manager');

const helm = findTool('helm');
const apiVersion = 'arc.opendefense.cloud/v1alpha1';
/** By its full name: the core group has another kind of this one. */
const endpoints = 'endpoints.arc.opendefense.cloud';

function endpoint(name: string, metadata: object = {}): string {
  const spec = { type: 'oci', remoteURL: `https://${name}.example.com` };
  return JSON.stringify({ apiVersion, kind: 'Endpoint', metadata: { name, ...metadata }, spec });
}

describe('7 behind a real kube-apiserver', { skip: missing ?? false }, () => {
  let cluster: Cluster;
  let admin: Run;
  const ok = async (run: Run, args: readonly string[], options?: RunOptions): Promise<string> => {
    const result = await run(args, options);
    assert.equal(result.code, 0, `kubectl ${args.join(' ')}\n${result.stdout}${result.stderr}`);
    return result.stdout;
  };
  const runner = (kubeconfig: string): Run => {
    assert.ok(kubectl !== undefined);
    return kubectlRunner(kubectl, kubeconfig);
  };
  const apply = async (manifest: string, ...more: readonly string[]): Promise<string> =>
    await ok(admin, ['apply', '-f', '-', ...more], { input: manifest });

  before(async () => {
    cluster = await startCluster(async (kubeconfig, manifest) => {
      await ok(runner(kubeconfig), ['apply', '-f', '-'], { input: manifest });
    });
    admin = runner(await cluster.kube.kubeconfig('admin', ['system:masters']));
    await ok(admin, ['wait', '--for=condition=Available', 'apiservice/v1alpha1.arc.opendefense.cloud', '--timeout=60s']);
    cluster.startControllers();
    // The merged documents follow the registration a little later.
    await eventually(async () => (await admin(['explain', 'order.spec'])).code === 0, { what: 'the OpenAPI of the Orders' });
    await ok(admin, ['create', 'namespace', 'team-a']);
    await ok(admin, ['create', 'namespace', 'team-b']);
  });
  after(() => cluster[Symbol.asyncDispose]());

  test('7 discovery and OpenAPI are merged into those of a real kube-apiserver', async () => {
    const resources = await ok(admin, ['api-resources', '--api-group=arc.opendefense.cloud', '-o', 'name', '--cached=false']);
    assert.deepEqual(resources.trim().split('\n').sort(), [
      'artifacttypes.arc.opendefense.cloud',
      'artifactworkflows.arc.opendefense.cloud',
      'clusterartifacttypes.arc.opendefense.cloud',
      endpoints,
      'orders.arc.opendefense.cloud',
    ]);
    assert.match(await ok(admin, ['api-versions']), /^arc\.opendefense\.cloud\/v1alpha1\n(.*\n)*v1$/m);
    assert.match(await ok(admin, ['explain', 'order.spec.artifacts']), /KIND: +Order\nVERSION: +v1alpha1\n/);
    const merged = JSON.parse(await ok(admin, ['get', '--raw', '/openapi/v2'])) as { readonly paths: object };
    assert.ok('/apis/arc.opendefense.cloud/v1alpha1/namespaces/{namespace}/orders' in merged.paths);
    assert.ok('/api/v1/namespaces/{namespace}/configmaps' in merged.paths);
    const described = await ok(admin, [
      'get',
      'apiservice',
      'v1alpha1.arc.opendefense.cloud',
      '-o',
      'jsonpath={.status.conditions[*].reason}',
    ]);
    assert.equal(described, 'Passed');
  });

  test('7 kubectl creates, applies, watches and deletes through a real kube-apiserver', async () => {
    const inA = (...args: readonly string[]): Promise<string> => ok(admin, [...args, '-n', 'team-a']);
    assert.match(await apply(endpoint('one'), '-n', 'team-a'), /endpoint\.arc\.opendefense\.cloud\/one created/);
    assert.match(await apply(endpoint('one'), '-n', 'team-a'), /unchanged/);
    assert.match(await apply(endpoint('two'), '-n', 'team-a', '--server-side'), /two serverside-applied/);
    const conflict = await admin(['apply', '--server-side', '--field-manager=other', '-n', 'team-a', '-f', '-'], {
      input: endpoint('two').replace('two.example', 'else.example'),
    });
    assert.match(conflict.stderr, /conflict with "kubectl": \.spec\.remoteURL/);
    assert.match(await inA('get', endpoints), /^NAME +TYPE +/);
    const invalid = await admin(['apply', '-n', 'team-a', '-f', '-'], { input: endpoint('bad').replace('https://bad', 'no URL') });
    assert.match(invalid.stderr, /spec\.remoteURL: Invalid value/);
    const unknown = await admin(['apply', '-n', 'team-a', '-f', '-'], { input: endpoint('bad').replace('"type"', '"typo":1,"type"') });
    assert.match(unknown.stderr, /unknown field "spec\.typo"/);

    const path = kubectl?.path ?? '';
    const kubeconfig = await cluster.kube.kubeconfig('admin', ['system:masters']);
    const watch = spawn(path, ['--kubeconfig', kubeconfig, 'get', endpoints, '-n', 'team-a', '-o', 'name', '-w'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let seen = '';
    watch.stdout.setEncoding('utf8').on('data', (chunk: string) => (seen += chunk));
    await eventually(() => seen.includes('/two'), { what: 'what there is' });
    await apply(endpoint('three'), '-n', 'team-a');
    await inA('label', endpoints, 'one', 'colour=red');
    await eventually(() => /\/three\n.*\/one\n/.test(seen), { what: `events of what was created and changed, after ${seen}` });
    const exited = once(watch, 'exit');
    watch.kill();
    await exited;
    assert.equal(await inA('get', endpoints, '-l', 'colour=red', '-o', 'name'), 'endpoint.arc.opendefense.cloud/one\n');
    assert.match(await inA('describe', endpoints, 'one'), /Remote URL: +https:\/\/one\.example\.com/);
    await inA('delete', endpoints, '--all', '--timeout=20s');
    assert.equal(await inA('get', endpoints, '-o', 'name'), '');
  });

  test('7 RBAC and impersonation of a real kube-apiserver decide', async () => {
    await ok(admin, ['create', 'role', 'reader', '-n', 'team-a', '--verb=get,list,watch', '--resource=endpoints.arc.opendefense.cloud']);
    await ok(admin, ['create', 'rolebinding', 'readers', '-n', 'team-a', '--role=reader', '--group=readers']);
    const jane = runner(await cluster.kube.kubeconfig('jane', ['readers']));
    assert.equal(await ok(jane, ['get', endpoints, '-n', 'team-a', '-o', 'name']), '');
    const refused = await jane(['create', '-n', 'team-a', '-f', '-'], { input: endpoint('mine') });
    assert.match(
      refused.stderr,
      /User "jane" cannot create resource "endpoints" in API group "arc\.opendefense\.cloud" in the namespace "team-a"/,
    );
    assert.match((await jane(['get', endpoints, '-n', 'team-b'])).stderr, /Forbidden/);
    assert.equal((await jane(['auth', 'can-i', 'create', endpoints, '-n', 'team-a'])).stdout, 'no\n');
    assert.equal(await ok(jane, ['auth', 'can-i', 'list', endpoints, '-n', 'team-a']), 'yes\n');
    assert.equal(await ok(admin, ['get', endpoints, '-n', 'team-a', '-o', 'name', '--as=joe', '--as-group=readers']), '');
    assert.match((await admin(['get', endpoints, '-n', 'team-a', '--as=joe'])).stderr, /User "joe" cannot list/);
    assert.match((await jane(['get', endpoints, '-n', 'team-a', '--as=joe'])).stderr, /Forbidden/);
  });

  test("7 the roles admin, edit and view of a namespace hold ARC's kinds, and nobody's status", async () => {
    await using clients = new AsyncDisposableStack();
    const of = async (role: string): Promise<{ readonly run: Run; readonly client: KubeClient }> => {
      const user = `${role}-of-team-a`;
      await ok(admin, ['create', 'rolebinding', user, '-n', 'team-a', `--clusterrole=${role}`, `--user=${user}`]);
      const kubeconfig = await cluster.kube.kubeconfig(user);
      return { run: runner(kubeconfig), client: clients.use(await clientOf(kubeconfig)) };
    };
    const [owner, editor, viewer] = [await of('admin'), await of('edit'), await of('view')];
    const may = async (
      { client }: typeof owner,
      verb: string,
      resource: string,
      subresource = '',
      namespace = 'team-a',
    ): Promise<boolean> => {
      const resourceAttributes = { group: 'arc.opendefense.cloud', namespace, verb, resource, subresource };
      const review = {
        apiVersion: 'authorization.k8s.io/v1',
        kind: 'SelfSubjectAccessReview',
        metadata: {},
        ...{ spec: { resourceAttributes } },
      };
      const { status } = await client.create<KubeObject & { status?: { allowed: boolean } }>(selfSubjectAccessReviews, review);
      return status?.allowed === true;
    };
    // Who gathers the rules of those roles needs a moment.
    await eventually(() => may(owner, 'create', 'orders'), { what: 'the rules of admin' });
    for (const kind of ['orders', 'artifactworkflows', 'endpoints', 'artifacttypes']) {
      for (const user of [owner, editor, viewer]) assert.ok(await may(user, 'list', kind), kind);
      for (const user of [owner, editor]) assert.ok(await may(user, 'delete', kind), kind);
      assert.ok(!(await may(viewer, 'create', kind)), kind);
      assert.ok(!(await may(owner, 'update', kind, 'status')), kind);
      assert.ok(!(await may(editor, 'list', kind, '', 'team-b')), kind);
    }
    assert.equal(await ok(viewer.run, ['get', 'clusterartifacttypes', '-o', 'name']), '', 'the catalogue is for everybody');
    await ok(editor.run, ['apply', '-n', 'team-a', '-f', '-'], { input: endpoint('edited') });
    assert.match((await viewer.run(['delete', endpoints, 'edited', '-n', 'team-a'])).stderr, /Forbidden/);
    await ok(editor.run, ['delete', endpoints, 'edited', '-n', 'team-a']);
  });

  test('7 tokens of ServiceAccounts are good through a real kube-apiserver and, by its TokenReview, directly', async () => {
    await ok(admin, ['create', 'serviceaccount', 'robot', '-n', 'team-a']);
    await ok(admin, ['create', 'rolebinding', 'robots', '-n', 'team-a', '--role=reader', '--serviceaccount=team-a:robot']);
    const token = (await ok(admin, ['create', 'token', 'robot', '-n', 'team-a'])).trim();
    const kubeconfig = `${await cluster.kube.kubeconfig('nobody')}-token`;
    await writeFile(kubeconfig, tokenKubeconfig(cluster.kube, token));
    assert.equal(await ok(runner(kubeconfig), ['get', endpoints, '-n', 'team-a', '-o', 'name']), '');
    const path = `/apis/${apiVersion}/namespaces/team-a/endpoints`;
    const caBundle = await ok(admin, ['get', 'apiservice', 'v1alpha1.arc.opendefense.cloud', '-o', 'jsonpath={.spec.caBundle}']);
    const server = { url: cluster.replicas[0].url, serverName: cluster.serverName, caPem: Buffer.from(caBundle, 'base64').toString() };
    assert.equal((await get(server, path, token)).code, 200);
    const refused = await get(server, `/apis/${apiVersion}/namespaces/team-b/endpoints`, token);
    assert.equal(refused.code, 403);
    assert.match(refused.body, /system:serviceaccount:team-a:robot/);
    assert.equal((await get(server, path, `${token.slice(0, -4)}AAAA`)).code, 401);
  });

  test('7 arcctl doctor looks at a real cluster', async () => {
    const [program, ...leading] = arcctlCommand;
    const kubeconfig = await cluster.kube.kubeconfig('admin', ['system:masters']);
    const { stdout } = await runCommand(program, [...leading, 'doctor', '--kubeconfig', kubeconfig]);
    assert.match(stdout, /^ok +Server: a cluster, v1\./);
    assert.match(stdout, /^ok +APIService: v1alpha1\.arc\.opendefense\.cloud leads to arc-system\/arc-apiserver and is available$/m);
    assert.match(stdout, /^ok +Rights: arc-system\/arc-controller-manager may do what the controllers do$/m);
  });

  test('7 a real kube-apiserver takes what the chart renders', { skip: helm === undefined && 'no helm on this machine' }, async () => {
    assert.ok(helm !== undefined);
    const chart = fileURLToPath(new URL('../../charts/arc', import.meta.url));
    const database = ['backend=postgresql', 'postgresql.host=db', 'postgresql.passwordSecretName=database'].map((set) => `storage.${set}`);
    const more = [
      'etcd.replicaCount=3',
      'networkPolicies.enabled=true',
      'dashboards.enabled=true',
      'tenants={team-a}',
      'apiserver.autoscaling.enabled=true',
    ];
    for (const sets of [more, database]) {
      const rendered = await runCommand(helm, ['template', 'arc', chart, '-n', 'arc-system', ...sets.flatMap((set) => ['--set', set])]);
      assert.equal(rendered.code, 0, rendered.stderr);
      const answer = await apply(rendered.stdout, '--dry-run=server', '--server-side', '--force-conflicts', '--validate=strict');
      assert.match(answer, /deployment\.apps\/arc-apiserver serverside-applied \(server dry run\)/);
    }
  });

  test('7 the garbage collector of a real cluster collects what belongs to objects on either side', async () => {
    const uidOf = (what: string): Promise<string> => ok(admin, ['get', what, '-n', 'team-b', '-o', 'jsonpath={.metadata.uid}']);
    const owned = async (kind: string, version: string, name: string): Promise<object> => ({
      ownerReferences: [
        {
          apiVersion: version,
          kind,
          name,
          uid: await uidOf(`${kind === 'Endpoint' ? endpoints : 'configmap'}/${name}`),
        },
      ],
    });
    await ok(admin, ['create', 'configmap', 'core-owner', '-n', 'team-b']);
    await apply(endpoint('of-core', await owned('ConfigMap', 'v1', 'core-owner')), '-n', 'team-b');
    await apply(endpoint('arc-owner'), '-n', 'team-b');
    const dependent = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'of-arc', ...(await owned('Endpoint', apiVersion, 'arc-owner')) },
    };
    await apply(JSON.stringify(dependent), '-n', 'team-b');
    await ok(admin, ['delete', 'configmap', 'core-owner', '-n', 'team-b']);
    await ok(admin, ['delete', endpoints, 'arc-owner', '-n', 'team-b', '--cascade=foreground', '--timeout=30s']);
    assert.equal((await admin(['get', 'configmap', 'of-arc', '-n', 'team-b'])).code, 1, 'gone before its owner');
    await ok(admin, ['wait', '--for=delete', `${endpoints}/of-core`, '-n', 'team-b', '--timeout=30s']);
  });

  test(
    '7 an Order is delivered by the controllers, Argo and a real kube-apiserver, each with the rights it is installed with',
    { skip: missingArgo('workflow-controller') ?? missingArgoDefinitions() ?? false },
    async () => {
      const kubeconfig = await cluster.kube.kubeconfig('admin', ['system:masters']);
      // Those without schemas: kube-apiserver makes much of the others.
      const definitions = join(argoDefinitions().at(-1)?.full ?? '', '..', 'minimal');
      const forbidden = async (): Promise<readonly string[]> =>
        (await ok(admin, ['get', '--raw', '/metrics'])).split('\n').filter((line) => /^apiserver_request_total\{.*code="403"/.test(line));
      await using manager = startControllerManager(await cluster.kube.kubeconfig(account), ['--metrics-secure']);
      await eventually(async () => (await manager.health('/readyz')).includes('does not serve argoproj.io/v1alpha1'), { what: 'no Argo' });
      await ok(admin, ['create', '-k', definitions]);
      const before = await forbidden();
      await manager.leads();
      await manager.ready();
      const objects = [
        { apiVersion: 'v1', kind: 'Namespace', metadata: { name: tenant } },
        { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'argo' } },
        { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default', namespace: tenant } },
        {
          ...{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'workflow-controller-configmap', namespace: 'argo' } },
          data: { metricsConfig: 'enabled: false\n' },
        },
      ];
      await apply(JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }));
      await using client = await clientOf(kubeconfig);
      const kubelet = createFakeKubelet((_step, { metadata }) => ({ exitCode: metadata.name?.startsWith('bad') === true ? 1 : 0 }));
      await using _kubelet = startControllers([kubelet.controller(client)]);
      // Argo lists templates before it begins; one made just after that it may hear of later than of the Workflow.
      await supply({ client });
      await using _argo = await startWorkflowController(kubeconfig, { namespace: 'argo' });
      await apply(JSON.stringify(order('delivered', ['app:v1', 'app:v2'])));
      const done = await phaseOf({ client }, 'delivered', 'Succeeded');
      assert.equal(done.status?.counts?.succeeded, 2);
      assert.match(await ok(admin, ['get', 'orders', '-n', tenant]), /^NAME.*\ndelivered +Succeeded/);
      const described = await eventually(
        async () => {
          const text = await ok(admin, ['describe', 'order', 'delivered', '-n', tenant]);
          return /Normal +Succeeded /.test(text) && text;
        },
        { what: 'the event of the end' },
      );
      assert.match(described, /Normal +Created .* created ArtifactWorkflow delivered-/);
      const workflow = await ok(admin, ['get', 'workflows', '-n', tenant, '-o', 'jsonpath={.items[*].status.phase}']);
      assert.equal(workflow, 'Succeeded Succeeded');

      // Metrics are for those whom the cluster knows and lets read them.
      await ok(admin, ['create', 'serviceaccount', 'prometheus', '-n', tenant]);
      const reader = ['--clusterrole=arc:metrics-reader', `--serviceaccount=${tenant}:prometheus`];
      await ok(admin, ['create', 'clusterrolebinding', 'prometheus', ...reader]);
      const port = await manager.metricsPort();
      const scraped = async (name: string): Promise<string> => {
        const token = (await ok(admin, ['create', 'token', name, '-n', tenant])).trim();
        const { code, body } = await answered({ url: `https://127.0.0.1:${port}`, rejectUnauthorized: false }, '/metrics', token);
        return `${code} ${body}`;
      };
      assert.match(await scraped('prometheus'), /^200 [^]*^arc_orders\{namespace="team",phase="Succeeded"\} 1$/m);
      assert.match(await scraped('default'), /^403 /);
      assert.equal((await answered({ url: `https://127.0.0.1:${port}`, rejectUnauthorized: false }, '/metrics', 'made-up')).code, 401);

      await ok(admin, ['delete', 'order', 'delivered', '-n', tenant, '--timeout=60s']);
      assert.equal(await ok(admin, ['get', 'workflows,artifactworkflows', '-n', tenant, '-o', 'name']), '');
      assert.equal(await manager.stop(), 0);
      assert.deepEqual(await forbidden(), before);
      assert.doesNotMatch(manager.output(), /forbidden/);
      for (const log of [manager.output(), cluster.replicas[0].program().output()]) assert.ok(!log.includes(password));
    },
  );

  test('7 nothing is created where a real kube-apiserver has no namespace, and what a namespace held goes with it', async () => {
    const nowhere = await admin(['create', '-n', 'nowhere', '-f', '-'], { input: endpoint('lost') });
    assert.match(nowhere.stderr, /namespaces "nowhere" not found/);
    await apply(endpoint('last', { finalizers: ['example.com/hold'] }), '-n', 'team-b');
    await ok(admin, ['delete', 'namespace', 'team-b', '--wait=false']);
    await eventually(
      async () => (await ok(admin, ['get', endpoints, 'last', '-n', 'team-b', '-o', 'jsonpath={.metadata.deletionTimestamp}'])) !== '',
      {
        what: 'the deletion of what it holds',
      },
    );
    assert.match(
      (await admin(['create', '-n', 'team-b', '-f', '-'], { input: endpoint('late') })).stderr,
      /because it is being terminated/,
    );
    await ok(admin, ['patch', endpoints, 'last', '-n', 'team-b', '--type=merge', '-p', '{"metadata":{"finalizers":null}}']);
    await ok(admin, ['wait', '--for=delete', 'namespace/team-b', '--timeout=60s']);
  });
});

function tokenKubeconfig({ url, caPem }: Cluster['kube'], token: string): string {
  const name = 'kubernetes';
  return JSON.stringify({
    ...{ apiVersion: 'v1', kind: 'Config', 'current-context': name },
    clusters: [{ name, cluster: { server: url, 'certificate-authority-data': Buffer.from(caPem).toString('base64') } }],
    users: [{ name, user: { token } }],
    contexts: [{ name, context: { cluster: name, user: name } }],
  });
}

function get(
  { url, serverName, caPem }: { readonly url: string; readonly serverName: string; readonly caPem: string },
  path: string,
  token: string,
): Promise<{ readonly code: number; readonly body: string }> {
  return answered({ url, ca: caPem, servername: serverName }, path, token);
}

async function answered(
  { url, ...trust }: { readonly url: string } & Pick<HttpsOptions, 'ca' | 'servername' | 'rejectUnauthorized'>,
  path: string,
  token: string,
): Promise<{ readonly code: number; readonly body: string }> {
  const outgoing = request(`${url}${path}`, { ...trust, agent: false, headers: { authorization: `Bearer ${token}` } }).end();
  const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
  return { code: response.statusCode ?? 0, body: await text(response) };
}

async function clientOf(kubeconfig: string): Promise<KubeClient> {
  const source = { path: kubeconfig, text: await readFile(kubeconfig, 'utf8') };
  return createKubeClient(await clientConfigOf(await loadKubeconfig([source])), { userAgent: 'arc-e2e' });
}
