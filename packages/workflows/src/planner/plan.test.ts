import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Template, WorkflowSpec, WorkflowStatus } from '@arc/api/argo';
import type { AttemptResult, Observation } from '../runner/runner.ts';
import { nodeIdOf } from '../model/node-names.ts';
import { plan } from './plan.ts';
import type { Plan } from './plan.ts';
import { startNode } from './pod.ts';

const start = Date.parse('2026-01-01T00:00:00Z');
const identity = { name: 'wf', namespace: 'ns', uid: 'u1', creationTimestamp: '2026-01-01T00:00:00Z' };

/** Drives the planner as the engine does, with outcomes given by the test. */
class Run {
  status: WorkflowStatus = {};
  now = start;
  readonly observations = new Map<string, Observation>();
  readonly spec: WorkflowSpec;
  last: Plan;

  constructor(spec: WorkflowSpec) {
    this.spec = spec;
    this.last = this.plan();
  }

  plan(): Plan {
    this.last = plan({ workflow: identity, spec: this.spec, status: this.status, observations: this.observations, now: this.now });
    this.status = this.last.status;
    return this.last;
  }

  /** Plans, then takes every start action as carried out. */
  step(): readonly string[] {
    const { actions } = this.plan();
    const started: string[] = [];
    for (const action of actions) {
      if (action.type !== 'start') continue;
      const node = this.status.nodes?.[action.pod.nodeId];
      assert.ok(node);
      startNode(node, this.now);
      this.observations.set(action.pod.nodeId, { state: 'running', startedAt: this.now });
      started.push(action.pod.nodeName);
    }
    return started;
  }

  end(nodeName: string, result: Partial<AttemptResult> = {}): void {
    this.observations.set(nodeIdOf('wf', nodeName), {
      state: 'ended',
      result: { startedAt: this.now, finishedAt: this.now, exitCode: 0, outputs: {}, ...result },
    });
  }

  node(name: string) {
    return this.status.nodes?.[nodeIdOf('wf', name)];
  }
}

const pod = (name: string, extra: Partial<Template> = {}): Template => ({ name, container: { image: 'i', command: ['true'] }, ...extra });

test('node ids, names, display names, boundaries, children and outbound nodes are Argo’s (1.9)', () => {
  const run = new Run({
    entrypoint: 'main',
    templates: [
      {
        name: 'main',
        steps: [
          [
            { name: 'a', template: 'leaf' },
            { name: 'b', template: 'leaf' },
          ],
          [{ name: 'c', template: 'leaf' }],
        ],
      },
      pod('leaf'),
    ],
  });
  assert.deepEqual(run.step(), ['wf[0].a', 'wf[0].b']);
  assert.equal(nodeIdOf('wf', 'wf[0].a'), 'wf-3986212215');
  run.end('wf[0].a');
  assert.deepEqual(run.step(), []);
  run.end('wf[0].b');
  assert.deepEqual(run.step(), ['wf[1].c']);
  run.end('wf[1].c');
  run.step();
  assert.equal(run.status.phase, 'Succeeded');
  assert.equal(run.status.progress, '3/3');
  const [a, b, c, g0, g1] = ['wf[0].a', 'wf[0].b', 'wf[1].c', 'wf[0]', 'wf[1]'].map((name) => run.node(name));
  assert.deepEqual([a?.displayName, g0?.displayName, a?.type, g0?.type], ['a', '[0]', 'Pod', 'StepGroup']);
  assert.deepEqual(run.node('wf')?.children, [g0?.id]);
  assert.deepEqual(g0?.children, [a?.id, b?.id]);
  assert.deepEqual(a?.children, [g1?.id]);
  assert.deepEqual(b?.children, [g1?.id]);
  assert.deepEqual(run.node('wf')?.outboundNodes, [c?.id]);
  assert.equal(a?.boundaryID, 'wf');
  assert.equal(run.node('wf')?.boundaryID, undefined);
});

test('a failed step fails its group and the steps node with Argo’s messages; siblings run to their end', () => {
  const run = new Run({
    entrypoint: 'main',
    templates: [
      {
        name: 'main',
        steps: [
          [
            { name: 'a', template: 'leaf' },
            { name: 'b', template: 'leaf' },
          ],
          [{ name: 'never', template: 'leaf' }],
        ],
      },
      pod('leaf'),
    ],
  });
  run.step();
  run.end('wf[0].a', { exitCode: 3 });
  run.step();
  assert.equal(run.status.phase, 'Running');
  run.end('wf[0].b');
  run.step();
  assert.equal(run.status.phase, 'Failed');
  assert.equal(run.node('wf[0].a')?.message, 'main: Error (exit code 3)');
  assert.equal(run.node('wf[0].a')?.outputs?.exitCode, '3');
  assert.equal(run.status.message, `child '${nodeIdOf('wf', 'wf[0].a')}' failed`);
  assert.equal(run.node('wf[1]'), undefined);
  assert.deepEqual(
    run.status.conditions?.map(({ type, status }) => [type, status]),
    [
      ['Completed', 'True'],
      ['PodRunning', 'False'],
    ],
  );
});

test('continueOn.failed lets the workflow go on', () => {
  const run = new Run({
    entrypoint: 'main',
    templates: [
      { name: 'main', steps: [[{ name: 'a', template: 'leaf', continueOn: { failed: true } }], [{ name: 'b', template: 'say' }]] },
      pod('leaf'),
      pod('say'),
    ],
  });
  run.step();
  run.end('wf[0].a', { exitCode: 1 });
  assert.deepEqual(run.step(), ['wf[1].b']);
});

test('when: false skips, a broken expression is an Error and fails the steps before any sibling starts (1.5)', () => {
  const spec = (when: string): WorkflowSpec => ({
    entrypoint: 'main',
    arguments: {
      parameters: [
        { name: 'type', value: 'oci' },
        { name: 'host', value: 'docker.io' },
      ],
    },
    templates: [
      {
        name: 'main',
        steps: [
          [
            { name: 'x', template: 'leaf' },
            { name: 'a', template: 'leaf', when },
          ],
        ],
      },
      pod('leaf'),
    ],
  });
  const skipped = new Run(spec('{{workflow.parameters.type}} == helm'));
  assert.equal(skipped.node('wf[0].a')?.phase, 'Skipped');
  assert.equal(skipped.node('wf[0].a')?.message, "when 'oci == helm' evaluated false");
  const broken = new Run(spec('{{workflow.parameters.host}} == docker.io'));
  assert.equal(broken.node('wf[0].a')?.phase, 'Error');
  assert.equal(broken.status.phase, 'Failed');
  assert.match(broken.status.message ?? '', /Invalid 'when' expression 'docker.io == docker.io'/);
  assert.deepEqual(broken.last.actions, []);
});

test('parameters reach inputs, defaults apply, outputs flow to later steps and to the globals', () => {
  const run = new Run({
    entrypoint: 'main',
    arguments: { parameters: [{ name: 'image', value: 'a "quoted" $(x)\n' }] },
    templates: [
      {
        name: 'main',
        outputs: { parameters: [{ name: 'size', valueFrom: { parameter: '{{steps.pull.outputs.parameters.size}}' } }] },
        steps: [
          [{ name: 'pull', template: 'pull', arguments: { parameters: [{ name: 'ref', value: '{{workflow.parameters.image}}' }] } }],
          [
            {
              name: 'push',
              template: 'push',
              arguments: { parameters: [{ name: 'size', value: '{{steps.pull.outputs.parameters.size}}' }] },
            },
          ],
        ],
      },
      pod('pull', {
        inputs: { parameters: [{ name: 'ref' }, { name: 'retries', value: 3 }] },
        outputs: { parameters: [{ name: 'size', globalName: 'arc-receipt', valueFrom: { path: '/tmp/{{inputs.parameters.retries}}' } }] },
        container: {
          image: 'i',
          command: ['pull'],
          args: ['{{inputs.parameters.ref}}', '{{outputs.parameters.size.path}}', '{{ user.name }}'],
        },
      }),
      pod('push', {
        inputs: { parameters: [{ name: 'size' }] },
        container: { image: 'i', command: ['push', '{{inputs.parameters.size}}', '{{workflow.outputs.parameters.arc-receipt}}'] },
      }),
    ],
  });
  const first = run.last.actions[0];
  assert.ok(first?.type === 'start');
  assert.deepEqual(first.pod.template.container?.args, ['a "quoted" $(x)\n', '/tmp/3', '{{ user.name }}']);
  assert.equal(first.pod.template.outputs?.parameters?.[0]?.valueFrom?.path, '/tmp/3');
  run.step();
  run.end('wf[0].pull', { outputs: { size: '42' } });
  const second = run.plan().actions[0];
  assert.ok(second?.type === 'start');
  assert.deepEqual(second.pod.template.container?.command, ['push', '42', '42']);
  assert.deepEqual(run.status.outputs?.parameters, [{ name: 'arc-receipt', value: '42' }]);
  run.step();
  run.end('wf[1].push');
  run.step();
  assert.equal(run.status.phase, 'Succeeded');
  assert.equal(run.node('wf')?.outputs?.parameters?.[0]?.value, '42');
});

test('a missing input, an unresolved name and a missing output file are Errors that say so', () => {
  const missing = new Run({ entrypoint: 'main', templates: [pod('main', { inputs: { parameters: [{ name: 'x' }] } })] });
  assert.deepEqual([missing.status.phase, missing.status.message], ['Error', 'inputs.parameters.x had no value']);
  const unresolved = new Run({
    entrypoint: 'main',
    templates: [pod('main', { container: { image: 'i', command: ['{{workflow.parameters.typo}}'] } })],
  });
  assert.deepEqual([unresolved.status.phase, unresolved.status.message], ['Error', 'failed to resolve {{workflow.parameters.typo}}']);
  const output = new Run({
    entrypoint: 'main',
    templates: [pod('main', { outputs: { parameters: [{ name: 'o', valueFrom: { path: '/tmp/o' } }] } })],
  });
  output.step();
  output.end('wf');
  output.step();
  assert.equal(output.status.phase, 'Error');
  assert.match(output.status.message ?? '', /left no file \/tmp\/o/);
});

test('retries: limit counts extra attempts, the wait grows, the last message says why it ended (1.7)', () => {
  const run = new Run({
    entrypoint: 'main',
    templates: [
      pod('main', {
        retryStrategy: { limit: '2', backoff: { duration: '10', factor: 2 } },
        container: { image: 'i', command: ['try', '{{retries}}', '{{lastRetry.exitCode}}'] },
      }),
    ],
  });
  assert.deepEqual(run.step(), ['wf(0)']);
  run.end('wf(0)', { exitCode: 7 });
  assert.deepEqual(run.step(), []);
  assert.equal(run.last.wakeAt, start + 10_000);
  assert.equal(run.node('wf')?.message, 'Backoff for 10 seconds');
  run.now += 10_000;
  const again = run.plan().actions[0];
  assert.ok(again?.type === 'start');
  assert.deepEqual(again.pod.template.container?.command, ['try', '1', '7']);
  run.step();
  run.end('wf(1)', { exitCode: 1 });
  run.step();
  assert.equal(run.last.wakeAt, run.now + 20_000);
  run.now += 20_000;
  assert.deepEqual(run.step(), ['wf(2)']);
  run.end('wf(2)', { exitCode: 1 });
  run.step();
  assert.deepEqual([run.status.phase, run.status.message], ['Failed', 'No more retries left']);
  assert.equal(run.node('wf(2)')?.nodeFlag?.retried, true);
});

test('OnFailure does not retry an Error; a success ends the retries', () => {
  const strategy = { limit: 5 };
  const error = new Run({ entrypoint: 'main', templates: [pod('main', { retryStrategy: strategy })] });
  error.step();
  error.end('wf(0)', { error: 'volume gone' });
  error.step();
  assert.deepEqual([error.status.phase, error.status.message], ['Error', 'volume gone']);
  const success = new Run({ entrypoint: 'main', templates: [pod('main', { retryStrategy: strategy })] });
  success.step();
  success.end('wf(0)', { exitCode: 1 });
  assert.deepEqual(success.step(), ['wf(1)']);
  success.end('wf(1)');
  success.step();
  assert.equal(success.status.phase, 'Succeeded');
});

test('deadlines stop running steps, and their nodes fail only when the step is dead', () => {
  const run = new Run({ entrypoint: 'main', activeDeadlineSeconds: 60, templates: [pod('main')] });
  run.step();
  assert.equal(run.plan().wakeAt, start + 60_999);
  run.now += 60_999;
  assert.deepEqual(run.plan().actions, [
    { type: 'stop', nodeId: 'wf', reason: { phase: 'Failed', message: 'Step exceeded its deadline' } },
  ]);
  assert.equal(run.node('wf')?.phase, 'Running');
  run.end('wf', { exitCode: 143, stopped: { phase: 'Failed', message: 'Step exceeded its deadline' } });
  run.plan();
  assert.deepEqual([run.status.phase, run.status.message], ['Failed', 'Step exceeded its deadline']);
});

test('a retried template past its deadline is not tried again', () => {
  const run = new Run({ entrypoint: 'main', templates: [pod('main', { timeout: '5s', retryStrategy: { retryPolicy: 'Always' } })] });
  run.step();
  run.now += 5999;
  run.end('wf(0)', { exitCode: 1 });
  run.step();
  assert.deepEqual([run.status.phase, run.status.message], ['Failed', 'Step exceeded its deadline']);
});

test('shutdown stops what runs and starts nothing more', () => {
  const run = new Run({
    entrypoint: 'main',
    templates: [{ name: 'main', steps: [[{ name: 'a', template: 'l' }], [{ name: 'b', template: 'l' }]] }, pod('l')],
  });
  run.step();
  Object.assign(run.spec, { shutdown: 'Terminate' });
  const [action] = run.plan().actions;
  assert.equal(action?.type, 'stop');
  run.end('wf[0].a', { exitCode: 0 });
  assert.deepEqual(run.step(), []);
  assert.deepEqual([run.status.phase, run.status.message], ['Failed', "Stopped with strategy 'Terminate'"]);
});

test('an interrupted or lost attempt runs again and is no failure; one that keeps vanishing is an Error', () => {
  const run = new Run({ entrypoint: 'main', templates: [pod('main')] });
  run.step();
  run.end('wf', { exitCode: 143, stopped: { phase: 'Pending', message: 'interrupted' } });
  assert.equal(run.plan().actions[0]?.type, 'start');
  assert.equal(run.node('wf')?.phase, 'Pending');
  run.observations.delete('wf');
  run.step();
  run.observations.set('wf', { state: 'lost', startedAt: start, runs: 1 });
  assert.equal(run.plan().actions[0]?.type, 'start');
  run.observations.set('wf', { state: 'absent' });
  assert.equal(run.plan().actions[0]?.type, 'start');
  run.observations.set('wf', { state: 'lost', startedAt: start, runs: 5 });
  run.plan();
  assert.equal(run.status.phase, 'Error');
});

test('progress is summed over the pods, a pod’s own comes from its file', () => {
  const run = new Run({
    entrypoint: 'main',
    templates: [
      {
        name: 'main',
        steps: [
          [
            { name: 'a', template: 'l' },
            { name: 'b', template: 'l' },
          ],
        ],
      },
      pod('l'),
    ],
  });
  run.step();
  run.observations.set(nodeIdOf('wf', 'wf[0].a'), { state: 'running', startedAt: start, progress: '512/2048' });
  run.plan();
  assert.equal(run.status.progress, '512/2049');
  assert.equal(run.node('wf')?.progress, '512/2049');
});

test('the output of a skipped step is absent: the input’s default applies, else the error names it (1.3)', () => {
  const spec = (inputs: Template['inputs']): WorkflowSpec => ({
    entrypoint: 'main',
    templates: [
      {
        name: 'main',
        steps: [
          [{ name: 'a', template: 'l', when: 'false' }],
          [{ name: 'b', template: 'use', arguments: { parameters: [{ name: 'v', value: '{{steps.a.outputs.result}}' }] } }],
        ],
      },
      pod('l'),
      pod('use', { ...(inputs !== undefined && { inputs }) }),
    ],
  });
  const withDefault = new Run(spec({ parameters: [{ name: 'v', default: 'none' }] }));
  assert.deepEqual(withDefault.step(), ['wf[1].b']);
  assert.equal(withDefault.node('wf[1].b')?.inputs?.parameters?.[0]?.value, 'none');
  const without = new Run(spec({ parameters: [{ name: 'v' }] }));
  assert.equal(without.status.phase, 'Failed');
  assert.match(without.status.message ?? '', /inputs.parameters.v had no value/);
});

test('a suspended workflow starts nothing; a suspend template ends after its duration or by hand', () => {
  const held = new Run({ entrypoint: 'main', suspend: true, templates: [pod('main')] });
  assert.deepEqual([held.status.phase, held.last.actions], ['Running', []]);
  const run = new Run({ entrypoint: 'main', templates: [{ name: 'main', suspend: { duration: '20' } }] });
  assert.equal(run.last.wakeAt, start + 20_000);
  run.now += 20_000;
  run.plan();
  assert.equal(run.status.phase, 'Succeeded');
});

test('templates that call themselves end in an Error instead of without end', () => {
  const run = new Run({
    entrypoint: 'main',
    templates: [
      {
        name: 'main',
        steps: [
          [
            { name: 'a', template: 'main' },
            { name: 'b', template: 'main' },
          ],
        ],
      },
    ],
  });
  assert.equal(run.status.phase, 'Error');
  assert.match(run.status.message ?? '', /more than 10000 nodes/);
});
