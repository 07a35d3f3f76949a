import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CronWorkflow, Workflow, WorkflowSpec } from '@arc/api/argo';
import { argoKinds, clusterWorkflowTemplates, cronWorkflows, workflows } from '@arc/api/argo';
import { configMaps, coreKinds, pods, secrets } from '@arc/api/core';
import type { Pod } from '@arc/api/core';
import { statusError } from '@arc/apimachinery';
import { FakeClock } from '@arc/kernel';
import { createFakeClient } from '@arc/kube-client/fake';
import type { FakeClient } from '@arc/kube-client/fake';
import type { ScriptedHost, ScriptedRunner, StepScript } from '../runner/scripted.ts';
import { createScriptedRunner } from '../runner/scripted.ts';
import { mortalClient } from '../../test/fixtures/mortal-client.ts';
import { endSteps } from './end-steps.ts';
import { engineFinalizer } from './labels.ts';
import { createWorkflowEngine } from './workflow-engine.ts';

interface Scene {
  readonly client: FakeClient;
  readonly runner: ScriptedRunner;
  readonly clock: FakeClock;
  workflow(name?: string): Workflow;
  pod(name: string): Pod | undefined;
  submit(spec: WorkflowSpec, name?: string): Promise<void>;
  until(condition: () => boolean, what?: string): Promise<void>;
  stop(): Promise<void>;
}

interface SceneOptions {
  readonly clock?: FakeClock;
  readonly client?: FakeClient;
  readonly host?: ScriptedHost;
  readonly script?: StepScript;
  readonly missing?: readonly string[];
  readonly maxRunningPods?: number;
  readonly site?: string;
}

async function withEngine(options: SceneOptions, run: (scene: Scene) => Promise<void>): Promise<void> {
  const clock = options.clock ?? new FakeClock();
  const client = options.client ?? createFakeClient({ kinds: [...coreKinds, ...argoKinds], clock });
  const { host, script, missing, maxRunningPods, site } = options;
  const runner = createScriptedRunner({
    now: () => clock.now(),
    ...(host !== undefined && { host }),
    ...(script !== undefined && { script }),
    ...(missing !== undefined && { missing }),
  });
  const engine = createWorkflowEngine({
    client,
    runner,
    clock,
    ...(site !== undefined && { site }),
    ...(maxRunningPods !== undefined && { limits: { maxRunningPods } }),
  });
  const stop = new AbortController();
  const ready = Promise.withResolvers<void>();
  const running = engine.run(stop.signal, { onReady: ready.resolve });
  running.catch(ready.reject);
  await ready.promise;
  const scene: Scene = {
    client,
    runner,
    clock,
    workflow(name = 'wf') {
      const found = client.peek<Workflow>(workflows, { namespace: 'ns', name });
      assert.ok(found, `workflow ${name} exists`);
      return found;
    },
    pod: (name) => client.peek<Pod>(pods, { namespace: 'ns', name }),
    async submit(spec, name = 'wf') {
      await client.create<Workflow>(workflows, {
        apiVersion: 'argoproj.io/v1alpha1',
        kind: 'Workflow',
        metadata: { name, namespace: 'ns' },
        spec,
      });
    },
    async until(condition, what = 'the condition') {
      for (let turns = 0; turns < 2000; turns++) {
        if (condition()) return;
        await new Promise((resolve) => setImmediate(resolve));
      }
      assert.fail(
        `${what} was not met: ${JSON.stringify(
          client.peekAll<Workflow>(workflows).map((workflow) => workflow.status),
          undefined,
          1,
        )}`,
      );
    },
    async stop() {
      stop.abort();
      await running;
    },
  };
  try {
    await run(scene);
  } finally {
    await scene.stop();
  }
}

const single = (extra: Partial<WorkflowSpec> = {}): WorkflowSpec => ({
  entrypoint: 'main',
  templates: [{ name: 'main', container: { image: 'busybox', command: ['true'] } }],
  ...extra,
});

const sequence: WorkflowSpec = {
  entrypoint: 'main',
  templates: [
    { name: 'main', steps: [[{ name: 'a', template: 'leaf' }], [{ name: 'b', template: 'leaf' }]] },
    { name: 'leaf', container: { image: 'busybox', command: ['true'] } },
  ],
};

test('a workflow runs to its end: nodes, labels, finalizer, pods', () =>
  withEngine({}, async ({ runner, submit, workflow, until, pod }) => {
    await submit(sequence);
    await until(() => runner.running().length === 1);
    const running = workflow();
    assert.equal(running.status?.phase, 'Running');
    assert.deepEqual(running.metadata.finalizers, [engineFinalizer]);
    assert.equal(running.metadata.labels?.['workflows.argoproj.io/phase'], 'Running');
    const first = runner.running()[0]?.podName ?? '';
    await until(() => pod(first)?.status?.phase === 'Running');
    const shown = pod(first);
    assert.equal(shown?.metadata.labels?.['workflows.argoproj.io/workflow'], 'wf');
    assert.equal(shown?.metadata.annotations?.['workflows.argoproj.io/node-name'], 'wf[0].a');
    assert.equal(shown?.metadata.ownerReferences?.[0]?.uid, running.metadata.uid);
    assert.equal(shown?.spec?.containers[0]?.name, 'main');
    runner.end('wf[0].a');
    await until(() => runner.running()[0]?.nodeName === 'wf[1].b');
    runner.end('wf[1].b');
    await until(() => workflow().status?.phase === 'Succeeded');
    await until(() => pod(first)?.status?.phase === 'Succeeded');
    const done = workflow();
    assert.equal(done.status?.progress, '2/2');
    assert.deepEqual(done.metadata.finalizers, undefined);
    assert.equal(done.metadata.labels?.['workflows.argoproj.io/completed'], 'true');
    await until(() => runner.host.entries.size === 0 && runner.host.removedClaims.length > 0);
    assert.equal(runner.host.starts.length, 2);
  }));

test('a template is merged and frozen; secrets, config maps and variables are settled', () =>
  withEngine({}, async ({ client, runner, submit, workflow, until }) => {
    client.put(clusterWorkflowTemplates, {
      apiVersion: 'argoproj.io/v1alpha1',
      kind: 'ClusterWorkflowTemplate',
      metadata: { name: 'copy' },
      spec: {
        entrypoint: 'main',
        arguments: { parameters: [{ name: 'image' }] },
        templates: [
          {
            name: 'main',
            container: {
              image: 'worker',
              args: ['--user=$(USER)', '$$(USER)', '$(NONE)'],
              env: [
                { name: 'USER', valueFrom: { secretKeyRef: { name: 'creds', key: 'username' } } },
                { name: 'IMAGE', value: '{{workflow.parameters.image}} by $(USER)' },
                { name: 'MODE', valueFrom: { configMapKeyRef: { name: 'conf', key: 'mode', optional: true } } },
                { name: 'POD', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
              ],
              volumeMounts: [{ name: 'src-secret-vol', mountPath: '/secrets/src/' }],
            },
          },
        ],
      },
    } as never);
    client.put(secrets, {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'creds', namespace: 'ns' },
      data: { username: 'YWxpY2U=' },
    } as never);
    await submit({
      workflowTemplateRef: { name: 'copy', clusterScope: true },
      arguments: { parameters: [{ name: 'image', value: 'alpine' }] },
      volumes: [{ name: 'src-secret-vol', secret: { secretName: 'creds' } }],
    });
    await until(() => runner.running().length === 1);
    const [attempt] = runner.running();
    assert.deepEqual(attempt?.env, [
      { name: 'USER', value: 'alice' },
      { name: 'IMAGE', value: 'alpine by alice' },
      { name: 'POD', value: 'wf' },
    ]);
    assert.deepEqual(attempt?.args, ['--user=alice', '$(USER)', '$(NONE)']);
    assert.deepEqual(attempt?.mounts, [{ volume: 'src-secret-vol', mountPath: '/secrets/src', readOnly: false }]);
    const volume = attempt?.volumes['src-secret-vol'];
    assert.ok(volume?.kind === 'files');
    assert.deepEqual(
      volume.files.map((file) => [file.path, Buffer.from(file.content).toString(), file.mode]),
      [['username', 'alice', 0o400]],
    );
    assert.equal(workflow().status?.storedWorkflowTemplateSpec?.templates?.[0]?.name, 'main');
    assert.equal(workflow().metadata.labels?.['workflows.argoproj.io/cluster-workflow-template'], 'copy');
    assert.equal(JSON.stringify(client.requests).includes('alice'), false, 'no secret leaves the engine');
  }));

test('what cannot run is refused before the first step, all of it at once', () =>
  withEngine({ missing: ['skopeo', 'trivy'] }, async ({ submit, workflow, until, runner }) => {
    await submit(
      {
        entrypoint: 'main',
        templates: [
          { name: 'main', steps: [[{ name: 'a', template: 'leaf', withItems: ['x'] }]], dag: { tasks: [{}] } },
          { name: 'leaf', container: { image: 'i', command: ['true'], securityContext: { privileged: true } }, sidecars: [{ name: 's' }] },
        ],
      },
      'refused',
    );
    await until(() => workflow('refused').status?.phase === 'Error');
    const message = workflow('refused').status?.message ?? '';
    for (const part of [
      'template "main" dag',
      'steps[0][0].withItems',
      'template "leaf" sidecars',
      'container.securityContext.privileged',
    ]) {
      assert.ok(message.includes(part), `${part} in ${message}`);
    }
    await submit(
      {
        entrypoint: 'main',
        templates: [
          {
            name: 'main',
            steps: [
              [
                { name: 'a', template: 'pull' },
                { name: 'b', template: 'scan' },
              ],
            ],
          },
          { name: 'pull', container: { image: 'quay.io/skopeo', command: ['skopeo'] } },
          { name: 'scan', container: { image: 'trivy:1', command: ['trivy'], resources: { limits: { cpu: 1 } } } },
        ],
      },
      'lacking',
    );
    await until(() => workflow('lacking').status?.phase === 'Error');
    assert.match(workflow('lacking').status?.message ?? '', /skopeo.*"pull".*trivy.*"scan"/s);
    await submit({ workflowTemplateRef: { name: 'nowhere' } }, 'lost');
    await until(() => workflow('lost').status?.phase === 'Error');
    assert.match(workflow('lost').status?.message ?? '', /workflowtemplates\.argoproj\.io "nowhere" not found/);
    await submit(single({ templates: [{ name: 'main', container: { image: 'i', command: ['{{workflow.parameters.typo}}'] } }] }), 'typo');
    await until(() => workflow('typo').status?.phase === 'Error');
    assert.match(workflow('typo').status?.message ?? '', /\{\{workflow\.parameters\.typo\}\}: the Workflow has no such argument/);
    const malformed = { entrypoint: 'main', templates: [{ name: 'main', container: { image: 'i', command: 'true' } }], volumes: {} };
    await submit(malformed as never, 'malformed');
    await until(() => workflow('malformed').status?.phase === 'Error');
    assert.equal(
      workflow('malformed').status?.message,
      'spec.templates[0].container.command must be a list, not a string; spec.volumes must be a list, not an object',
    );
    assert.deepEqual(runner.host.starts, []);
    assert.equal(workflow('lost').metadata.finalizers, undefined);
  }));

test('fields without effect are listed once, and the workflow runs', () =>
  withEngine({ script: () => ({}) }, async ({ submit, workflow, until }) => {
    await submit(single({ serviceAccountName: 'argo', ttlStrategy: { secondsAfterCompletion: 1 } }));
    await until(() => workflow().status?.phase === 'Succeeded');
    const warning = workflow().status?.conditions?.find((condition) => condition.type === 'SpecWarning');
    assert.match(warning?.message ?? '', /^2 fields have no effect here: .*serviceAccountName.*ttlStrategy/);
  }));

test('a step waits for its Secret and goes on when it is there', () =>
  withEngine({}, async ({ client, clock, submit, workflow, until, runner }) => {
    await submit(
      single({ templates: [{ name: 'main', container: { image: 'i', command: ['x'], envFrom: [{ secretRef: { name: 'late' } }] } }] }),
    );
    await until(() => workflow().status?.nodes?.['wf']?.message === 'secret "late" not found');
    assert.equal(workflow().status?.nodes?.['wf']?.phase, 'Pending');
    client.put(secrets, { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'late', namespace: 'ns' }, data: { k: 'dg==' } } as never);
    await clock.advance(3000);
    await until(() => runner.running().length === 1);
    assert.deepEqual(runner.running()[0]?.env, [{ name: 'k', value: 'v' }]);
    await until(() => workflow().status?.nodes?.['wf']?.message === undefined);
  }));

test('a ConfigMap volume and an argument from a ConfigMap', () =>
  withEngine({}, async ({ client, submit, until, runner }) => {
    client.put(configMaps, {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'conf', namespace: 'ns' },
      data: { mode: 'fast' },
    } as never);
    await submit(
      single({
        arguments: { parameters: [{ name: 'mode', valueFrom: { configMapKeyRef: { name: 'conf', key: 'mode' } } }] },
        volumes: [{ name: 'v', configMap: { name: 'conf', items: [{ key: 'mode', path: 'm' }] } }],
        templates: [
          {
            name: 'main',
            container: { image: 'i', command: ['{{workflow.parameters.mode}}'], volumeMounts: [{ name: 'v', mountPath: '/v' }] },
          },
        ],
      }),
    );
    await until(() => runner.running().length === 1);
    const [attempt] = runner.running();
    assert.deepEqual(attempt?.command, ['fast']);
    const volume = attempt?.volumes['v'];
    assert.ok(volume?.kind === 'files' && volume.files[0]?.path === 'm' && volume.files[0].mode === 0o444);
  }));

test('deleting the Pod of a step ends the step', () =>
  withEngine({}, async ({ client, submit, workflow, until, runner, pod }) => {
    await submit(single());
    await until(() => pod('wf')?.status?.phase === 'Running');
    await client.delete(pods, { namespace: 'ns', name: 'wf' });
    await until(() => workflow().status?.phase === 'Error');
    assert.equal(workflow().status?.message, 'pod deleted');
    await until(() => runner.host.entries.size === 0);
    assert.equal(pod('wf'), undefined);
  }));

test('deleting a Workflow ends its steps before the Workflow is gone', () =>
  withEngine({}, async ({ client, submit, until, runner }) => {
    await submit(single());
    await until(() => runner.running().length === 1);
    await client.delete(workflows, { namespace: 'ns', name: 'wf' });
    await until(() => client.peek(workflows, { namespace: 'ns', name: 'wf' }) === undefined);
    assert.equal(runner.host.entries.size, 0);
    assert.ok(runner.host.removedClaims.length > 0);
  }));

test('a Workflow that is deleted in the moment its last step succeeds says so before it is gone', () =>
  withEngine({}, async ({ client, submit, until, runner }) => {
    await submit(single());
    await until(() => runner.running().length === 1);
    const seen: (string | undefined)[] = [];
    using _seen = client.onRequest(({ verb, type }) => {
      if (verb !== 'update' || type?.plural !== 'workflows') return;
      const { metadata, status } = client.peek<Workflow>(workflows, { namespace: 'ns', name: 'wf' }) ?? {};
      if (metadata?.deletionTimestamp !== undefined) seen.push(status?.phase);
    });
    const deletion = client.delete(workflows, { namespace: 'ns', name: 'wf' });
    runner.end('wf');
    await deletion;
    await until(() => client.peek(workflows, { namespace: 'ns', name: 'wf' }) === undefined);
    assert.equal(seen.at(-1), 'Succeeded', 'when the finalizer is taken away');
    assert.equal(runner.host.entries.size, 0);
  }));

test('at most so many steps run at once, the others wait their turn', () =>
  withEngine({ maxRunningPods: 2 }, async ({ submit, workflow, until, runner }) => {
    const names = ['w1', 'w2', 'w3', 'w4', 'w5'];
    for (const name of names) await submit(single(), name);
    let most = 0;
    await until(() => {
      most = Math.max(most, runner.running().length);
      const [attempt] = runner.running();
      if (
        attempt !== undefined &&
        names.some((name) => workflow(name).status?.nodes?.[name]?.message?.startsWith('waiting for one of 2') === true)
      ) {
        runner.end(attempt.nodeName);
      }
      return runner.running().length === 2 && runner.host.starts.length === 5;
    }, 'all have been started');
    assert.equal(most, 2);
    for (const attempt of runner.running()) runner.end(attempt.nodeName);
    await until(() => names.every((name) => workflow(name).status?.phase === 'Succeeded'));
  }));

test('conflicting and failing writes are planned again, and nothing starts twice', () =>
  withEngine({}, async ({ client, clock, submit, workflow, until, runner }) => {
    let failures = 0;
    using _failing = client.onRequest((request) => {
      if (request.verb !== 'update' || failures >= 4) return;
      failures++;
      if (failures % 2 === 0) throw statusError.internal('the database is away');
      client.put(workflows, { ...workflow(), metadata: { ...workflow().metadata, labels: { touched: String(failures) } } });
    });
    await submit(sequence);
    for (let round = 0; round < 20 && runner.host.starts.length === 0; round++) await clock.advance(200);
    await until(() => runner.running().length === 1);
    runner.end('wf[0].a');
    for (let round = 0; round < 20 && runner.host.starts.length < 2; round++) await clock.advance(200);
    await until(() => runner.running().length === 1 && runner.host.starts.length === 2);
    assert.equal(workflow().metadata.labels?.['touched'], '3');
    runner.end('wf[1].b');
    for (let round = 0; round < 20; round++) await clock.advance(200);
    await until(() => workflow().status?.phase === 'Succeeded');
    assert.equal(new Set(runner.host.starts).size, 2);
    assert.equal(runner.host.starts.length, 2);
  }));

test('a killed engine leaves steps to the next one, which takes them over and starts none twice', async () => {
  const clock = new FakeClock();
  const client = createFakeClient({ kinds: [...coreKinds, ...argoKinds], clock });
  const mortal = mortalClient(client);
  const gone = createScriptedRunner({ now: () => clock.now() });
  void createWorkflowEngine({ client: mortal.client, runner: gone, clock }).run(new AbortController().signal);
  await client.create<Workflow>(workflows, {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'Workflow',
    metadata: { name: 'wf', namespace: 'ns' },
    spec: sequence,
  });
  while (gone.running().length === 0) await new Promise((resolve) => setImmediate(resolve));
  mortal.kill();
  await withEngine({ client, host: gone.host }, async ({ runner, until, workflow }) => {
    assert.equal(runner.running()[0]?.nodeName, 'wf[0].a');
    runner.end('wf[0].a');
    await until(() => runner.running()[0]?.nodeName === 'wf[1].b');
    runner.end('wf[1].b');
    await until(() => workflow().status?.phase === 'Succeeded');
    assert.equal(gone.host.starts.length, 2);
  });
});

test('stopping the engine interrupts steps without failing them; the next engine runs them again', async () => {
  const clock = new FakeClock();
  const client = createFakeClient({ kinds: [...coreKinds, ...argoKinds], clock });
  await withEngine({ client }, async ({ runner, submit, until, stop, workflow }) => {
    await submit(sequence);
    await until(() => runner.running().length === 1);
    await stop();
    const node = Object.values(workflow().status?.nodes ?? {}).find((candidate) => candidate.type === 'Pod');
    assert.equal(node?.phase, 'Pending');
    assert.match(node?.message ?? '', /interrupted/);
    assert.equal(workflow().status?.phase, 'Running');
    assert.equal(runner.host.entries.size, 0);
  });
  await withEngine({ client, script: () => ({}) }, async ({ until, workflow, runner }) => {
    await until(() => workflow().status?.phase === 'Succeeded');
    assert.equal(runner.host.starts.length, 2);
  });
});

test('an engine that leaves its steps running records nothing; the next one with the same runner goes on with them', async () => {
  const clock = new FakeClock();
  const client = createFakeClient({ kinds: [...coreKinds, ...argoKinds], clock });
  const runner = createScriptedRunner({ now: () => clock.now() });
  const stop = new AbortController();
  const first = createWorkflowEngine({ client, runner, clock }).run(stop.signal, { leavesSteps: () => true });
  await client.create<Workflow>(workflows, {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'Workflow',
    metadata: { name: 'wf', namespace: 'ns' },
    spec: single(),
  });
  while (runner.running().length === 0) await new Promise((resolve) => setImmediate(resolve));
  stop.abort();
  await first;
  assert.equal(runner.running().length, 1);
  assert.equal(client.peek<Workflow>(workflows, { namespace: 'ns', name: 'wf' })?.status?.nodes?.['wf']?.phase, 'Running');
  await withEngine({ client, host: runner.host }, async ({ runner: same, until, workflow }) => {
    same.end('wf');
    await until(() => workflow().status?.phase === 'Succeeded');
    assert.equal(same.host.starts.length, 1);
  });
});

const withClaim = (steps: WorkflowSpec): WorkflowSpec => ({
  ...steps,
  volumeClaimTemplates: [
    { metadata: { name: 'work' }, spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } } },
  ],
});

for (const [what, spec, outcome] of [
  ['whose steps share nothing', sequence, 'Succeeded'],
  ['whose steps share a volume', withClaim(sequence), 'Error'],
] as const) {
  test(`a workflow ${what}, taken over from a server that is gone after its first step: ${outcome}`, async () => {
    const clock = new FakeClock();
    const client = createFakeClient({ kinds: [...coreKinds, ...argoKinds], clock });
    const mortal = mortalClient(client);
    const gone = createScriptedRunner({ now: () => clock.now() });
    void createWorkflowEngine({ client: mortal.client, runner: gone, clock, site: 'here' }).run(new AbortController().signal);
    await client.create<Workflow>(workflows, {
      apiVersion: 'argoproj.io/v1alpha1',
      kind: 'Workflow',
      metadata: { name: 'wf', namespace: 'ns' },
      spec,
    });
    const runs = (node: string): boolean => gone.running()[0]?.nodeName === node;
    while (!runs('wf[0].a')) await new Promise((resolve) => setImmediate(resolve));
    gone.end('wf[0].a');
    while (!runs('wf[1].b')) await new Promise((resolve) => setImmediate(resolve));
    mortal.kill();
    await withEngine({ client, site: 'there', script: () => ({}) }, async ({ runner, until, workflow }) => {
      await until(() => workflow().status?.phase === outcome);
      const started = runner.host.starts.length;
      assert.equal(started, outcome === 'Succeeded' ? 1 : 0, 'the step that was running is started again, and no other');
      if (outcome === 'Error') assert.match(workflow().status?.message ?? '', /the files its steps share are on here/);
    });
  });
}

test('steps that another server runs now are ended and forgotten', async () => {
  const clock = new FakeClock();
  const client = createFakeClient({ kinds: [...coreKinds, ...argoKinds], clock });
  await withEngine({ client }, async ({ runner, submit, until }) => {
    await submit(single());
    await until(() => runner.running().length === 1);
    const orphans = createScriptedRunner({ now: () => clock.now(), host: runner.host });
    assert.equal(await endSteps(orphans, { message: 'another server runs it now', forget: true }), 1);
    assert.equal(runner.host.entries.size, 0);
  });
});

test('a step recorded as running that was never started is started', async () => {
  const clock = new FakeClock();
  const client = createFakeClient({ kinds: [...coreKinds, ...argoKinds], clock });
  await withEngine({ client }, async ({ runner, submit, until }) => {
    await submit(single());
    await until(() => runner.running().length === 1);
    const recorded = structuredClone(client.peek<Workflow>(workflows, { namespace: 'ns', name: 'wf' }));
    assert.ok(recorded);
    runner.host.entries.clear();
    assert.equal(recorded.status?.nodes?.['wf']?.phase, 'Running');
  });
  await withEngine({ client }, async ({ runner, until }) => {
    await until(() => runner.running().length === 1);
  });
});

test('steps of workflows that no longer exist are ended at the start', async () => {
  const clock = new FakeClock();
  const orphan = createScriptedRunner({ now: () => clock.now() });
  const client = createFakeClient({ kinds: [...coreKinds, ...argoKinds], clock });
  await withEngine({ client, host: orphan.host }, async ({ runner, submit, until }) => {
    await submit(single());
    await until(() => runner.running().length === 1);
    const [attempt] = runner.running();
    assert.ok(attempt);
    await runner.start({ ...attempt, workflowUid: 'gone' });
    assert.equal(runner.running().length, 2);
    await withEngine({ client: createFakeClient({ kinds: [...coreKinds, ...argoKinds], clock }), host: orphan.host }, async (next) => {
      await next.until(() => next.runner.host.entries.size === 0);
    });
  });
});

test('progress of a running step shows in the workflow', () =>
  withEngine({}, async ({ submit, workflow, until, runner }) => {
    await submit(single());
    await until(() => runner.running().length === 1);
    runner.progress('wf', '5/10');
    await until(() => workflow().status?.progress === '5/10');
  }));

test('workflows of another controller are left alone', () =>
  withEngine({}, async ({ client, submit, until, workflow }) => {
    await client.create<Workflow>(workflows, {
      apiVersion: 'argoproj.io/v1alpha1',
      kind: 'Workflow',
      metadata: { name: 'theirs', namespace: 'ns', labels: { 'workflows.argoproj.io/controller-instanceid': 'x' } },
      spec: single(),
    });
    await submit(single());
    await until(() => workflow().status?.phase === 'Running');
    assert.equal(workflow('theirs').status, undefined);
  }));

test('a CronWorkflow runs when it is due, and its steps are told for which time', async () => {
  const clock = new FakeClock(Date.parse('2026-01-01T00:58:00Z'));
  const client = createFakeClient({ kinds: [...coreKinds, ...argoKinds], clock });
  const told: (readonly string[])[] = [];
  const script: StepScript = (attempt) => {
    told.push(attempt.args);
    return {};
  };
  await withEngine({ client, clock, script }, async ({ until, workflow }) => {
    await client.create<CronWorkflow>(cronWorkflows, {
      apiVersion: 'argoproj.io/v1alpha1',
      kind: 'CronWorkflow',
      metadata: { name: 'hourly', namespace: 'ns' },
      spec: {
        schedules: ['0 * * * *'],
        timezone: 'UTC',
        workflowSpec: {
          entrypoint: 'main',
          templates: [{ name: 'main', container: { image: 'busybox', command: ['echo'], args: ['{{workflow.scheduledTime}}'] } }],
        },
      },
    });
    await clock.advance(2 * 60_000);
    const cron = (): CronWorkflow | undefined => client.peek<CronWorkflow>(cronWorkflows, { namespace: 'ns', name: 'hourly' });
    await until(() => cron()?.status?.succeeded === 1, 'the run is counted');
    assert.equal(workflow('hourly-1767229200').status?.phase, 'Succeeded');
    assert.deepEqual(told, [['2026-01-01T01:00:00Z']]);
    assert.deepEqual([cron()?.status?.active, cron()?.status?.nextScheduledTime], [[], '2026-01-01T02:00:00Z']);
  });
});
