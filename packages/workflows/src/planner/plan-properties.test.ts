import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import type { NodeStatus, Template, WorkflowSpec, WorkflowStatus, WorkflowStep } from '@arc/api/argo';
import type { AttemptResult, Observation } from '../runner/runner.ts';
import { isCompleted, plan } from './plan.ts';
import { isFulfilled } from './planning.ts';
import { startNode } from './pod.ts';

const identity = { name: 'wf', namespace: 'ns', uid: 'u1' };

const retryStrategy = fc.option(
  fc.record({
    limit: fc.integer({ min: 0, max: 2 }),
    retryPolicy: fc.constantFrom('Always' as const, 'OnFailure' as const, 'OnError' as const),
    backoff: fc.record({ duration: fc.constantFrom('0', '5', '1m') }),
  }),
  { nil: undefined },
);

const leaf = (name: string): fc.Arbitrary<Template> =>
  fc.record({ retry: retryStrategy, timeout: fc.option(fc.constantFrom('3s', '1h'), { nil: undefined }) }).map(({ retry, timeout }) => ({
    name,
    container: { image: 'i', command: ['run', '{{retries}}'].slice(0, retry === undefined ? 1 : 2) },
    ...(retry !== undefined && { retryStrategy: retry }),
    ...(timeout !== undefined && { timeout }),
  }));

const step = (name: string, templates: readonly string[]): fc.Arbitrary<WorkflowStep> =>
  fc
    .record({
      template: fc.constantFrom(...templates),
      when: fc.constantFrom(undefined, 'true', 'a == b', 'broken ==', "{{workflow.name}} == 'wf'"),
      failed: fc.boolean(),
      error: fc.boolean(),
    })
    .map(({ template, when, failed, error }) => ({ name, template, continueOn: { failed, error }, ...(when !== undefined && { when }) }));

const stepsTemplate = (name: string, templates: readonly string[]): fc.Arbitrary<Template> =>
  fc
    .array(fc.integer({ min: 1, max: 3 }), { minLength: 1, maxLength: 3 })
    .chain((groups) =>
      fc.record({
        steps: fc.tuple(
          ...groups.map((size, group) => fc.tuple(...Array.from({ length: size }, (_, index) => step(`s${group}-${index}`, templates)))),
        ),
        retry: retryStrategy,
      }),
    )
    .map(({ steps, retry }) => ({ name, steps, ...(retry !== undefined && { retryStrategy: retry }) }));

const spec: fc.Arbitrary<WorkflowSpec> = fc
  .tuple(stepsTemplate('main', ['inner', 'l1', 'l2']), stepsTemplate('inner', ['l1', 'l2']), leaf('l1'), leaf('l2'))
  .map((templates) => ({ entrypoint: 'main', templates }));

/** What happens next to a running attempt, and how much time passes before it does. */
const event = fc.record({
  pick: fc.nat(),
  ms: fc.nat(20_000),
  outcome: fc.constantFrom('ok', 'ok', 'ok', 'fail', 'error', 'lost', 'interrupted', 'progress'),
});

const outcomes: Readonly<Record<string, (now: number) => Observation>> = {
  ok: (now) => ended(now, {}),
  fail: (now) => ended(now, { exitCode: 1 }),
  error: (now) => ended(now, { error: 'no' }),
  lost: (now) => ({ state: 'lost', startedAt: now, runs: 1 }),
  interrupted: (now) => ended(now, { exitCode: 143, stopped: { phase: 'Pending', message: 'interrupted' } }),
  progress: (now) => ({ state: 'running', startedAt: now, progress: '1/3' }),
};

function ended(now: number, result: Partial<AttemptResult>): Observation {
  return { state: 'ended', result: { startedAt: now, finishedAt: now, exitCode: 0, outputs: {}, ...result } };
}

function runningStarts(nodes: Readonly<Record<string, NodeStatus>>, name: string): number {
  return Object.values(nodes).filter((node) => node.type === 'Pod' && node.phase === 'Running' && node.name === name).length;
}

test('planning is deterministic, settles at once, never runs two attempts of one step and ends', () => {
  fc.assert(
    fc.property(spec, fc.array(event, { maxLength: 40 }), (workflow, events) => {
      let status: WorkflowStatus = {};
      let now = Date.parse('2026-01-01T00:00:00Z');
      const observations = new Map<string, Observation>();
      const decide = (): void => {
        const input = { workflow: identity, spec: workflow, observations, now };
        const before = structuredClone(status);
        const first = plan({ ...input, status });
        assert.deepEqual(status, before, 'the input is not changed');
        assert.deepEqual(plan({ ...input, status }), first, 'same input, same plan');
        const again = plan({ ...input, status: first.status });
        assert.deepEqual(again, first, 'planning again without news changes nothing');
        status = first.status;
        for (const action of first.actions) {
          if (action.type === 'stop') {
            observations.set(action.nodeId, ended(now, { exitCode: 143, stopped: action.reason }));
            continue;
          }
          const node = status.nodes?.[action.pod.nodeId];
          assert.ok(node !== undefined && node.phase === 'Pending', 'only Pending nodes start');
          startNode(node, now);
          assert.equal(runningStarts(status.nodes ?? {}, node.name), 1);
          observations.set(node.id, { state: 'running', startedAt: now });
        }
        for (const retry of Object.values(status.nodes ?? {}).filter((node) => node.type === 'Retry')) {
          const alive = (retry.children ?? []).filter((id) => !isFulfilled(status.nodes?.[id]?.phase));
          assert.ok(alive.length <= 1, 'one attempt of a retried step at a time');
        }
      };
      decide();
      for (const { pick, ms, outcome } of events) {
        now += ms;
        const running = runningIds(status);
        const chosen = running[pick % Math.max(1, running.length)];
        if (chosen !== undefined) observations.set(chosen, outcomes[outcome]?.(now) ?? { state: 'absent' });
        decide();
      }
      for (let round = 0; !isCompleted(status.phase); round++) {
        assert.ok(round < 500, 'the workflow ends when every step ends');
        now += 60_000;
        for (const id of runningIds(status)) observations.set(id, ended(now, {}));
        decide();
      }
      assert.deepEqual(runningIds(status), [], 'nothing runs when the workflow has ended');
      assert.deepEqual(plan({ workflow: identity, spec: workflow, observations, now: now + 1e6, status }).actions, []);
    }),
    { numRuns: 300 },
  );
});

function runningIds(status: WorkflowStatus): readonly string[] {
  return Object.values(status.nodes ?? {})
    .filter((node) => node.type === 'Pod' && node.phase === 'Running')
    .map((node) => node.id);
}
