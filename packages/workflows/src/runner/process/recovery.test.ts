import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { LogStore } from '../../logs/log-store.ts';
import { endSteps } from '../../engine/end-steps.ts';
import { createLogStore } from '../../logs/log-store.ts';
import type { Attempt, AttemptId, Observation, Runner } from '../runner.ts';
import { createProcessRunner } from './process-runner.ts';

const fixture = fileURLToPath(new URL('../../../test/fixtures/host-runner.ts', import.meta.url));

function attempt(nodeId: string, script: string): Attempt {
  return {
    workflowUid: 'uid',
    nodeId,
    namespace: 'ns',
    workflowName: 'wf',
    nodeName: nodeId,
    podName: `wf-${nodeId}`,
    templateName: 'step',
    image: 'busybox',
    command: ['sh', '-e'],
    args: [],
    script,
    env: [],
    volumes: { work: { kind: 'claim', name: 'work' } },
    mounts: [{ volume: 'work', mountPath: '/work-volume', readOnly: false }],
    outputs: [{ name: 'out', path: '/tmp/out' }],
    captureResult: false,
  };
}

interface Site {
  readonly directory: string;
  readonly work: string;
  readonly logs: LogStore;
  open(): Promise<Runner>;
  /** Starts the attempts from another process and kills that with SIGKILL. */
  startAndKill(attempts: readonly Attempt[], before?: () => Promise<void>): Promise<void>;
}

async function onSite(run: (site: Site) => Promise<void>): Promise<void> {
  const base = await mkdtemp(join(tmpdir(), 'arc-recovery-'));
  const directory = join(base, 'runs');
  const logs = createLogStore(join(base, 'logs'));
  const opened: Runner[] = [];
  const open = async (): Promise<Runner> => {
    const runner = await createProcessRunner({ directory, logs, path: '/usr/local/bin:/usr/bin:/bin', paths: 'rewrite', graceMs: 200 });
    opened.push(runner);
    return runner;
  };
  const startAndKill: Site['startAndKill'] = async (attempts, before) => {
    const child = spawn(process.execPath, [fixture, directory, join(base, 'logs'), JSON.stringify(attempts)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const exited = once(child, 'exit');
    await once(child.stdout, 'data');
    await before?.();
    child.kill('SIGKILL');
    await exited;
  };
  try {
    await run({ directory, work: join(directory, 'claims/uid/work'), logs, open, startAndKill });
  } finally {
    for (const runner of opened) {
      for (const id of runner.known('uid')) await runner.stop(id, { phase: 'Error', message: 'the test is over' });
      await runner[Symbol.asyncDispose]();
    }
    await rm(base, { recursive: true, force: true });
  }
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 1000; tries++) {
    if (await condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  assert.fail('the condition was not met in time');
}

async function settled(runner: Runner, id: AttemptId): Promise<Observation> {
  let observation = await runner.observe(id);
  await until(async () => (observation = await runner.observe(id)).state !== 'running');
  return observation;
}

const exists = (path: string) =>
  readFile(path).then(
    () => true,
    () => false,
  );

test('a step that runs when the engine is killed is taken over and ends as if nothing had happened', () =>
  onSite(async ({ work, open, startAndKill, logs }) => {
    const step = attempt(
      'a',
      'echo begun >> /work-volume/begun; until test -e /work-volume/go; do sleep 0.02; done; echo done > /tmp/out; exit 5',
    );
    await startAndKill([step], () => until(() => exists(join(work, 'begun'))));
    const runner = await open();
    assert.deepEqual(await runner.recover(), [{ workflowUid: 'uid', nodeId: 'a' }]);
    assert.equal((await runner.observe(step)).state, 'running');
    await runner.start(step);
    await writeFile(join(work, 'go'), '');
    const observation = await settled(runner, step);
    assert.ok(observation.state === 'ended');
    assert.deepEqual([observation.result.exitCode, observation.result.outputs], [5, { out: 'done' }]);
    assert.equal(await readFile(join(work, 'begun'), 'utf8'), 'begun\n', 'it ran once');
    const followed: string[] = [];
    for await (const chunk of logs.openLog({ namespace: 'ns', pod: 'wf-a', follow: true })) followed.push(String(chunk));
    assert.deepEqual(followed, []);
  }));

test('a step that ended while there was no engine is picked up', () =>
  onSite(async ({ work, directory, open, startAndKill }) => {
    const step = attempt('b', 'until test -e /work-volume/go; do sleep 0.02; done; echo late > /tmp/out');
    await startAndKill([step]);
    await writeFile(join(work, 'go'), '');
    await until(() => exists(join(directory, 'attempts/uid/b/exit')));
    const runner = await open();
    await runner.recover();
    const observation = await settled(runner, step);
    assert.ok(observation.state === 'ended');
    assert.deepEqual([observation.result.exitCode, observation.result.outputs], [0, { out: 'late' }]);
    await runner.release(step);
    assert.deepEqual(await readdir(join(directory, 'attempts/uid')), []);
  }));

test('a survivor can be stopped by the next engine, with all its processes', () =>
  onSite(async ({ work, open, startAndKill }) => {
    const step = attempt('c', "trap '' TERM; echo $$ > /work-volume/pid; while :; do sleep 0.02; done");
    await startAndKill([step], () => until(() => exists(join(work, 'pid'))));
    const runner = await open();
    await runner.recover();
    await runner.stop(step, { phase: 'Pending', message: 'interrupted' });
    const observation = await runner.observe(step);
    assert.ok(observation.state === 'ended' && observation.result.stopped?.phase === 'Pending');
    assert.equal(await isRunning(Number(await readFile(join(work, 'pid'), 'utf8'))), false);
  }));

test('survivors whose steps run elsewhere by now are ended, and finding them again finds nothing', () =>
  onSite(async ({ startAndKill, open, directory }) => {
    await startAndKill([attempt('a', 'sleep 60'), attempt('b', 'sleep 60')]);
    const runner = await open();
    assert.equal(await endSteps(runner, { message: 'another server runs it now', forget: true }), 2);
    assert.deepEqual(await runner.recover(), []);
    assert.deepEqual(await readdir(join(directory, 'attempts', 'uid')), []);
    assert.equal(await endSteps(runner, { message: 'another server runs it now', forget: true }), 0);
  }));

test('a server that ends a step leaves the same step of another server on this machine alone', () =>
  onSite(async (here) =>
    onSite(async (there) => {
      const [mine, others] = [await here.open(), await there.open()];
      const step = attempt('a', 'sleep 60');
      await mine.start(step);
      await others.start(step);
      assert.equal(await endSteps(mine, { message: 'another server runs it now', forget: true }), 1);
      await others.stop(step, { phase: 'Pending', message: 'it was still running' });
      const observation = await others.observe(step);
      assert.equal(observation.state === 'ended' && observation.result.stopped?.message, 'it was still running');
    }),
  ));

test('an attempt without supervisor and without exit code is lost, and what is left of it is killed first', () =>
  onSite(async ({ work, open, directory, startAndKill }) => {
    const step = attempt('d', 'setsid sh -c "echo \\$\\$ > /work-volume/pid; exec sleep 60" & wait');
    await startAndKill([step], () => until(() => exists(join(work, 'pid'))));
    const identity = await readFile(join(directory, 'attempts/uid/d/identity'), 'utf8');
    const supervisor = Number.parseInt(identity.split('\n')[1] ?? '', 10);
    process.kill(-supervisor, 'SIGKILL');
    const orphan = Number(await readFile(join(work, 'pid'), 'utf8'));
    assert.equal(await isRunning(orphan), true);
    const runner = await open();
    await runner.recover();
    assert.deepEqual((await settled(runner, step)).state, 'lost');
    assert.equal(await isRunning(orphan), false, 'no second writer');
    await runner.release(step);
    await runner.start({ ...step, script: 'exit 0' });
    assert.equal((await settled(runner, step)).state, 'ended');
  }));

test('after a reboot nothing is alive whatever has the pid now; the runs are counted', () =>
  onSite(async ({ open, directory, startAndKill }) => {
    const step = attempt('e', 'sleep 60');
    await startAndKill([step]);
    const file = join(directory, 'attempts/uid/e/identity');
    const [, stat = ''] = (await readFile(file, 'utf8')).split('\n');
    const first = await open();
    await first.recover();
    await first.stop(step, { phase: 'Error', message: 'make room' });
    await first.release(step);
    await first.start(step);
    await until(() => exists(file));
    await first.stop(step, { phase: 'Error', message: 'make room' });
    await rm(join(directory, 'attempts/uid/e/stop.json'));
    await rm(join(directory, 'attempts/uid/e/exit'), { force: true });
    await writeFile(file, `another-boot\n${stat}\n`);
    const second = await open();
    await second.recover();
    const observation = await settled(second, step);
    assert.ok(observation.state === 'lost' && observation.runs === 1);
    await second.release(step);
    await second.start(step);
    const known = await readFile(join(directory, 'attempts/uid/e/attempt.json'), 'utf8');
    assert.equal((JSON.parse(known) as { runs: number }).runs, 2);
  }));

test('an attempt whose supervisor had not begun is taken back, and it never begins', () =>
  onSite(async ({ work, open, directory }) => {
    const step = attempt('f', 'echo ran > /work-volume/ran');
    const runner = await open();
    await runner.start(step);
    await settled(runner, step);
    const place = join(directory, 'attempts/uid/f');
    await rm(join(work, 'ran'));
    await rm(join(place, 'identity'));
    await rm(join(place, 'exit'));
    const next = await open();
    assert.deepEqual(await next.recover(), []);
    assert.equal((await next.observe(step)).state, 'absent');
    assert.equal(await exists(place), false);
  }));

test('the supervisor runs nothing when its attempt has been taken back', () =>
  onSite(async ({ work, open, directory }) => {
    const step = attempt('g', 'echo ran > /work-volume/ran');
    const runner = await open();
    const place = join(directory, 'attempts/uid/g');
    const starting = runner.start(step);
    await starting;
    await settled(runner, step);
    await rm(join(work, 'ran'));
    await rename(join(place, 'identity'), join(place, 'identity.old'));
    await writeFile(join(place, 'identity'), 'revoked\n');
    await rm(join(place, 'exit'));
    const { supervisorScript } = await import('./supervisor.ts');
    const child = spawn(
      '/bin/sh',
      ['-c', supervisorScript, 'arc-step', place, '0', 'direct', join(place, 'root'), '/', 'touch', join(work, 'ran')],
      {
        detached: true,
        stdio: 'ignore',
      },
    );
    const [code] = (await once(child, 'exit')) as [number];
    assert.equal(code, 70);
    assert.equal(await exists(join(work, 'ran')), false);
  }));

async function isRunning(pid: number): Promise<boolean> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  return stat !== undefined && !/\) [ZX] /.test(stat);
}
