import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Endpoint } from '@arc/api/arc';
import type { ManagedFieldsEntry } from '@arc/apimachinery';
import { eventually, findKubectls, kubectlRunner } from '@arc/testkit';
import type { CommandResult, RunOptions } from '@arc/testkit';
import { endpoint, ociOrder, startWorld } from './support/world.ts';
import type { World } from './support/world.ts';

const kubectls = await findKubectls();
const registry = 'https://registry.example.com';
const lastApplied = 'kubectl.kubernetes.io/last-applied-configuration';

function manifest(object: unknown): RunOptions {
  return { input: JSON.stringify(object) };
}

function configMap(name: string, data: Readonly<Record<string, string>>): Record<string, unknown> {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: 'default' }, data };
}

if (kubectls.length === 0) test('server-side apply', { skip: 'no kubectl of 1.27 or newer on this machine' }, () => {});

for (const kubectl of kubectls) {
  describe(`kubectl ${kubectl.minor}, server side`, () => {
    let world: World;
    let run: (args: readonly string[], options?: RunOptions) => Promise<CommandResult>;
    const ok = async (args: readonly string[], options?: RunOptions): Promise<string> => {
      const result = await run(args, options);
      assert.equal(result.code, 0, `kubectl ${args.join(' ')}\n${result.stdout}${result.stderr}`);
      return result.stdout;
    };
    const apply = (object: unknown, ...args: string[]) => run(['apply', '--server-side', '-f', '-', ...args], manifest(object));
    const applied = async (object: unknown, ...args: string[]): Promise<string> => {
      const result = await apply(object, ...args);
      assert.equal(result.code, 0, result.stdout + result.stderr);
      return result.stdout;
    };
    const managersOf = async (resource: string): Promise<readonly ManagedFieldsEntry[]> => {
      const json = await ok(['get', resource, '-o', 'json', '--show-managed-fields']);
      return (JSON.parse(json) as { metadata: { managedFields?: ManagedFieldsEntry[] } }).metadata.managedFields ?? [];
    };
    const namesOf = async (resource: string): Promise<readonly string[]> =>
      (await managersOf(resource)).map(({ manager, operation, subresource = '' }) => `${manager} ${operation} ${subresource}`.trim());
    /** Without the controllers, which own the status. */
    const authorsOf = async (resource: string): Promise<readonly string[]> =>
      (await namesOf(resource)).filter((name) => !name.endsWith(' status'));
    /** Once the status says what it has to say. */
    const versionOf = (endpointName: string): Promise<string | undefined> =>
      eventually(
        async () => {
          const { metadata, status } = JSON.parse(await ok(['get', `endpoint/${endpointName}`, '-o', 'json'])) as Endpoint;
          return status?.observedGeneration === metadata.generation ? metadata.resourceVersion : undefined;
        },
        { what: `a status of endpoint ${endpointName}` },
      );

    before(async () => {
      world = await startWorld();
      run = kubectlRunner(kubectl, world.arc.kubeconfig);
    });
    after(() => world[Symbol.asyncDispose]());

    test('apply creates, applies again without writing, and says who owns what', async () => {
      const object = endpoint('first', registry, { usage: 'PullOnly' });
      assert.match(await applied(object), /endpoint\.arc\.opendefense\.cloud\/first serverside-applied/);
      const version = await versionOf('first');
      assert.match(await applied(object), /serverside-applied/);
      assert.equal(await versionOf('first'), version);
      const [entry] = await managersOf('endpoint/first');
      assert.equal(entry?.manager, 'kubectl');
      assert.equal(entry.operation, 'Apply');
      assert.equal(entry.apiVersion, 'arc.opendefense.cloud/v1alpha1');
      assert.deepEqual(entry.fieldsV1, { 'f:spec': { 'f:remoteURL': {}, 'f:type': {}, 'f:usage': {} } });
      assert.doesNotMatch(await ok(['get', 'endpoint/first', '-o', 'yaml']), /managedFields/);
    });

    test('another manager is refused what the first one owns, until it insists', async () => {
      await applied(endpoint('fought', registry));
      const other = endpoint('fought', 'https://other.example.com');
      const refused = await apply(other, '--field-manager=other');
      assert.equal(refused.code, 1);
      assert.match(refused.stderr, /Apply failed with 1 conflict: conflict with "kubectl": \.spec\.remoteURL/);
      assert.match(refused.stderr, /--force-conflicts/);
      await applied(other, '--field-manager=other', '--force-conflicts');
      assert.equal(await ok(['get', 'endpoint/fought', '-o', 'jsonpath={.spec.remoteURL}']), 'https://other.example.com');
      const back = await apply(endpoint('fought', registry));
      assert.match(back.stderr, /conflict with "other": \.spec\.remoteURL/);
    });

    test('what is no longer applied goes; what others own stays', async () => {
      await applied(configMap('shared', { a: '1', b: '2' }));
      await applied(configMap('shared', { b: '2', c: '3' }), '--field-manager=other');
      await applied(configMap('shared', {}));
      assert.equal(await ok(['get', 'configmap/shared', '-o', 'jsonpath={.data}']), '{"b":"2","c":"3"}');
      assert.match((await apply(configMap('shared', { c: '4' }))).stderr, /conflict with "other": \.data\.c/);
    });

    test('label, annotate, patch and edit are managers of what they change', async () => {
      await applied(endpoint('edited', registry));
      await ok(['label', 'endpoint/edited', 'team=a']);
      await ok(['annotate', 'endpoint/edited', 'note=x']);
      await ok(['patch', 'endpoint/edited', '--type=merge', '-p', '{"spec":{"usage":"PushOnly"}}']);
      const names = await authorsOf('endpoint/edited');
      assert.equal(names[0], 'kubectl Apply');
      assert.deepEqual(names.slice(1).sort(), ['kubectl-annotate Update', 'kubectl-label Update', 'kubectl-patch Update']);
      assert.match(
        (await apply(endpoint('edited', registry, { usage: 'PullOnly' }))).stderr,
        /conflict with "kubectl-patch" using arc\.opendefense\.cloud\/v1alpha1: \.spec\.usage/,
      );
    });

    test('from client-side apply to server-side apply, without conflicts or leftovers', async () => {
      const object = endpoint('migrated', registry, { usage: 'PullOnly' });
      assert.match(await ok(['apply', '-f', '-'], manifest(object)), /created/);
      assert.deepEqual(await authorsOf('endpoint/migrated'), ['kubectl-client-side-apply Update']);
      await applied(endpoint('migrated', 'https://new.example.com', { usage: 'PullOnly' }));
      const names = await namesOf('endpoint/migrated');
      assert.ok(!names.some((name) => name.startsWith('kubectl-client-side-apply')), names.join());
      assert.ok(names.includes('kubectl Apply'), names.join());
      await applied(endpoint('migrated', 'https://new.example.com'));
      assert.equal(
        await ok(['get', 'endpoint/migrated', '-o', 'jsonpath={.spec.usage}']),
        'All',
        'what is left out now is the default again',
      );
      const annotation = await ok([
        'get',
        'endpoint/migrated',
        '-o',
        `jsonpath={.metadata.annotations.${lastApplied.replaceAll('.', String.raw`\.`)}}`,
      ]);
      assert.deepEqual((JSON.parse(annotation) as { spec: unknown }).spec, { type: 'oci', remoteURL: 'https://new.example.com' });
      assert.match(await ok(['apply', '-f', '-'], manifest(endpoint('migrated', registry))), /configured/);
    });

    test('the same for a core kind', async () => {
      assert.match(await ok(['apply', '-f', '-'], manifest(configMap('core', { a: '1', b: '2' }))), /created/);
      await applied(configMap('core', { a: '1', b: '3' }));
      await applied(configMap('core', { a: '1' }));
      assert.equal(await ok(['get', 'configmap/core', '-o', 'jsonpath={.data}']), '{"a":"1"}');
    });

    test('diff shows what an apply would do, and does nothing', async () => {
      await applied(endpoint('diffed', registry));
      const version = await versionOf('diffed');
      const diff = ['diff', '--server-side', '-f', '-'];
      const none = await run(diff, manifest(endpoint('diffed', registry)));
      assert.equal(none.code, 0, none.stdout + none.stderr);
      const some = await run(diff, manifest(endpoint('diffed', 'https://new.example.com')));
      assert.equal(some.code, 1, some.stderr);
      assert.match(some.stdout, /^-\s+remoteURL: https:\/\/registry\.example\.com$/m);
      assert.match(some.stdout, /^\+\s+remoteURL: https:\/\/new\.example\.com$/m);
      assert.equal(await versionOf('diffed'), version);
      const dry = await apply(endpoint('dry', registry), '--dry-run=server');
      assert.match(dry.stdout, /serverside-applied \(server dry run\)/);
      assert.equal((await run(['get', 'endpoint/dry'])).code, 1);
    });

    test('fields nobody knows are refused where the user looks', async () => {
      const wrong = { ...endpoint('wrong', registry), spec: { type: 'oci', remoteURL: registry, url: 'x' } };
      const result = await apply(wrong);
      assert.equal(result.code, 1);
      assert.match(result.stderr, /url/);
      const unchecked = await apply(wrong, '--validate=false');
      assert.match(
        unchecked.stderr,
        /failed to create typed patch object \(default\/wrong; arc\.opendefense\.cloud\/v1alpha1, Kind=Endpoint\): \.spec\.url: field not declared in schema/,
      );
    });

    test('an Order keeps its owner while the controllers own its status', async () => {
      const object = ociOrder('watched', [{ image: 'nothing/here:v1' }]);
      await applied(object);
      const names = await eventually(
        async () => {
          const found = await namesOf('order/watched');
          return found.some((name) => name.endsWith('status')) ? found : undefined;
        },
        { what: 'a status on the order' },
      );
      assert.ok(names.includes('kubectl Apply'), names.join());
      await applied(object);
      await applied({ ...object, metadata: { ...object.metadata, labels: { team: 'a' } } });
      assert.equal(await ok(['get', 'order/watched', '-o', 'jsonpath={.metadata.labels.team}']), 'a');
    });
  });
}
