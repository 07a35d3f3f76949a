import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { orders } from '@arc/api/arc';
import type { Order } from '@arc/api/arc';
import { namespaces } from '@arc/api/core';
import { decodeYaml } from '@arc/apimachinery';
import { startTestServer } from '../testing/test-server.ts';
import type { TestServer } from '../testing/test-server.ts';

let server: TestServer;

function order(name: string, namespace = 'default', labels: Record<string, string> = {}): Order {
  return {
    apiVersion: 'arc.opendefense.cloud/v1alpha1',
    kind: 'Order',
    metadata: { name, namespace, labels },
    spec: { artifacts: [{ type: 'oci', srcRef: { name: 'src' }, dstRef: { name: 'dst' }, spec: { image: 'demo/app:v1' } }] },
  };
}

before(async () => {
  server = await startTestServer();
  await server.client.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'team' } });
  await server.client.create(orders, order('first', 'default', { tier: 'test' }));
  await server.client.create(orders, order('second'));
  await server.client.create(orders, order('third', 'team'));
});
after(() => server[Symbol.asyncDispose]());

test('a list is the table of the server, in the namespace of the context', async () => {
  const { code, stdout, stderr } = await server.arcctl(['get', 'orders']);
  assert.equal(code, 0, stderr);
  const [heading = '', ...rows] = stdout.trimEnd().split('\n');
  assert.match(heading, /^NAME +PHASE +ARTIFACTS +AGE$/);
  assert.deepEqual(
    rows.map((row) => row.split(/ +/).slice(0, 2)),
    [
      ['first', 'Pending'],
      ['second', 'Pending'],
    ],
  );
});

test('kinds go by plural, singular, kind, short name and group', async () => {
  for (const word of ['orders', 'order', 'Order', 'ord', 'orders.arc.opendefense.cloud', 'order/first']) {
    const { code, stdout } = await server.arcctl(['get', word, ...(word.includes('/') ? [] : ['first']), '-o', 'name']);
    assert.equal(code, 0, word);
    assert.equal(stdout, 'order.arc.opendefense.cloud/first\n', word);
  }
});

test('-A shows the namespace first; -l selects; --no-headers and wide do what they say', async () => {
  const all = await server.arcctl(['get', 'orders', '-A', '--no-headers']);
  assert.deepEqual(
    all.stdout.trimEnd().split('\n').map((row) => row.split(/ +/).slice(0, 2).join('/')),
    ['default/first', 'default/second', 'team/third'],
  ); // prettier-ignore
  const selected = await server.arcctl(['get', 'orders', '-l', 'tier=test', '--no-headers', '-o', 'wide']);
  assert.equal(selected.stdout.trimEnd().split('\n').length, 1);
  assert.match(selected.stdout, /^first /);
  const inTeam = await server.arcctl(['-n', 'team', 'get', 'orders', '-o', 'name']);
  assert.equal(inTeam.stdout, 'order.arc.opendefense.cloud/third\n');
});

test('JSON and YAML are the whole object without managed fields; several become a list', async () => {
  const json = await server.arcctl(['get', 'order', 'first', '-o', 'json']);
  const one = JSON.parse(json.stdout) as Order;
  assert.equal(one.metadata.name, 'first');
  assert.equal(one.metadata.managedFields, undefined);
  const yaml = await server.arcctl(['get', 'order', 'first', '-o', 'yaml']);
  assert.deepEqual(decodeYaml(yaml.stdout).value, one);
  const list = JSON.parse((await server.arcctl(['get', 'orders', '-o', 'json'])).stdout) as { kind: string; items: Order[] };
  assert.equal(list.kind, 'List');
  assert.deepEqual(
    list.items.map(({ metadata }) => metadata.name),
    ['first', 'second'],
  );
});

test('nothing found is said on stderr and is no error', async () => {
  const { code, stdout, stderr } = await server.arcctl(['get', 'endpoints.arc.opendefense.cloud']);
  assert.deepEqual([code, stdout, stderr], [0, '', 'No resources found in default namespace.\n']);
});

test('a missing object is exit code 3, the others are printed all the same', async () => {
  const one = await server.arcctl(['get', 'order', 'nothing-here']);
  assert.equal(one.code, 3);
  assert.equal(one.stdout, '');
  assert.match(one.stderr, /^error\[NotFound\]: orders\.arc\.opendefense\.cloud "nothing-here" not found\n/);
  const some = await server.arcctl(['get', 'order', 'nothing-here', 'second', '--no-headers']);
  assert.equal(some.code, 3);
  assert.match(some.stdout, /^second /);
});

test('errors are JSON where JSON was asked for', async () => {
  const { code, stderr } = await server.arcctl(['get', 'order', 'nothing-here', '-o', 'json']);
  assert.equal(code, 3);
  assert.equal((JSON.parse(stderr) as { error: { code: string } }).error.code, 'NotFound');
});

test('an unknown kind comes with a suggestion', async () => {
  const { code, stderr } = await server.arcctl(['get', 'ordrs']);
  assert.equal(code, 3);
  assert.match(stderr, /"ordrs"[^]*hint: Did you mean orders\?/);
});

test('contradictions are usage errors', async () => {
  for (const args of [['orders', 'a', '-l', 'x=y'], ['orders', 'a', '-A'], ['orders/a', 'b'], ['orders/'], ['orders', 'a', 'b', '-w']]) {
    assert.equal((await server.arcctl(['get', ...args])).code, 2, args.join(' '));
  }
});

test('-w prints what is there and then each change, until interrupted', async () => {
  const interruption = new AbortController();
  const changes = ['a', 'b'];
  const { code, stdout } = await server.arcctl(['get', 'orders', '-n', 'team', '-w'], {
    signal: interruption.signal,
    onOutput() {
      const version = changes.shift();
      if (version === undefined) interruption.abort();
      else void server.client.patch(orders, { namespace: 'team', name: 'third' }, { metadata: { labels: { version } } });
    },
  });
  assert.equal(code, 130);
  const lines = stdout.trimEnd().split('\n');
  assert.match(lines[0] ?? '', /^NAME +PHASE/);
  assert.deepEqual(
    lines.slice(1).map((line) => line.split(' ')[0]),
    ['third', 'third', 'third'],
  );
});

test('-w -o name does the same with objects', async () => {
  const interruption = new AbortController();
  let writes = 0;
  const { stdout } = await server.arcctl(['get', 'order', 'first', '-w', '-o', 'name'], {
    signal: interruption.signal,
    onOutput() {
      if (++writes === 2) interruption.abort();
      else void server.client.patch(orders, { namespace: 'default', name: 'first' }, { metadata: { annotations: { a: 'b' } } });
    },
  });
  assert.equal(stdout, 'order.arc.opendefense.cloud/first\n'.repeat(2));
});

test('watching an object that does not exist is exit code 3', async () => {
  assert.equal((await server.arcctl(['get', 'order', 'nothing-here', '-w'])).code, 3);
});
