import assert from 'node:assert/strict';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import {
  arcctlCommand,
  buildImage,
  eventually,
  findKubectls,
  kubectlRunner,
  runCommand,
  seedRegistry,
  startTestRegistry,
} from '@arc/testkit';
import type { CommandResult, RunOptions, TestRegistry } from '@arc/testkit';
import { createEndpoints, installOciType, ociOrder, startWorld } from './support/world.ts';
import type { World } from './support/world.ts';

type Run = (args: readonly string[], options?: RunOptions) => Promise<CommandResult>;

const kubectl = (await findKubectls()).at(-1);
const [program, ...leading] = arcctlCommand;

describe('users of the embedded server', { skip: kubectl === undefined && 'no kubectl of 1.27 or newer on this machine' }, () => {
  let world: World;
  let source: TestRegistry;
  let destination: TestRegistry;
  let admin: Run;
  let jane: Run;

  const ok = async (run: Run, args: readonly string[], options?: RunOptions): Promise<string> => {
    const result = await run(args, options);
    assert.equal(result.code, 0, `${args.join(' ')}\n${result.stdout}${result.stderr}`);
    return result.stdout;
  };
  const runner = (kubeconfig: string): Run => {
    assert.ok(kubectl !== undefined);
    return kubectlRunner(kubectl, kubeconfig);
  };
  /** Adds a user as somebody at the machine would; answers the kubeconfig. */
  const addUser = async (name: string, ...more: readonly string[]): Promise<string> => {
    const kubeconfig = join(world.folder, `${name}.kubeconfig`);
    const args = ['user', 'add', name, '--data-dir', world.dataDir, '--kubeconfig', kubeconfig, ...more];
    await ok((words) => runCommand(program, [...leading, ...words]), args);
    return kubeconfig;
  };

  before(async () => {
    world = await startWorld();
    source = await startTestRegistry();
    destination = await startTestRegistry();
    seedRegistry(source, 'demo/app', buildImage([{ 'bin/app': 'hello' }]), ['v1']);
    admin = runner(world.arc.kubeconfig);
    await installOciType(world.client);
    await ok(admin, ['create', 'namespace', 'team-a']);
    await ok(admin, ['create', 'namespace', 'team-b']);
    await createEndpoints(world.client, source.url, destination.url, 'team-a');
    const kubeconfig = await addUser('jane', '--group', 'release', '-n', 'team-a');
    assert.equal((await stat(kubeconfig)).mode & 0o777, 0o600);
    jane = runner(kubeconfig);
  });
  after(async () => {
    await world[Symbol.asyncDispose]();
    await source.close();
    await destination.close();
  });

  test('6.3 a new user knows who they are, what there is, and may do nothing else', async () => {
    assert.match(await ok(jane, ['auth', 'whoami']), /Username\s+jane\nGroups\s+\[release system:authenticated\]/);
    assert.match(await ok(jane, ['api-resources']), /orders/);
    assert.match(await ok(jane, ['get', 'clusterartifacttypes']), /oci/);
    const refused = await jane(['get', 'orders']);
    assert.equal(
      refused.stderr.trim(),
      'Error from server (Forbidden): orders.arc.opendefense.cloud is forbidden: User "jane" cannot list resource "orders" in API group "arc.opendefense.cloud" in the namespace "team-a"',
    );
    assert.match((await jane(['auth', 'can-i', 'create', 'orders'])).stdout, /^no/);
  });

  test('6.3 with edit in a namespace they deliver there, and are refused elsewhere', async () => {
    assert.match(await ok(admin, ['create', 'rolebinding', 'jane', '--clusterrole=edit', '--user=jane', '-n', 'team-a']), /created/);
    assert.match(await ok(admin, ['get', 'rolebindings', '-n', 'team-a', '-o', 'wide']), /jane\s+ClusterRole\/edit\s+\S+\s+jane/);
    await eventually(async () => (await jane(['auth', 'can-i', 'create', 'orders'])).stdout.startsWith('yes'), {
      what: 'edit to be gathered',
    });
    await ok(jane, ['create', 'secret', 'generic', 'login', '--from-literal=username=u']);
    const { metadata, ...order } = ociOrder('first', [{ image: 'demo/app:v1' }], 'team-a');
    await ok(jane, ['apply', '-f', '-'], { input: JSON.stringify({ ...order, metadata }) });
    await ok(jane, ['wait', 'order/first', '--for=jsonpath={.status.phase}=Succeeded', '--timeout=30s']);
    assert.notEqual(destination.content.manifest('demo/app', 'v1'), undefined);
    const pod = (await ok(jane, ['get', 'pods', '-o', 'name'])).trim().split('\n')[0] ?? '';
    await ok(jane, ['logs', pod]);

    const elsewhere = await jane(['create', 'secret', 'generic', 'x', '-n', 'team-b', '--from-literal=a=b']);
    assert.match(
      elsewhere.stderr,
      /secrets is forbidden: User "jane" cannot create resource "secrets" in API group "" in the namespace "team-b"/,
    );
    const everywhere = await jane(['get', 'orders', '-A']);
    assert.match(everywhere.stderr, /cannot list resource "orders" in API group "arc.opendefense.cloud" at the cluster scope/);
    for (const args of [
      ['create', 'namespace', 'mine'],
      ['get', 'secrets', '-n', 'kube-system'],
      ['create', 'rolebinding', 'more', '--clusterrole=admin', '--user=jane'],
      ['get', 'clusterroles'],
      ['get', 'orders', '--as=admin', '--as-group=system:masters'],
    ]) {
      const result = await jane(args);
      assert.match(result.stderr, /is forbidden: User "jane" cannot/, args.join(' '));
    }
    // Workflows run as programs of the server's user: reading them is part of edit, writing them is not.
    assert.match(await ok(jane, ['get', 'workflows']), /Succeeded/);
    assert.match((await jane(['auth', 'can-i', 'create', 'workflows'])).stdout, /^no/);
  });

  test('6.3 auth can-i --list shows the rules, in their namespace and in another', async () => {
    const rules = await ok(jane, ['auth', 'can-i', '--list']);
    assert.match(rules, /orders\.arc\.opendefense\.cloud\s+\[\]\s+\[\]\s+\[.*create.*\]/);
    assert.match(rules, /secrets\s+\[\]\s+\[\]/);
    assert.match(rules, /selfsubjectaccessreviews\.authorization\.k8s\.io\s+\[\]\s+\[\]\s+\[create\]/);
    assert.doesNotMatch(await ok(jane, ['auth', 'can-i', '--list', '-n', 'team-b']), /secrets|orders/);
  });

  test('6.3 resourceNames: one object and no other', async () => {
    await ok(admin, ['create', 'configmap', 'shared', '-n', 'team-b', '--from-literal=a=b']);
    await ok(admin, ['create', 'configmap', 'other', '-n', 'team-b', '--from-literal=a=b']);
    await ok(admin, [
      'create',
      'role',
      'one',
      '-n',
      'team-b',
      '--verb=get,update,patch',
      '--resource=configmaps',
      '--resource-name=shared',
    ]);
    await ok(admin, ['create', 'rolebinding', 'one', '-n', 'team-b', '--role=one', '--group=release']);
    assert.match(await ok(jane, ['get', 'configmap', 'shared', '-n', 'team-b']), /shared/);
    await ok(jane, ['label', 'configmap', 'shared', '-n', 'team-b', 'a=b']);
    assert.match((await jane(['get', 'configmap', 'other', '-n', 'team-b'])).stderr, /configmaps "other" is forbidden/);
    assert.match((await jane(['get', 'configmaps', '-n', 'team-b'])).stderr, /configmaps is forbidden/);
    assert.match((await jane(['delete', 'configmap', 'shared', '-n', 'team-b'])).stderr, /cannot delete resource "configmaps"/);
  });

  test('an admin of a namespace shares what they have there, and nothing more', async () => {
    await ok(admin, ['create', 'rolebinding', 'owner', '--clusterrole=admin', '--user=olga', '-n', 'team-b']);
    const olga = runner(await addUser('olga', '-n', 'team-b'));
    assert.match(await ok(olga, ['create', 'rolebinding', 'viewers', '--clusterrole=view', '--group=release']), /created/);
    assert.match(await ok(jane, ['get', 'orders', '-n', 'team-b'], {}), /^$/);
    const escalated = await olga(['create', 'rolebinding', 'root', '--clusterrole=cluster-admin', '--user=olga']);
    assert.match(
      escalated.stderr,
      /user "olga" \(groups=\["system:authenticated"\]\) is attempting to grant RBAC permissions not currently held/,
    );
    assert.match(escalated.stderr, /\{APIGroups:\["\*"\], Resources:\["\*"\], Verbs:\["\*"\]\}/);
    const patched = await admin(['patch', 'rolebinding', 'viewers', '-n', 'team-b', '--type=merge', '-p', '{"roleRef":{"name":"edit"}}']);
    assert.match(patched.stderr, /roleRef: Invalid value: .*cannot change roleRef/);
    assert.match(await ok(admin, ['describe', 'clusterrole', 'view']), /orders\.arc\.opendefense\.cloud\s/);
    assert.match(await ok(admin, ['auth', 'can-i', 'delete', 'orders', '--as=olga', '-n', 'team-b']), /^yes/);
  });

  test('6.1 tokens: used by kubectl, gone when revoked, 401 when expired', async () => {
    await ok(admin, ['create', 'clusterrolebinding', 'robots', '--clusterrole=view', '--group=robots']);
    const token = (await ok((args) => world.arcctl(args), ['user', 'token', 'ci', '--group', 'robots'])).trim();
    const ca = join(world.dataDir, 'pki', 'ca.crt');
    const asToken = (text: string): Run => {
      const run = runner('/dev/null');
      return (args) => run([`--server=${world.arc.server}`, `--certificate-authority=${ca}`, `--token=${text}`, ...args]);
    };
    const ci = asToken(token);
    assert.match(await ok(ci, ['auth', 'whoami']), /Username\s+ci\nGroups\s+\[robots system:authenticated\]/);
    assert.match(await ok(ci, ['get', 'orders', '-A']), /first/);
    assert.match((await ci(['delete', 'order', 'first', '-n', 'team-a'])).stderr, /forbidden/);
    const short = (await ok((args) => world.arcctl(args), ['user', 'token', 'ci', '--ttl', '1s'])).trim();
    await eventually(async () => /Unauthorized/.test((await asToken(short)(['get', '--raw', '/version'])).stderr), {
      what: 'the token to expire',
    });
    await ok((args) => world.arcctl(args), ['user', 'revoke', 'ci']);
    assert.match((await ci(['get', '--raw', '/version'])).stderr, /Unauthorized/);
    const output = world.arc.output();
    const secret = token.slice(-43);
    assert.ok(!output.includes(secret), 'no token in the log');
    const stored = (await readdir(world.dataDir)).filter((name) => name.startsWith('arc.db'));
    assert.ok(stored.length > 0);
    for (const name of stored) assert.ok(!(await readFile(join(world.dataDir, name))).includes(secret), `no token in ${name}`);
  });

  test('a revoked certificate is refused, its user can be given a new one', async () => {
    assert.match(await ok((args) => world.arcctl(args), ['user', 'list']), /jane\s+certificate\s+release\s+\S+\s+valid/);
    assert.match(await ok((args) => world.arcctl(args), ['user', 'revoke', 'jane']), /certificate \S+ of user jane revoked/);
    assert.match((await jane(['get', 'orders'])).stderr, /Unauthorized|must be logged in|credentials/);
    const renewed = runner(await addUser('jane', '-n', 'team-a'));
    assert.match(await ok(renewed, ['get', 'orders']), /first/);
    assert.doesNotMatch(world.arc.output(), /forbidden/i);
    await world.restart('SIGTERM');
    assert.match((await runner(world.arc.kubeconfig)(['get', 'orders', '-n', 'team-a'])).stdout, /first/);
    assert.match(await ok(renewed, ['get', 'orders']), /first/);
  });

  test("ARC's own parts do all of this without being administrators", async () => {
    await ok(admin, ['delete', 'namespace', 'team-a', 'team-b', '--timeout=60s']);
    assert.doesNotMatch(world.arc.output(), /forbidden/i);
    assert.match((await admin(['auth', 'can-i', 'create', 'clusterrolebindings', '--as=system:arc'])).stdout, /^no/);
    assert.match((await admin(['auth', 'can-i', 'create', 'orders', '--as=system:arc', '-n', 'default'])).stdout, /^no/);
    assert.match((await admin(['auth', 'can-i', '--list', '--as=system:arc'])).stdout, /pods\/status\s+\[\]\s+\[\]\s+\[patch\]/);
  });
});
