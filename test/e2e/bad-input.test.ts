import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { artifactWorkflows, clusterArtifactTypes, endpoints, orders } from '@arc/api/arc';
import type { Order } from '@arc/api/arc';
import { clusterWorkflowTemplates } from '@arc/api/argo';
import { secrets } from '@arc/api/core';
import type { KubeObject } from '@arc/apimachinery';
import { arcctlCommand, buildImage, eventually, runCommand, seedRegistry, startTestRegistry } from '@arc/testkit';
import type { TestRegistry } from '@arc/testkit';
import { createEndpoints, endpoint, finishedOrder, installOciType, ociOrder, startWorld } from './support/world.ts';
import type { NewOrder, World } from './support/world.ts';

describe('what a user does wrong is said where the user looks', () => {
  let world: World;
  let source: TestRegistry;
  let destination: TestRegistry;
  before(async () => {
    world = await startWorld();
    source = await startTestRegistry();
    destination = await startTestRegistry();
    seedRegistry(source, 'demo/app', buildImage([{ a: 'b' }]), ['v1']);
    await installOciType(world.client);
    await createEndpoints(world.client, source.url, destination.url);
  });
  after(async () => {
    await world[Symbol.asyncDispose]();
    await source.close();
    await destination.close();
  });

  /** The text of everything the status of an Order says about its artifacts. */
  const complaint = async (order: Order, pattern: RegExp): Promise<Order> => {
    await world.client.create(orders, order);
    const { name = '', namespace = '' } = order.metadata;
    let last: Order | undefined;
    return await eventually(
      async () => {
        last = await world.client.get<Order>(orders, { namespace, name });
        return pattern.test(JSON.stringify(last.status ?? {})) ? last : undefined;
      },
      { what: `${pattern} in the status of ${name}`, timeoutMs: 20_000 },
    ).catch((error: unknown) => {
      throw new Error(`${String(error)}; the status is ${JSON.stringify(last?.status, null, 2)}`);
    });
  };

  test('an artifact without type or endpoints is refused with field paths', async () => {
    const order = { ...ociOrder('incomplete', []), spec: { artifacts: [{ spec: {} }] } } as unknown as Order;
    await assert.rejects(world.client.create(orders, order), (error: Error) => {
      for (const field of ['spec.artifacts[0].type', 'spec.artifacts[0].srcRef', 'spec.artifacts[0].dstRef']) {
        assert.match(error.message, new RegExp(`${field.replaceAll(/[[\].]/g, String.raw`\$&`)}: Required value`));
      }
      return true;
    });
  });

  test('a missing endpoint is an entry, siblings go on, and the event that brings it repairs it', async () => {
    const order = ociOrder('waits', [{ image: 'demo/app:v1' }, { image: 'demo/app:v1', override: 'later/app:v1' }]);
    const [, second] = order.spec.artifacts ?? [];
    if (second !== undefined) second.dstRef = { name: 'later' };
    await complaint(order, /later/);
    await eventually(() => destination.content.manifest('demo/app', 'v1') !== undefined, { what: 'the sibling to be delivered' });
    await world.client.create(endpoints, endpoint('later', destination.url));
    assert.equal((await finishedOrder(world.client, 'waits')).status?.phase, 'Succeeded');
    assert.notEqual(destination.content.manifest('later/app', 'v1'), undefined);
  });

  test('a missing secret is an entry and is repaired by creating it', async () => {
    await world.client.create(endpoints, endpoint('private', source.url, { secretRef: { name: 'login' } }));
    const order = ociOrder('locked', [{ image: 'demo/app:v1', override: 'locked/app:v1' }]);
    order.spec.defaults = { srcRef: { name: 'private' }, dstRef: { name: 'dst' } };
    await complaint(order, /login/);
    await world.client.create(secrets, {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'login', namespace: 'default' },
      stringData: { username: 'u', password: 'very-secret-word' },
    } as KubeObject);
    assert.equal((await finishedOrder(world.client, 'locked')).status?.phase, 'Succeeded');
    assert.doesNotMatch(world.arc.output(), /very-secret-word/);
  });

  test('an endpoint used against its usage, and a type that does not allow the endpoint', async () => {
    const reversed = ociOrder('reversed', [{ image: 'demo/app:v1' }]);
    reversed.spec.defaults = { srcRef: { name: 'dst' }, dstRef: { name: 'src' } };
    await complaint(reversed, /PushOnly/);
    await world.client.create(endpoints, endpoint('files', 'https://files.example.com', { type: 's3' }));
    const wrongType = ociOrder('wrong-type', [{ image: 'demo/app:v1' }]);
    wrongType.spec.defaults = { srcRef: { name: 'files' }, dstRef: { name: 'dst' } };
    await complaint(wrongType, /s3/);
  });

  const failing = async (
    name: string,
    spec: Record<string, unknown>,
    pattern: RegExp,
    defaults?: NewOrder['spec']['defaults'],
  ): Promise<void> => {
    const order = ociOrder(name, [spec]);
    if (defaults !== undefined) order.spec.defaults = defaults;
    await world.client.create(orders, order);
    const finished = await finishedOrder(world.client, name);
    assert.equal(finished.status?.phase, 'Failed');
    const runs = await world.client.list(artifactWorkflows, { namespace: 'default' });
    const run = runs.items.find((item) => item.metadata.name?.startsWith(`${name}-`));
    assert.match(JSON.stringify(run?.['status']), pattern);
    assert.match(JSON.stringify(finished.status), pattern);
  };

  test('a source image that does not exist: the step says source, nothing is tagged', async () => {
    await failing('absent', { image: 'demo/none:v1', override: 'absent/app:v1' }, /source/);
    assert.equal(destination.content.manifest('absent/app', 'v1'), undefined);
  });

  test('an unreachable registry and one that wants credentials', async () => {
    await world.client.create(endpoints, endpoint('gone', 'http://127.0.0.1:9'));
    await failing('unreachable', { image: 'demo/app:v1' }, /source.*(refused|reach)/i, {
      srcRef: { name: 'gone' },
      dstRef: { name: 'dst' },
    });
    await using guarded = await startTestRegistry({ auth: { kind: 'basic', users: { u: 'p' } } });
    await world.client.create(endpoints, endpoint('guarded', guarded.url));
    await failing('unauthorized', { image: 'demo/app:v1' }, /destination/, { srcRef: { name: 'src' }, dstRef: { name: 'guarded' } });
    assert.deepEqual(guarded.content.repositories(), []);
  });

  test('wrong bytes from the source are noticed and nothing is tagged', async () => {
    const image = buildImage([{ a: 'wrong' }]);
    seedRegistry(source, 'demo/wrong', image, ['v1']);
    source.faults.add({ match: { path: /demo\/wrong\/blobs\// }, times: 1000, action: { kind: 'corrupt' } });
    await failing('corrupted', { image: 'demo/wrong:v1' }, /source.*wrong content/);
    assert.equal(destination.content.manifest('demo/wrong', 'v1'), undefined);
  });

  test('a template with a field the engine does not support is refused before its first step, by name', async () => {
    await world.client.create(clusterWorkflowTemplates, {
      apiVersion: 'argoproj.io/v1alpha1',
      kind: 'ClusterWorkflowTemplate',
      metadata: { name: 'needs-cluster' },
      spec: {
        entrypoint: 'main',
        templates: [{ name: 'main', container: { image: 'alpine', command: ['true'], securityContext: { privileged: true } } }],
      },
    } as KubeObject);
    await world.client.create(clusterArtifactTypes, type('privileged', 'needs-cluster'));
    const order = ociOrder('refused', []);
    order.spec.artifacts = [{ type: 'privileged', spec: {} }];
    await world.client.create(orders, order);
    const finished = await finishedOrder(world.client, 'refused');
    assert.equal(finished.status?.phase, 'Failed');
    assert.match(JSON.stringify(finished.status), /privileged/);
  });

  test('a program that is not on this machine is named', async () => {
    await world.client.create(clusterWorkflowTemplates, {
      apiVersion: 'argoproj.io/v1alpha1',
      kind: 'ClusterWorkflowTemplate',
      metadata: { name: 'needs-tool' },
      spec: { entrypoint: 'main', templates: [{ name: 'main', container: { image: 'example.com/x', command: ['no-such-tool-here'] } }] },
    } as KubeObject);
    await world.client.create(clusterArtifactTypes, type('tool', 'needs-tool'));
    const order = ociOrder('toolless', []);
    order.spec.artifacts = [{ type: 'tool', spec: {} }];
    await world.client.create(orders, order);
    assert.match(JSON.stringify((await finishedOrder(world.client, 'toolless')).status), /no-such-tool-here/);
  });

  test('arcctl: broken YAML has line and column, unknown kinds and missing objects have their exit codes', async () => {
    const file = join(world.folder, 'broken.yaml');
    await writeFile(file, 'apiVersion: v1\nkind: [Order\n');
    const broken = await world.arcctl(['order', 'submit', '-f', file]);
    assert.equal(broken.code, 1);
    assert.match(broken.stderr, /broken\.yaml.*line \d+.*column \d+/s);
    const usage = await world.arcctl(['order', 'submit']);
    assert.equal(usage.code, 2);
    const missing = await world.arcctl(['get', 'order', 'nothing-here']);
    assert.equal(missing.code, 3);
    assert.match(missing.stderr, /nothing-here/);
    const unknown = await world.arcctl(['get', 'ordrs']);
    assert.notEqual(unknown.code, 0);
    assert.match(unknown.stderr, /ordrs/);
    await writeFile(file, JSON.stringify(ociOrder('from-cli', [{ image: 'demo/none:v9' }])));
    const failed = await world.arcctl(['order', 'submit', '-f', file, '--wait']);
    assert.equal(failed.code, 7, failed.stdout + failed.stderr);
    await writeFile(file, JSON.stringify(ociOrder('from-cli-good', [{ image: 'demo/app:v1', override: 'cli/app:v1' }])));
    const good = await world.arcctl(['order', 'submit', '-f', file, '--watch']);
    assert.equal(good.code, 0, good.stdout + good.stderr);
    assert.match((await world.arcctl(['get', 'orders'])).stdout, /from-cli-good\s+.*Succeeded/);
    assert.match((await world.arcctl(['logs', 'from-cli-good'])).stdout, /demo\/app/);
  });
});

function type(name: string, template: string): KubeObject {
  return {
    apiVersion: 'arc.opendefense.cloud/v1alpha1',
    kind: 'ClusterArtifactType',
    metadata: { name },
    spec: { workflowTemplateRef: { name: template, clusterScope: true } },
  } as KubeObject;
}

describe('what is wrong with the machine is said before anything starts', () => {
  const up = (args: readonly string[]) => runCommand(arcctlCommand[0], [...arcctlCommand.slice(1), 'up', ...args], { timeoutMs: 20_000 });
  let folder = '';
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'arc-e2e-up-'));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  test('a port in use', async () => {
    const occupant = createServer().listen(0, '127.0.0.1');
    await once(occupant, 'listening');
    const address = occupant.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const result = await up(['--data-dir', join(folder, 'port'), '--listen', `127.0.0.1:${port}`]);
    occupant.close();
    assert.equal(result.code, 1);
    assert.match(result.stderr, new RegExp(`${port}.*in use`, 's'));
  });

  test('a data directory in use by another process', async () => {
    await using world = await startWorld();
    const result = await up(['--data-dir', world.dataDir, '--listen', '127.0.0.1:0']);
    assert.equal(result.code, 1);
    assert.match(result.stderr, /in use by another process/);
  });

  test('a folder that is not a data directory, and a damaged database', async () => {
    const foreign = join(folder, 'foreign');
    await mkdir(foreign);
    await writeFile(join(foreign, 'thesis.txt'), 'mine');
    assert.match((await up(['--data-dir', foreign])).stderr, /is not a data directory/);
    const damaged = join(folder, 'damaged');
    await mkdir(damaged);
    await writeFile(join(damaged, 'arc.json'), '{"format":1}');
    await writeFile(join(damaged, 'arc.db'), 'this is not a database, it is a text that is long enough to be looked at');
    const result = await up(['--data-dir', damaged, '--listen', '127.0.0.1:0']);
    assert.equal(result.code, 1);
    assert.match(result.stderr, /arc\.db/);
  });

  test('a storage URL that nobody knows', async () => {
    const result = await up(['--data-dir', join(folder, 'storage'), '--storage', 'mysql://x']);
    assert.equal(result.code, 2);
    assert.match(result.stderr, /sqlite:FILE/);
  });
});
