import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { orders } from '@arc/api/arc';
import type { Order, OrderStatus } from '@arc/api/arc';
import { secrets } from '@arc/api/core';
import { encodeYaml, isStatusReason } from '@arc/apimachinery';
import { startTestServer } from '../testing/test-server.ts';
import type { TestServer } from '../testing/test-server.ts';

let server: TestServer;
before(async () => {
  server = await startTestServer();
});
after(() => server[Symbol.asyncDispose]());

function order(name: string, images: readonly string[] = ['demo/app:v1']): Order {
  return {
    apiVersion: 'arc.opendefense.cloud/v1alpha1',
    kind: 'Order',
    metadata: { name },
    spec: {
      defaults: { srcRef: { name: 'src' }, dstRef: { name: 'dst' } },
      artifacts: images.map((image) => ({ type: 'oci', spec: { image } })),
    },
  };
}

/** Plays the controller: writes a status as soon as the Order is there. */
async function setStatus(name: string, status: OrderStatus): Promise<void> {
  for (;;) {
    try {
      await server.client.patch(orders, { namespace: 'default', name }, { status }, { subresource: 'status' });
      return;
    } catch (error) {
      if (!isStatusReason(error, 'NotFound')) throw error;
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
}

const succeeded: OrderStatus = {
  observedGeneration: 1,
  phase: 'Succeeded',
  artifactWorkflows: { aaa: { artifactIndex: 0, phase: 'Succeeded', progress: '2000000/2000000', progressUnit: 'Bytes' } },
};

async function exists(name: string): Promise<boolean> {
  const { items } = await server.client.list(orders, { namespace: 'default', fieldSelector: `metadata.name=${name}` });
  return items.length === 1;
}

test('a file of several kinds is created in its order, in the namespace of the context', async () => {
  const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 's' }, stringData: { password: 'x' } };
  const file = await server.file('several.yaml', `${encodeYaml(secret)}---\n${encodeYaml(order('several'))}`);
  const { code, stdout, stderr } = await server.arcctl(['order', 'submit', '-f', file]);
  assert.equal(code, 0, stderr);
  assert.equal(stdout, 'secret/s created\norder.arc.opendefense.cloud/several created\n');
  assert.equal((await server.client.get(secrets, { namespace: 'default', name: 's' })).kind, 'Secret');
});

test('standard input is read for -, JSON too', async () => {
  const { code, stdout } = await server.arcctl(['order', 'submit', '-f', '-'], { stdin: JSON.stringify(order('from-stdin')) });
  assert.equal(code, 0);
  assert.equal(stdout, 'order.arc.opendefense.cloud/from-stdin created\n');
});

test("a name of the server's making is printed", async () => {
  const unnamed = { ...order('x'), metadata: { generateName: 'made-' } };
  const { stdout } = await server.arcctl(['order', 'submit', '-f', '-'], { stdin: encodeYaml(unnamed) });
  assert.match(stdout, /^order\.arc\.opendefense\.cloud\/made-[a-z0-9]{5} created\n$/);
});

test('warnings of the server are shown', async () => {
  const { stderr } = await server.arcctl(['order', 'submit', '-f', '-'], { stdin: encodeYaml(order('empty', [])) });
  assert.equal(stderr, 'Warning: spec.artifacts is empty: the Order transfers nothing\n');
});

test('--wait ends when the Order does, with a summary', async () => {
  const submitting = server.arcctl(['order', 'submit', '-f', '-', '--wait'], { stdin: encodeYaml(order('waited')) });
  await setStatus('waited', succeeded);
  const { code, stdout, stderr } = await submitting;
  assert.equal(code, 0, stderr);
  assert.match(
    stdout,
    /^order\.arc\.opendefense\.cloud\/waited created\norder default\/waited: Succeeded, 1 of 1 artifact delivered, 2\.00 MB\n$/,
  );
  assert.equal(stderr, '');
});

test('--watch shows what happens to each artifact on the way', async () => {
  const submitting = server.arcctl(['order', 'submit', '-f', '-', '--watch'], {
    stdin: encodeYaml(order('watched', ['demo/app:v1', 'demo/db:v2'])),
  });
  const second = { artifactIndex: 1, phase: 'Pending', reason: 'EndpointNotFound', message: 'endpoint "dst" does not exist' };
  await setStatus('watched', {
    phase: 'Running',
    artifactWorkflows: {
      aaa: { artifactIndex: 0, phase: 'Running', progress: '500000/2000000', progressUnit: 'Bytes', message: 'copying' },
      bbb: second,
    },
  });
  await setStatus('watched', {
    ...succeeded,
    artifactWorkflows: {
      aaa: { artifactIndex: 0, phase: 'Succeeded', progress: '2000000/2000000', progressUnit: 'Bytes', message: '' },
      bbb: { ...second, phase: 'Succeeded', reason: '', message: '' },
    },
  });
  const { code, stdout, stderr } = await submitting;
  assert.equal(code, 0, stderr);
  const lines = stderr.trimEnd().split('\n');
  assert.ok(lines.includes('demo/app:v1: done, 100% 2.00 MB of 2.00 MB'), stderr);
  assert.ok(lines.includes('demo/db:v2: done'), stderr);
  assert.match(stdout, /2 of 2 artifacts delivered/);
});

test('while an Order is waited for, what it says of an Endpoint that is not ready is told once', async () => {
  const submitting = server.arcctl(['order', 'submit', '-f', '-', '--wait'], { stdin: encodeYaml(order('unready', ['a/b:1'])) });
  const lastTransitionTime = '2026-01-01T00:00:00Z';
  const message = 'Endpoint "src" is not ready: it refuses connections';
  const conditions = [{ type: 'EndpointsReady', status: 'False' as const, reason: 'ConnectionRefused', message, lastTransitionTime }];
  for (const progress of ['0/2', '1/2']) {
    await setStatus('unready', {
      phase: 'Running',
      conditions,
      artifactWorkflows: { aaa: { artifactIndex: 0, phase: 'Running', progress } },
    });
  }
  await setStatus('unready', {
    observedGeneration: 1,
    phase: 'Succeeded',
    artifactWorkflows: { aaa: { artifactIndex: 0, phase: 'Succeeded' } },
  });
  const { code, stderr } = await submitting;
  assert.equal(code, 0, stderr);
  assert.equal(stderr.split(message).length - 1, 1, stderr);
});

test('an Order that is left with nothing but its schedules is waited for no longer', async () => {
  const submit = async (name: string, status: OrderStatus) => {
    const submitting = server.arcctl(['order', 'submit', '-f', '-', '--wait'], { stdin: encodeYaml(order(name, ['a/b:1', 'c/d:2'])) });
    await setStatus(name, { observedGeneration: 1, phase: 'Active', nextScheduled: '2026-01-02T03:00:00Z', ...status });
    return await submitting;
  };
  const daily = { artifactIndex: 0, phase: 'Active', nextScheduled: '2026-01-02T03:00:00Z' };
  const both = await submit('daily', { artifactWorkflows: { aaa: daily, bbb: { artifactIndex: 1, phase: 'Succeeded' } } });
  assert.equal(both.code, 0, both.stderr);
  assert.match(both.stdout, /daily: Active, 1 scheduled, next at 2026-01-02T03:00:00Z, 1 of 1 artifact delivered\n$/);
  const only = await submit('nightly', { artifactWorkflows: { aaa: daily } });
  assert.match(only.stdout, /nightly: Active, 1 scheduled, next at 2026-01-02T03:00:00Z\n$/);
  const message = 'the last run failed: no such image';
  const failing = await submit('hourly', { artifactWorkflows: { aaa: { ...daily, reason: 'LastRunFailed', message } } });
  assert.equal(failing.code, 7);
  assert.match(failing.stderr, /a\/b:1: Active, LastRunFailed: the last run failed: no such image/);
  assert.match((await server.arcctl(['order', 'tree', 'daily'])).stdout, /a\/b:1 {2}Active {2}next at 2026-01-02T03:00:00Z/);
});

test('a failed Order is exit code 7, says which artifact and why, and where to look', async () => {
  const submitting = server.arcctl(['order', 'submit', '-f', '-', '--wait'], { stdin: encodeYaml(order('failing', ['a/b:1', 'c/d:2'])) });
  await setStatus('failing', {
    observedGeneration: 1,
    phase: 'Failed',
    artifactWorkflows: {
      aaa: { artifactIndex: 0, phase: 'Succeeded' },
      bbb: { artifactIndex: 1, phase: 'Failed', message: "Step 'copy' failed: source: 404" },
    },
  });
  const { code, stdout, stderr } = await submitting;
  assert.equal(code, 7);
  assert.match(stdout, /Failed, 1 of 2 artifacts delivered/);
  assert.equal(
    stderr,
    "error[OrderFailed]: order default/failing failed:\n  c/d:2: Failed, Step 'copy' failed: source: 404\nhint: Read the logs with arcctl logs failing\n",
  );
});

test('a status that speaks of an older spec is not the end', async () => {
  await server.client.create(orders, { ...order('edited'), metadata: { name: 'edited', namespace: 'default' } });
  await setStatus('edited', succeeded);
  await server.client.patch(
    orders,
    { namespace: 'default', name: 'edited' },
    { spec: { artifacts: [{ type: 'oci', spec: { image: 'x/y:2' } }] } },
  );
  const watching = server.arcctl(['order', 'watch', 'edited']);
  await setStatus('edited', { ...succeeded, observedGeneration: 2, message: 'now' });
  assert.equal((await watching).code, 0);
});

test('waiting ends with its own exit code when the time is up or the user interrupts', async () => {
  const interruption = new AbortController();
  await server.client.create(orders, { ...order('endless'), metadata: { name: 'endless', namespace: 'default' } });
  const timeout = await server.arcctl(['order', 'watch', 'endless', '--timeout', '50ms']);
  assert.equal(timeout.code, 6);
  assert.match(
    timeout.stderr,
    /error\[Timeout\]: not finished after 50ms: order default\/endless is Pending\nhint: The Order goes on by itself/,
  );
  const interrupted = server.arcctl(['order', 'watch', 'endless'], { signal: interruption.signal });
  interruption.abort();
  assert.equal((await interrupted).code, 130);
});

test('an Order that is deleted while it is watched is a failure', async () => {
  await server.client.create(orders, { ...order('short-lived'), metadata: { name: 'short-lived', namespace: 'default' } });
  const watching = server.arcctl(['order', 'watch', 'short-lived']);
  await server.client.delete(orders, { namespace: 'default', name: 'short-lived' });
  const { code, stderr } = await watching;
  assert.ok((code === 1 && stderr.includes('error[OrderDeleted]')) || code === 3, stderr);
});

test('what does not exist cannot be watched', async () => {
  assert.equal((await server.arcctl(['order', 'watch', 'nothing-here'])).code, 3);
});

test('an Order is submitted once', async () => {
  const submit = () => server.arcctl(['order', 'submit', '-f', '-'], { stdin: encodeYaml(order('twice')) });
  assert.equal((await submit()).code, 0);
  const { code, stderr } = await submit();
  assert.equal(code, 5);
  assert.match(stderr, /error\[AlreadyExists\]: standard input: orders[^\n]* already exists\nhint: An Order is submitted once/);
});

test('of a file with a mistake nothing is created, and every mistake is told', async () => {
  const wrong = { ...order('wrong'), spec: { artifacts: [{ type: 'oci', srcRef: { name: 'a' } }], colour: 'blue' } };
  const file = await server.file(
    'mixed.yaml',
    [order('fine'), wrong, { ...order('worse'), spec: { artifacts: [{}] } }].map(encodeYaml).join('---\n'),
  );
  const { code, stdout, stderr } = await server.arcctl(['order', 'submit', '-f', file]);
  assert.equal(code, 1);
  assert.equal(stdout, '');
  assert.match(stderr, /mixed\.yaml, document 2: .*unknown field "spec\.colour"/);
  assert.match(stderr, /mixed\.yaml, document 3: .*spec\.artifacts\[0\]\.type: Required value/);
  assert.match(stderr, /hint: Nothing was created/);
  assert.equal(await exists('fine'), false);
});

test('objects may lie in a namespace that the same file creates', async () => {
  const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'fresh' } };
  const inside = { ...order('inside'), metadata: { name: 'inside', namespace: 'fresh' } };
  const file = await server.file('fresh.yaml', [namespace, inside].map(encodeYaml).join('---\n'));
  const { code, stdout, stderr } = await server.arcctl(['order', 'submit', '-f', file]);
  assert.equal(code, 0, stderr);
  assert.equal(stdout, 'namespace/fresh created\norder.arc.opendefense.cloud/inside created\n');
});

test('what is wrong with a file is said with its place', async () => {
  for (const [content, code, message] of [
    ['apiVersion: v1\nkind: [Order\n', 1, /error\[InvalidYAML\]: .*bad\.yaml: invalid YAML at line \d+, column \d+/],
    ['{"apiVersion": "v1", "kind": }', 1, /error\[InvalidJSON\]: .*bad\.yaml: invalid JSON at line 1, column \d+/],
    ['', 1, /bad\.yaml: there is no object in it/],
    ['just text', 1, /bad\.yaml: it is not a mapping/],
    ['kind: Order', 1, /bad\.yaml: apiVersion is missing/],
    ['apiVersion: v1\nkind: Secret\nmetadata: {}', 1, /metadata\.name is missing/],
    ['apiVersion: v1\nkind: Secret\nmetadata: {name: a, name: b}', 1, /given twice: metadata\.name/],
    ['apiVersion: v1\nkind: Secrt\nmetadata: {name: a}', 1, /error\[UnknownKind\]: .*no kind "Secrt" in v1/],
    ['apiVersion: v1\nkind: Order\nmetadata: {name: a}', 1, /hint: It has one in arc\.opendefense\.cloud\/v1alpha1: correct apiVersion/],
    ['apiVersion: v1\nkind: List\nitems: [{apiVersion: v1, kind: Secret}]', 1, /bad\.yaml, item 1: metadata\.name is missing/],
  ] as const) {
    const file = await server.file('bad.yaml', content);
    const result = await server.arcctl(['order', 'submit', '-f', file]);
    assert.match(result.stderr, message);
    assert.equal(result.code, code, content);
  }
  const missing = await server.arcctl(['order', 'submit', '-f', '/no/such/file.yaml']);
  assert.equal(missing.code, 1);
  assert.match(missing.stderr, /the file \/no\/such\/file\.yaml does not exist/);
});

test('a namespace in the file and another on the command line is a contradiction', async () => {
  const inside = { ...order('elsewhere'), metadata: { name: 'elsewhere', namespace: 'default' } };
  const { code, stderr } = await server.arcctl(['order', 'submit', '-n', 'fresh', '-f', '-'], { stdin: encodeYaml(inside) });
  assert.equal(code, 2);
  assert.match(stderr, /hint: Leave out -n, or write -n default\./);
});

test('a timeout needs a unit and something to wait for', async () => {
  const options = { stdin: encodeYaml(order('never')) };
  assert.equal((await server.arcctl(['order', 'submit', '-f', '-', '--wait', '--timeout', '5'], options)).code, 2);
  assert.equal((await server.arcctl(['order', 'submit', '-f', '-', '--timeout', '5m'], options)).code, 2);
  assert.equal(await exists('never'), false);
});

test('every file that is named is submitted, in its order', async () => {
  const files = [
    await server.file('first.yaml', encodeYaml(order('first-file'))),
    await server.file('second.yaml', encodeYaml(order('second-file'))),
  ];
  const { code, stdout, stderr } = await server.arcctl(['order', 'submit', ...files.flatMap((file) => ['-f', file])]);
  assert.equal(code, 0, stderr);
  assert.match(stdout, /first-file created\n.*second-file created\n/);
});
