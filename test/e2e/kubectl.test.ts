import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { after, before, describe, test } from 'node:test';
import { buildImage, eventually, findKubectls, kubectlRunner, seedRegistry, startTestRegistry } from '@arc/testkit';
import type { CommandResult, Kubectl, RunOptions, TestRegistry } from '@arc/testkit';
import { createEndpoints, installOciType, startWorld } from './support/world.ts';
import type { World } from './support/world.ts';

const kubectls = await findKubectls();

function manifest(object: Record<string, unknown>): RunOptions {
  return { input: JSON.stringify(object) };
}

function order(name: string, namespace: string, image: string): Record<string, unknown> {
  return {
    apiVersion: 'arc.opendefense.cloud/v1alpha1',
    kind: 'Order',
    metadata: { name, namespace, labels: { team: 'a' } },
    spec: { defaults: { srcRef: { name: 'src' }, dstRef: { name: 'dst' } }, artifacts: [{ type: 'oci', spec: { image } }] },
  };
}

if (kubectls.length === 0) test('kubectl', { skip: 'no kubectl of 1.27 or newer on this machine' }, () => {});

for (const kubectl of kubectls) {
  describe(`kubectl ${kubectl.minor}`, () => {
    const namespace = `team-${kubectl.minor.replace('.', '-')}`;
    let world: World;
    let source: TestRegistry;
    let destination: TestRegistry;
    let run: (args: readonly string[], options?: RunOptions) => Promise<CommandResult>;
    const ok = async (args: readonly string[], options?: RunOptions): Promise<string> => {
      const result = await run(args, options);
      assert.equal(result.code, 0, `kubectl ${args.join(' ')}\n${result.stdout}${result.stderr}`);
      return result.stdout;
    };

    before(async () => {
      world = await startWorld();
      source = await startTestRegistry();
      destination = await startTestRegistry();
      seedRegistry(source, 'demo/app', buildImage([{ 'bin/app': 'hello' }]), ['v1']);
      run = kubectlRunner(kubectl, world.arc.kubeconfig);
      await installOciType(world.client);
    });
    after(async () => {
      await world[Symbol.asyncDispose]();
      await source.close();
      await destination.close();
    });

    test('discovers the kinds with their short names and categories', async () => {
      const resources = await ok(['api-resources', '-o', 'wide']);
      for (const kind of ['Order', 'ArtifactWorkflow', 'Endpoint', 'ClusterArtifactType', 'Workflow', 'Secret', 'Namespace', 'Pod']) {
        assert.match(resources, new RegExp(`\\s${kind}\\s`), kind);
      }
      assert.match(await ok(['explain', 'order.spec.artifacts']), /artifacts\s+<\[\]/);
      assert.match(await ok(['explain', 'orders.spec.artifacts.srcRef', '--recursive']), /name/);
    });

    test('create namespace and create secret, which kubectl sends as protobuf or JSON', async () => {
      assert.match(await ok(['create', 'namespace', namespace]), /created/);
      assert.match(
        await ok(['create', 'secret', 'generic', 'login', '-n', namespace, '--from-literal=username=u', '--from-literal=password=p']),
        /created/,
      );
      assert.equal(await ok(['get', 'secret', 'login', '-n', namespace, '-o', 'jsonpath={.data.username}']), 'dQ==');
      assert.match(await ok(['get', 'secret', '-n', namespace]), /login\s+Opaque\s+2/);
      assert.match(await ok(['create', 'configmap', 'c', '-n', namespace, '--from-literal=a=b']), /created/);
      assert.match(await ok(['label', 'secret', 'login', '-n', namespace, 'a=b']), /labeled/);
      assert.match(await ok(['patch', 'secret', 'login', '-n', namespace, '-p', '{"stringData":{"password":"q"}}']), /patched/);
      assert.equal(await ok(['get', 'secret', 'login', '-n', namespace, '-o', 'jsonpath={.data.password}']), 'cQ==');
    });

    test('auth can-i', async () => {
      assert.match(await ok(['auth', 'can-i', 'create', 'orders']), /^yes/);
      assert.match(await ok(['auth', 'can-i', '*', '*']), /^yes/);
      // Before 1.28 it asks for a version of the review that a server of 1.33 has no more.
      if (kubectl.minor !== '1.27') assert.match(await ok(['auth', 'whoami']), /admin/);
    });

    test('apply delivers, a second apply changes nothing, get -w saw it live', async () => {
      await createEndpoints(world.client, source.url, destination.url, namespace);
      const watching = watchOrders(kubectl, world, namespace);
      const object = order('first', namespace, 'demo/app:v1');
      assert.match(await ok(['apply', '-f', '-'], manifest(object)), /created/);
      assert.match(await ok(['wait', 'order/first', '-n', namespace, '--for=jsonpath={.status.phase}=Succeeded', '--timeout=30s']), /met/);
      assert.match(await ok(['apply', '-f', '-'], manifest(object)), /unchanged/);
      assert.match(
        await ok(['apply', '-f', '-'], manifest({ ...object, metadata: { name: 'first', namespace, labels: { team: 'b' } } })),
        /configured/,
      );
      assert.equal(await ok(['get', 'order', 'first', '-n', namespace, '-o', 'jsonpath={.metadata.labels.team}']), 'b');
      const seen = await watching.seen(/Succeeded/);
      assert.match(seen, /first\s+(Pending|Running)/, 'the watch showed the order before its end');
      assert.notEqual(destination.content.manifest('demo/app', 'v1'), undefined);
    });

    test('get in every output form, describe, logs of a step', async () => {
      assert.match(await ok(['get', 'orders', '-n', namespace]), /^NAME\s+.*PHASE.*\nfirst\s/);
      assert.match(await ok(['get', 'orders', '-A', '-o', 'wide']), /NAMESPACE\s+NAME/);
      assert.match(await ok(['get', 'order', 'first', '-n', namespace, '-o', 'yaml']), /kind: Order/);
      assert.match(await ok(['get', 'orders', '-n', namespace, '-o', 'name']), /order\.arc\.opendefense\.cloud\/first/);
      assert.match(await ok(['get', 'arc', '-n', namespace]), /first/);
      assert.match(await ok(['get', 'orders', '-n', namespace, '-l', 'team=b', '--chunk-size=1']), /first/);
      assert.match(await ok(['get', 'orders', '-n', namespace, '--field-selector', 'status.phase=Succeeded']), /first/);
      assert.match(
        await ok(['describe', 'order', 'first', '-n', namespace]),
        /Name:\s+first[\s\S]*Phase:\s+Succeeded[\s\S]*Normal\s+Succeeded/,
      );
      const pods = (await ok(['get', 'pods', '-n', namespace, '-o', 'name'])).trim().split('\n');
      const logs = await Promise.all(pods.map((pod) => ok(['logs', '-n', namespace, pod])));
      assert.ok(
        logs.some((log) => /demo\/app/.test(log)),
        logs.join('---\n'),
      );
    });

    test('create, edit, annotate and delete', async () => {
      assert.match(await ok(['create', '-f', '-'], manifest(order('second', namespace, 'demo/app:v1'))), /created/);
      const again = await run(['create', '-f', '-'], manifest(order('second', namespace, 'demo/app:v1')));
      assert.match(again.stderr, /AlreadyExists/);
      assert.match(
        await ok(['edit', 'order', 'second', '-n', namespace], { env: { EDITOR: "sed -i 's/team: a/team: edited/'" } }),
        /edited/,
      );
      assert.equal(await ok(['get', 'order', 'second', '-n', namespace, '-o', 'jsonpath={.metadata.labels.team}']), 'edited');
      assert.match(await ok(['annotate', 'order', 'second', '-n', namespace, 'note=x']), /annotate/);
      assert.match(await ok(['delete', 'order', 'second', '-n', namespace]), /deleted/);
      assert.match((await run(['get', 'order', 'second', '-n', namespace])).stderr, /NotFound/);
      await eventually(async () => !/second/.test(await ok(['get', 'aw,wf,pods', '-n', namespace])), {
        what: 'the children of a deleted order to go',
      });
    });

    test('strict validation names what is wrong and where', async () => {
      const misspelt = { apiVersion: 'arc.opendefense.cloud/v1alpha1', kind: 'Ordr', metadata: { name: 'x', namespace } };
      for (const verb of ['create', 'apply']) {
        assert.match((await run([verb, '-f', '-'], manifest(misspelt))).stderr, /no matches for kind "Ordr"/, verb);
      }
      const unknown = { ...order('bad', namespace, 'demo/app:v1'), spec: { artefacts: [] } };
      assert.match((await run(['apply', '-f', '-'], manifest(unknown))).stderr, /unknown field "spec\.artefacts"/);
      const untyped = { ...order('bad', namespace, 'x'), spec: { artifacts: [{ spec: {} }] } };
      const result = await run(['create', '-f', '-'], manifest(untyped));
      assert.equal(result.code, 1);
      assert.match(result.stderr, /spec\.artifacts\[0\]\.type: Required value/);
      assert.match(result.stderr, /spec\.artifacts\[0\]\.srcRef: Required value/);
    });

    test('delete ns ends, with orders in it', async () => {
      assert.match(await ok(['delete', 'namespace', namespace, '--timeout=60s']), /deleted/);
      assert.match((await run(['get', 'ns', namespace])).stderr, /NotFound/);
      const created = await run(['create', '-f', '-'], manifest(order('late', namespace, 'demo/app:v1')));
      assert.match(created.stderr, /namespaces "team-.*" not found/);
    });
  });
}

interface WatchedOrders {
  seen(pattern: RegExp): Promise<string>;
}

function watchOrders(kubectl: Kubectl, world: World, namespace: string): WatchedOrders {
  const child = spawn(kubectl.path, ['--kubeconfig', world.arc.kubeconfig, 'get', 'orders', '-n', namespace, '-w'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  let text = '';
  child.stdout.setEncoding('utf8');
  child.stdout.on('data', (chunk: string) => {
    text += chunk;
  });
  return {
    async seen(pattern) {
      try {
        await eventually(() => pattern.test(text), { what: `${pattern} in kubectl get -w, which printed:\n${text}` });
      } finally {
        const exited = once(child, 'exit');
        child.kill();
        await exited;
      }
      return text;
    },
  };
}
