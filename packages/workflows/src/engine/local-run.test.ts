import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Workflow, WorkflowSpec } from '@arc/api/argo';
import { argoKinds, workflows } from '@arc/api/argo';
import { coreKinds, secrets } from '@arc/api/core';
import { createFakeClient } from '@arc/kube-client/fake';
import type { FakeClient } from '@arc/kube-client/fake';
import { mortalClient } from '../../test/fixtures/mortal-client.ts';
import type { LogStore } from '../logs/log-store.ts';
import { createLogStore } from '../logs/log-store.ts';
import { createProcessRunner } from '../runner/process/process-runner.ts';
import type { Runner } from '../runner/runner.ts';
import { createWorkflowEngine } from './workflow-engine.ts';

// Workflows of real processes, from the object to the files they leave.

interface Place {
  readonly client: FakeClient;
  readonly logs: LogStore;
  readonly directory: string;
  /** Starts an engine; `stop` ends it in order, `kill` leaves everything as it is. */
  engine(): Promise<{ stop(): Promise<void>; kill(): Promise<void>; readonly runner: Runner }>;
  submit(spec: WorkflowSpec, name?: string): Promise<void>;
  ended(name?: string): Promise<Workflow>;
}

async function inPlace(run: (place: Place) => Promise<void>): Promise<void> {
  const base = await mkdtemp(join(tmpdir(), 'arc-engine-'));
  const directory = join(base, 'runs');
  const client = createFakeClient({ kinds: [...coreKinds, ...argoKinds] });
  const logs = createLogStore(join(base, 'logs'));
  const stops: (() => Promise<void>)[] = [];
  const place: Place = {
    client,
    logs,
    directory,
    async engine() {
      const runner = await createProcessRunner({ directory, logs, path: '/usr/local/bin:/usr/bin:/bin', graceMs: 500 });
      const mortal = mortalClient(client);
      const abort = new AbortController();
      const ready = Promise.withResolvers<void>();
      const running = createWorkflowEngine({ client: mortal.client, runner, logs }).run(abort.signal, { onReady: ready.resolve });
      await ready.promise;
      let over = false;
      const stop = async (): Promise<void> => {
        if (over) return;
        over = true;
        abort.abort();
        await running;
        await runner[Symbol.asyncDispose]();
      };
      stops.push(stop);
      return {
        runner,
        stop,
        async kill() {
          over = true;
          mortal.kill();
          await runner[Symbol.asyncDispose]();
        },
      };
    },
    async submit(spec, name = 'wf') {
      await client.create<Workflow>(workflows, {
        apiVersion: 'argoproj.io/v1alpha1',
        kind: 'Workflow',
        metadata: { name, namespace: 'ns' },
        spec,
      });
    },
    async ended(name = 'wf') {
      for (let tries = 0; tries < 2000; tries++) {
        const workflow = client.peek<Workflow>(workflows, { namespace: 'ns', name });
        if (workflow?.metadata.labels?.['workflows.argoproj.io/completed'] === 'true') return workflow;
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      assert.fail(JSON.stringify(client.peekAll(workflows), undefined, 1));
    },
  };
  try {
    await run(place);
  } finally {
    for (const stop of stops) await stop();
    await rm(base, { recursive: true, force: true });
  }
}

async function logOf(logs: LogStore, pod: string): Promise<string> {
  let text = '';
  for await (const chunk of logs.openLog({ namespace: 'ns', pod })) text += Buffer.from(chunk).toString();
  return text;
}

const pipeline: WorkflowSpec = {
  entrypoint: 'main',
  arguments: {
    parameters: [
      { name: 'type', value: 'oci' },
      { name: 'image', value: `it's "quoted" $(rm -rf /nothing)` },
    ],
  },
  volumes: [{ name: 'src-secret-vol', secret: { secretName: 'creds' } }],
  volumeClaimTemplates: [{ metadata: { name: 'work' } }],
  templates: [
    {
      name: 'main',
      steps: [
        [
          { name: 'pull', template: 'pull', when: '{{workflow.parameters.type}} == oci' },
          { name: 'helm', template: 'pull', when: '{{workflow.parameters.type}} == helm' },
        ],
        [
          {
            name: 'push',
            template: 'push',
            arguments: {
              parameters: [
                { name: 'digest', value: '{{steps.pull.outputs.parameters.digest}}' },
                { name: 'said', value: '{{steps.pull.outputs.result}}' },
              ],
            },
          },
        ],
      ],
    },
    {
      name: 'pull',
      script: {
        image: 'busybox',
        command: ['sh', '-e'],
        env: [{ name: 'IMG', value: '{{workflow.parameters.image}}' }],
        source: 'cat /secrets/src/username > /data/user; printf "%s" "$IMG" > /data/img; echo sha256:abc > /tmp/digest; echo pulled',
        volumeMounts: [
          { name: 'src-secret-vol', mountPath: '/secrets/src', readOnly: true },
          { name: 'work', mountPath: '/data' },
        ],
      },
      outputs: { parameters: [{ name: 'digest', valueFrom: { path: '/tmp/digest' }, globalName: 'arc-receipt' }] },
    },
    {
      name: 'push',
      inputs: { parameters: [{ name: 'digest' }, { name: 'said' }] },
      retryStrategy: { limit: 2 },
      container: {
        image: 'busybox',
        command: ['sh', '-c'],
        args: [
          'echo "try {{retries}} {{inputs.parameters.digest}} {{inputs.parameters.said}} $(cat /data/user) $(cat /data/img)"; test {{retries}} = 1',
        ],
        volumeMounts: [{ name: 'work', mountPath: '/data' }],
      },
    },
  ],
};

test('a pipeline of real processes: when, secrets, a shared claim, outputs, a retry, logs', () =>
  inPlace(async ({ client, engine, submit, ended, logs, directory }) => {
    client.put(secrets, {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'creds', namespace: 'ns' },
      data: { username: 'YWxpY2U=' },
    } as never);
    await engine();
    await submit(pipeline);
    const workflow = await ended();
    assert.equal(workflow.status?.phase, 'Succeeded', JSON.stringify(workflow.status, undefined, 1));
    assert.deepEqual(workflow.status.outputs?.parameters, [{ name: 'arc-receipt', value: 'sha256:abc' }]);
    const nodes = Object.values(workflow.status.nodes ?? {});
    const last = nodes.find((node) => node.name === 'wf[1].push(1)');
    assert.equal(last?.phase, 'Succeeded');
    const pod = `wf-push-${last.id.slice('wf-'.length)}`;
    assert.equal(await logOf(logs, pod), `try 1 sha256:abc pulled alice it's "quoted" $(rm -rf /nothing)\n`);
    for (let tries = 0; tries < 200 && (await readdir(join(directory, 'claims'))).length > 0; tries++)
      await new Promise((resolve) => setTimeout(resolve, 5));
    assert.deepEqual(await readdir(join(directory, 'claims')), []);
  }));

test('after a kill the next engine takes the running step over; it is delivered once', () =>
  inPlace(async ({ engine, submit, ended, directory, client }) => {
    const first = await engine();
    await submit({
      entrypoint: 'main',
      volumeClaimTemplates: [{ metadata: { name: 'work' } }],
      templates: [
        { name: 'main', steps: [[{ name: 'slow', template: 'slow' }], [{ name: 'next', template: 'next' }]] },
        {
          name: 'slow',
          script: {
            image: 'busybox',
            command: ['sh', '-e'],
            source: 'echo x >> /data/runs; until test -e /data/go; do sleep 0.02; done',
            volumeMounts: [{ name: 'work', mountPath: '/data' }],
          },
        },
        {
          name: 'next',
          container: {
            image: 'busybox',
            command: ['sh', '-c', 'test "$(cat /data/runs)" = x; touch /data/go2'],
            volumeMounts: [{ name: 'work', mountPath: '/data' }],
          },
        },
      ],
    });
    const uid = client.peek(workflows, { namespace: 'ns', name: 'wf' })?.metadata.uid ?? '';
    const claim = join(directory, 'claims', uid, 'work');
    await until(() =>
      readFile(join(claim, 'runs')).then(
        () => true,
        () => false,
      ),
    );
    await first.kill();
    const second = await engine();
    assert.equal(second.runner.known(uid).length, 1);
    assert.equal((await second.runner.observe(second.runner.known(uid)[0] ?? { workflowUid: '', nodeId: '' })).state, 'running');
    const { writeFile } = await import('node:fs/promises');
    await writeFile(join(claim, 'go'), '');
    assert.equal((await ended()).status?.phase, 'Succeeded');
  }));

test('a stopped engine interrupts its steps, and the next one runs them to the end', () =>
  inPlace(async ({ engine, submit, ended, directory, client }) => {
    const first = await engine();
    await submit({
      entrypoint: 'main',
      volumeClaimTemplates: [{ metadata: { name: 'work' } }],
      templates: [
        {
          name: 'main',
          script: {
            image: 'busybox',
            command: ['sh'],
            source:
              'trap "echo term >> /data/log; exit 1" TERM; echo run >> /data/log; test "$(grep -c run /data/log)" = 2 && exit 0; while :; do sleep 0.02; done',
            volumeMounts: [{ name: 'work', mountPath: '/data' }],
          },
        },
      ],
    });
    const uid = client.peek(workflows, { namespace: 'ns', name: 'wf' })?.metadata.uid ?? '';
    await until(() =>
      readFile(join(directory, 'claims', uid, 'work/log')).then(
        () => true,
        () => false,
      ),
    );
    await first.stop();
    assert.equal(await readFile(join(directory, 'claims', uid, 'work/log'), 'utf8'), 'run\nterm\n');
    const interrupted = client.peek<Workflow>(workflows, { namespace: 'ns', name: 'wf' });
    assert.equal(interrupted?.status?.nodes?.['wf']?.phase, 'Pending');
    await engine();
    const workflow = await ended();
    assert.equal(workflow.status?.phase, 'Succeeded');
    assert.equal(workflow.status.nodes?.['wf']?.message, undefined);
  }));

test('a failing step says its exit code, and the log is kept', () =>
  inPlace(async ({ engine, submit, ended, logs }) => {
    await engine();
    await submit({
      entrypoint: 'main',
      templates: [{ name: 'main', container: { image: 'busybox', command: ['sh', '-c', 'echo no >&2; exit 9'] } }],
    });
    const workflow = await ended();
    assert.deepEqual([workflow.status?.phase, workflow.status?.message], ['Failed', 'main: Error (exit code 9)']);
    assert.equal(await logOf(logs, 'wf'), 'no\n');
  }));

async function until(condition: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 2000; tries++) {
    if (await condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  assert.fail('the condition was not met in time');
}
