import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CronWorkflow, CronWorkflowSpec, Workflow } from '@arc/api/argo';
import { argoKinds, cronWorkflows, workflows } from '@arc/api/argo';
import { coreKinds } from '@arc/api/core';
import { failure } from '@arc/apimachinery';
import { FakeClock, silentLogger } from '@arc/kernel';
import { createInformer } from '@arc/kube-client';
import { createFakeClient } from '@arc/kube-client/fake';
import type { FakeClient } from '@arc/kube-client/fake';
import { mortalClient } from '../../test/fixtures/mortal-client.ts';
import { createCronScheduler, cronWorkflowOf } from './cron-scheduler.ts';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const ref = (name: string) => ({ namespace: 'ns', name });

/** A server on a clock that moves only here, and schedulers that come and go. */
class Scene implements AsyncDisposable {
  readonly clock: FakeClock;
  readonly client: FakeClient;
  #stop: (() => Promise<void>) | undefined;
  #kill: (() => void) | undefined;

  constructor(start = '2026-01-01T00:00:00Z') {
    this.clock = new FakeClock(Date.parse(start));
    this.client = createFakeClient({ kinds: [...coreKinds, ...argoKinds], clock: this.clock });
  }

  async start(): Promise<void> {
    const { client, kill } = mortalClient(this.client);
    const { clock } = this;
    const informer = createInformer<Workflow>(client, workflows, { clock, indexes: { cronWorkflow: cronWorkflowOf } });
    const abort = new AbortController();
    const ready = Promise.withResolvers<void>();
    const watching = informer.run(abort.signal);
    const running = createCronScheduler({ client, workflows: informer, clock, logger: silentLogger }).run(abort.signal, {
      onReady: ready.resolve,
    });
    await ready.promise;
    this.#stop = async () => {
      abort.abort();
      await Promise.all([running, watching]);
    };
    this.#kill = kill;
    await this.pass(0);
  }

  async stop(): Promise<void> {
    await this.#stop?.();
    this.#stop = undefined;
  }

  /** As `kill -9`: whatever it was about to do, it does not. */
  kill(): void {
    this.#kill?.();
    this.#stop = undefined;
  }

  async pass(ms: number): Promise<void> {
    await this.clock.advance(ms);
    for (let turn = 0; turn < 60; turn++) await this.clock.advance(0);
  }

  async create(spec: Partial<CronWorkflowSpec> & Record<string, unknown>, name = 'cron'): Promise<void> {
    const cron: CronWorkflow = {
      apiVersion: 'argoproj.io/v1alpha1',
      kind: 'CronWorkflow',
      metadata: { name, namespace: 'ns', labels: { 'workflows.argoproj.io/creator': 'me' } },
      spec: { timezone: 'UTC', workflowSpec: { entrypoint: 'main' }, ...spec },
    };
    await this.client.create(cronWorkflows, cron);
    await this.pass(0);
  }

  async change(spec: object, name = 'cron'): Promise<void> {
    await this.client.patch(cronWorkflows, ref(name), { spec });
    await this.pass(0);
  }

  cron(name = 'cron'): CronWorkflow {
    const found = this.client.peek<CronWorkflow>(cronWorkflows, ref(name));
    assert.ok(found);
    return found;
  }

  /** The scheduled times of the runs there are. */
  times(): string[] {
    return this.client
      .peekAll<Workflow>(workflows)
      .map(({ metadata }) => metadata.annotations?.['workflows.argoproj.io/scheduled-time'] ?? '')
      .sort();
  }

  /** Every run that was ever made, by name. */
  created(): string[] {
    return this.client.requests.filter(({ verb, type }) => verb === 'create' && type?.kind === 'Workflow').map(({ name = '' }) => name);
  }

  async end(time: string, phase: 'Succeeded' | 'Failed' = 'Succeeded'): Promise<void> {
    const name = `cron-${Date.parse(time) / 1000}`;
    const run = this.client.peek<Workflow>(workflows, ref(name));
    assert.ok(run, name);
    const finishedAt = new Date(this.clock.now()).toISOString().replace('.000', '');
    this.client.put(workflows, { ...run, status: { ...run.status, phase, finishedAt } } as Workflow);
    await this.pass(0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}

async function started(spec: Partial<CronWorkflowSpec> & Record<string, unknown>, start?: string): Promise<Scene> {
  const scene = new Scene(start);
  await scene.start();
  await scene.create(spec);
  return scene;
}

test('a run is what Argo makes of it: name, labels, scheduled time, owner; the status says what was and what comes', async () => {
  await using scene = await started({
    schedules: ['0 * * * *'],
    workflowMetadata: { labels: { team: 'a' }, annotations: { note: 'b' } },
  });
  assert.equal(scene.cron().status?.nextScheduledTime, '2026-01-01T01:00:00Z');
  await scene.pass(hourMs);
  const run = scene.client.peek<Workflow>(workflows, ref('cron-1767229200'));
  const { labels, annotations, ownerReferences } = run?.metadata ?? {};
  assert.deepEqual(labels, { team: 'a', 'workflows.argoproj.io/creator': 'me', 'workflows.argoproj.io/cron-workflow': 'cron' });
  assert.deepEqual(annotations, { note: 'b', 'workflows.argoproj.io/scheduled-time': '2026-01-01T01:00:00Z' });
  assert.deepEqual(
    ownerReferences?.map(({ kind, name, uid, controller }) => [kind, name, uid, controller]),
    [['CronWorkflow', 'cron', scene.cron().metadata.uid, true]],
  );
  assert.deepEqual(run?.spec, { entrypoint: 'main' });
  const { active, ...status } = scene.cron().status ?? {};
  assert.deepEqual(
    active?.map(({ name }) => name),
    ['cron-1767229200'],
  );
  assert.deepEqual(status, {
    phase: 'Active',
    succeeded: 0,
    failed: 0,
    lastScheduledTime: '2026-01-01T01:00:00Z',
    nextScheduledTime: '2026-01-01T02:00:00Z',
  });
  await scene.end('2026-01-01T01:00:00Z');
  assert.deepEqual([scene.cron().status?.active, scene.cron().status?.succeeded], [[], 1]);
});

test('several schedules, with and without a zone of their own, make one run a time', async () => {
  await using scene = await started({
    timezone: '',
    schedules: ['TZ=UTC 0 3 * * *', 'CRON_TZ=Asia/Tokyo 0 12 * * *', 'TZ=UTC 30 3 * * *'],
  });
  await scene.pass(24 * hourMs);
  assert.deepEqual(scene.times(), ['2026-01-01T03:00:00Z', '2026-01-01T03:30:00Z']);
});

test('summer time: a skipped time does not come, a repeated one comes twice', async () => {
  await using spring = await started({ schedules: ['30 2 * * *'], timezone: 'Europe/Berlin' }, '2026-03-28T00:00:00Z');
  await spring.pass(60 * hourMs);
  assert.deepEqual(spring.times(), ['2026-03-28T01:30:00Z', '2026-03-30T00:30:00Z']);
  await using autumn = await started({ schedules: ['30 2 * * *'], timezone: 'Europe/Berlin' }, '2026-10-25T00:00:00Z');
  await autumn.pass(4 * hourMs);
  assert.deepEqual(autumn.times(), ['2026-10-25T00:30:00Z', '2026-10-25T01:30:00Z']);
});

test('Allow starts beside what runs, Forbid does not, Replace ends it first', async () => {
  await using allow = await started({ schedules: ['0 * * * *'] });
  await allow.pass(2 * hourMs);
  assert.equal(allow.cron().status?.active?.length, 2);

  await using forbid = await started({ schedules: ['0 * * * *'], concurrencyPolicy: 'Forbid' });
  await forbid.pass(2 * hourMs + minuteMs);
  await forbid.end('2026-01-01T01:00:00Z');
  assert.deepEqual(forbid.times(), ['2026-01-01T01:00:00Z'], 'what was left out is not made up for');
  await forbid.pass(hourMs);
  assert.deepEqual(forbid.times(), ['2026-01-01T01:00:00Z', '2026-01-01T03:00:00Z']);

  await using replace = await started({ schedules: ['0 * * * *'], concurrencyPolicy: 'Replace' });
  await replace.pass(2 * hourMs);
  const old = replace.client.peek<Workflow>(workflows, ref('cron-1767229200'));
  assert.equal(old?.spec.shutdown, 'Terminate');
  assert.deepEqual(replace.times(), ['2026-01-01T01:00:00Z'], 'never two at once');
  await replace.end('2026-01-01T01:00:00Z', 'Failed');
  assert.deepEqual(replace.times(), ['2026-01-01T01:00:00Z', '2026-01-01T02:00:00Z']);
  assert.deepEqual(
    replace.cron().status?.active?.map(({ name }) => name),
    ['cron-1767232800'],
  );
});

test('with a deadline, Forbid starts late what it left out', async () => {
  await using scene = await started({ schedules: ['0 * * * *'], concurrencyPolicy: 'Forbid', startingDeadlineSeconds: 600 });
  await scene.pass(2 * hourMs + 5 * minuteMs);
  await scene.end('2026-01-01T01:00:00Z');
  assert.deepEqual(scene.times(), ['2026-01-01T01:00:00Z', '2026-01-01T02:00:00Z']);
});

test('what was missed while nobody was there starts within its deadline, only the last of several, and else not at all', async () => {
  for (const [startingDeadlineSeconds, minutesLate, expected] of [
    [undefined, 1, []],
    [0, 1, []],
    [120, 1, ['2026-01-01T05:00:00Z']],
    [60, 1, []],
  ] as const) {
    await using scene = await started({
      schedules: ['0 * * * *'],
      ...(startingDeadlineSeconds !== undefined && { startingDeadlineSeconds }),
    });
    await scene.pass(hourMs);
    await scene.stop();
    await scene.pass(4 * hourMs + minutesLate * minuteMs);
    await scene.start();
    assert.deepEqual(scene.times(), ['2026-01-01T01:00:00Z', ...expected], `deadline ${startingDeadlineSeconds}`);
    await scene.pass(hourMs);
    assert.equal(scene.times().at(-1), '2026-01-01T06:00:00Z');
  }
});

test('a schedule that was changed has missed nothing', async () => {
  await using scene = await started({ schedules: ['0 * * * *'], startingDeadlineSeconds: 7200 });
  await scene.pass(hourMs);
  await scene.stop();
  await scene.client.patch(cronWorkflows, ref('cron'), { spec: { schedules: ['30 * * * *'] } });
  await scene.pass(hourMs);
  await scene.start();
  assert.deepEqual(scene.times(), ['2026-01-01T01:00:00Z']);
  await scene.pass(hourMs / 2);
  assert.deepEqual(scene.times(), ['2026-01-01T01:00:00Z', '2026-01-01T02:30:00Z']);
});

test('suspended nothing starts, and what passed meanwhile does not start afterwards', async () => {
  await using scene = await started({ schedules: ['0 * * * *'], suspend: true });
  assert.equal(scene.cron().status?.nextScheduledTime, undefined);
  await scene.pass(3 * hourMs);
  assert.deepEqual(scene.times(), []);
  await scene.pass(hourMs / 2);
  await scene.change({ suspend: false });
  assert.deepEqual(scene.times(), []);
  assert.equal(scene.cron().status?.nextScheduledTime, '2026-01-01T04:00:00Z');
  await scene.pass(hourMs);
  assert.deepEqual(scene.times(), ['2026-01-01T04:00:00Z']);
});

test('ended runs are kept up to the limits, the newest of each outcome', async () => {
  await using scene = await started({ schedules: ['0 * * * *'], successfulJobsHistoryLimit: 2, failedJobsHistoryLimit: 1 });
  for (let hour = 1; hour <= 6; hour++) {
    await scene.pass(hourMs);
    await scene.end(`2026-01-01T0${hour}:00:00Z`, hour % 2 === 0 ? 'Failed' : 'Succeeded');
  }
  assert.deepEqual(scene.times(), ['2026-01-01T03:00:00Z', '2026-01-01T05:00:00Z', '2026-01-01T06:00:00Z']);
  assert.deepEqual([scene.cron().status?.succeeded, scene.cron().status?.failed], [3, 3]);
  await scene.change({ successfulJobsHistoryLimit: 0, failedJobsHistoryLimit: 0 });
  assert.deepEqual(scene.times(), []);
  await scene.pass(hourMs);
  assert.deepEqual(scene.times(), ['2026-01-01T07:00:00Z'], 'what runs is never removed');
});

test('a stop strategy that comes true ends it for good; a run whose `when` does not hold is left out', async () => {
  await using scene = await started({
    schedules: ['0 * * * *'],
    stopStrategy: { expression: 'cronworkflow.failed >= 2 || cronworkflow.succeeded > 5' },
  });
  for (let hour = 1; hour <= 2; hour++) {
    await scene.pass(hourMs);
    await scene.end(`2026-01-01T0${hour}:00:00Z`, 'Failed');
  }
  const { metadata, status } = scene.cron();
  assert.deepEqual([status?.phase, status?.nextScheduledTime], ['Stopped', undefined]);
  assert.equal(metadata.labels?.['workflows.argoproj.io/cron-workflow-completed'], 'true');
  await scene.pass(5 * hourMs);
  assert.equal(scene.created().length, 2);

  await using picky = await started({
    schedules: ['0 * * * *'],
    when: "{{cronworkflow.succeeded}} < 1 && '{{cronworkflow.name}}' == 'cron'",
  });
  await picky.pass(hourMs);
  await picky.end('2026-01-01T01:00:00Z');
  await picky.pass(3 * hourMs);
  assert.deepEqual(picky.times(), ['2026-01-01T01:00:00Z']);
});

test('what this engine cannot do is a condition, and nothing runs until it is mended', async () => {
  const refused: readonly (readonly [spec: Record<string, unknown>, message: RegExp])[] = [
    [{ schedules: ['61 * * * *'] }, /spec\.schedules: minute "61" is not within 0-59/],
    [{ schedules: [] }, /spec\.schedules: at least one/],
    [{ schedules: 'x' }, /spec\.schedules must be a list, not a string/],
    [{ schedules: ['@daily'], schedule: '@daily' }, /spec\.schedule may not be set together/],
    [{ schedules: ['TZ=UTC @daily'] }, /names a time zone beside spec\.timezone/],
    [{ schedules: ['@daily'], timezone: 'Nowhere' }, /unknown time zone "Nowhere"/],
    [{ schedules: ['@daily'], concurrencyPolicy: 'Maybe' }, /spec\.concurrencyPolicy: "Maybe" is none of/],
    [{ schedules: ['@daily'], when: '{{= now() > 1}}' }, /spec\.when: expression tags are not supported by the embedded engine/],
    [{ schedules: ['@daily'], when: '{{cronworkflow.mood}} == 1' }, /spec\.when: there is no \{\{cronworkflow\.mood\}\}/],
    [{ schedules: ['@daily'], stopStrategy: { expression: 'cronworkflow.lastScheduledTime == nil' } }, /spec\.stopStrategy\.expression: /],
    [{ schedules: ['@daily'], stopStrategy: { expression: `'${'\\\\'.repeat(40)}` } }, /spec\.stopStrategy\.expression: /],
    [{ schedules: ['@daily'], minimumInterval: '1h' }, /spec\.minimumInterval: the field is not known/],
    [{ schedules: ['@daily'], workflowSpec: null }, /spec\.workflowSpec is required/],
  ];
  for (const [spec, message] of refused) {
    await using scene = await started(spec);
    const [condition, ...others] = scene.cron().status?.conditions ?? [];
    assert.deepEqual([condition?.type, condition?.status, others], ['SpecError', 'True', []], JSON.stringify(spec));
    assert.match(condition?.message ?? '', message);
  }
  await using scene = await started({ schedules: ['61 * * * *'] });
  await scene.change({ schedules: ['0 * * * *'] });
  assert.equal(scene.cron().status?.conditions, undefined);
  await scene.pass(hourMs);
  assert.equal(scene.times().length, 1);
  await using single = await started({ schedule: '0 * * * *' });
  await single.pass(hourMs);
  assert.equal(single.times().length, 1, 'the field of old');
});

test('a Workflow the server refuses is a condition and a failure, and the next one is tried all the same', async () => {
  await using scene = await started({ schedules: ['0 * * * *'] });
  const refusing = scene.client.onRequest(({ verb, type }) => {
    if (verb === 'create' && type?.kind === 'Workflow') throw failure(403, 'Forbidden', 'no Workflows today');
  });
  await scene.pass(hourMs);
  refusing[Symbol.dispose]();
  const { conditions, failed } = scene.cron().status ?? {};
  assert.deepEqual([conditions?.map(({ type }) => type), failed], [['SubmissionError'], 1]);
  assert.match(conditions?.[0]?.message ?? '', /no Workflows today/);
  await scene.pass(hourMs);
  assert.deepEqual(scene.times(), ['2026-01-01T02:00:00Z']);
  assert.equal(scene.cron().status?.conditions, undefined);
});

test('the clock set forward: what is due now starts, once; set back: no time comes twice', async () => {
  await using scene = await started({ schedules: ['0 * * * *'] });
  scene.clock.jump(5 * hourMs + 10 * minuteMs);
  await scene.pass(20_000);
  assert.deepEqual(scene.times(), ['2026-01-01T05:00:00Z']);
  scene.clock.jump(-3 * hourMs);
  await scene.pass(20_000);
  await scene.pass(3 * hourMs);
  assert.deepEqual(scene.times(), ['2026-01-01T05:00:00Z']);
  await scene.pass(hourMs);
  assert.deepEqual(scene.times(), ['2026-01-01T05:00:00Z', '2026-01-01T06:00:00Z']);
});

test('a clock that was years ahead does not silence a schedule for years', async () => {
  await using scene = await started({ schedules: ['0 * * * *'] });
  scene.clock.jump(3650 * 24 * hourMs + minuteMs);
  await scene.pass(20_000);
  await scene.pass(hourMs);
  assert.equal(scene.created().length, 2);
  scene.clock.jump(-3650 * 24 * hourMs);
  await scene.pass(20_000);
  await scene.pass(hourMs);
  assert.ok(scene.times().includes('2026-01-01T02:00:00Z'), scene.times().join());
});

test('killed at any moment, every time is run once: the name decides', async () => {
  for (let step = 0; step < 12; step++) {
    const scene = await started({ schedules: ['0 * * * *'], startingDeadlineSeconds: 600, successfulJobsHistoryLimit: 10 });
    await scene.pass(hourMs);
    await scene.end('2026-01-01T01:00:00Z');
    let left = step;
    const killing = scene.client.onRequest(({ verb }) => {
      if (verb !== 'watch' && verb !== 'list' && left-- === 0) scene.kill();
    });
    await scene.pass(hourMs);
    killing[Symbol.dispose]();
    scene.kill();
    await scene.pass(minuteMs);
    if (scene.times().includes('2026-01-01T02:00:00Z') && step % 2 === 0) await scene.end('2026-01-01T02:00:00Z');
    await scene.start();
    await scene.pass(minuteMs);
    assert.deepEqual(scene.times(), ['2026-01-01T01:00:00Z', '2026-01-01T02:00:00Z'], `killed at request ${step}`);
    assert.equal(scene.cron().status?.lastScheduledTime, '2026-01-01T02:00:00Z');
    const { active, succeeded = 0 } = scene.cron().status ?? {};
    assert.equal((active?.length ?? 0) + succeeded, 2, `counted once, killed at request ${step}`);
    await scene.stop();
  }
});

test('two schedulers at once, and changes by others in between, run every time once', async () => {
  await using scene = await started({ schedules: ['*/10 * * * *'], successfulJobsHistoryLimit: 100, failedJobsHistoryLimit: 100 });
  const first = scene.stop.bind(scene);
  await scene.start();
  for (let round = 1; round <= 6; round++) {
    await scene.pass(5 * minuteMs);
    await scene.client.patch(cronWorkflows, ref('cron'), { metadata: { labels: { round: String(round) } } });
    await scene.pass(5 * minuteMs);
    await scene.end(
      `2026-01-01T0${round === 6 ? '1' : '0'}:${round === 6 ? '00' : `${round}0`}:00Z`,
      round % 2 === 0 ? 'Failed' : 'Succeeded',
    );
  }
  assert.equal(scene.times().length, 6);
  assert.deepEqual([scene.cron().status?.succeeded, scene.cron().status?.failed, scene.cron().status?.active], [3, 3, []]);
  await first();
});

test('those of another controller are left alone, and those that are deleted start nothing more', async () => {
  await using scene = new Scene();
  await scene.start();
  await scene.client.create(cronWorkflows, {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'CronWorkflow',
    metadata: { name: 'theirs', namespace: 'ns', labels: { 'workflows.argoproj.io/controller-instanceid': 'x' } },
    spec: { schedules: ['* * * * *'], workflowSpec: {} },
  } as CronWorkflow);
  await scene.create({ schedules: ['* * * * *'] });
  await scene.pass(minuteMs);
  await scene.client.delete(cronWorkflows, ref('cron'));
  await scene.pass(hourMs);
  assert.deepEqual(scene.created().length, 1);
  assert.equal(scene.cron('theirs').status, undefined);
});
