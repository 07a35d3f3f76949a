import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { LogStore } from '../../logs/log-store.ts';
import { createLogStore } from '../../logs/log-store.ts';
import type { Attempt, AttemptId, AttemptResult, Runner } from '../runner.ts';
import { createProcessRunner } from './process-runner.ts';
import type { PathMode } from './supervisor.ts';

const path = '/usr/local/bin:/usr/bin:/bin';

let count = 0;
function attempt(script: string, extra: Partial<Attempt> = {}): Attempt {
  count++;
  return {
    workflowUid: 'uid-1',
    nodeId: `wf-${count}`,
    namespace: 'ns',
    workflowName: 'wf',
    nodeName: `wf[${count}].step`,
    podName: `wf-step-${count}`,
    templateName: 'step',
    image: 'busybox',
    command: ['sh', '-e'],
    args: [],
    script,
    env: [],
    volumes: {},
    mounts: [],
    outputs: [],
    captureResult: false,
    ...extra,
  };
}

async function ended(runner: Runner, id: AttemptId): Promise<AttemptResult> {
  const arrived = Promise.withResolvers<void>();
  using _listening = runner.onChange((changed) => {
    if (changed.nodeId === id.nodeId) arrived.resolve();
  });
  for (;;) {
    const observation = await runner.observe(id);
    if (observation.state === 'ended') return observation.result;
    assert.equal(observation.state, 'running');
    await Promise.race([arrived.promise, new Promise((resolve) => setTimeout(resolve, 50))]);
  }
}

async function logOf(logs: LogStore, pod: string): Promise<string> {
  let text = '';
  for await (const chunk of logs.openLog({ namespace: 'ns', pod })) text += Buffer.from(chunk).toString();
  return text;
}

for (const paths of ['namespace', 'rewrite'] as const) {
  describe(`process runner, declared paths: ${paths}`, () => {
    let base = '';
    let logs: LogStore;
    let runner: Runner & { readonly pathMode: PathMode };
    let unavailable: string | undefined;

    before(async () => {
      base = await mkdtemp(join(tmpdir(), 'arc-runner-'));
      logs = createLogStore(join(base, 'logs'));
      try {
        const images = { 'example.org/worker': { command: [join(base, 'bin/worker'), 'run'], program: 'arc-worker' } };
        await mkdir(join(base, 'bin'));
        await writeFile(join(base, 'bin/worker'), '#!/bin/sh\necho "worker $*"\n', { mode: 0o755 });
        runner = await createProcessRunner({
          directory: join(base, 'runs'),
          logs,
          path,
          paths,
          images,
          graceMs: 300,
          env: { HTTPS_PROXY: 'http://proxy:3128' },
        });
      } catch (error) {
        if ((error as { code?: string }).code !== 'NamespacesNotPermitted') throw error;
        unavailable = 'this host does not permit mount namespaces';
      }
    });
    after(async () => {
      await runner?.[Symbol.asyncDispose]();
      await rm(base, { recursive: true, force: true });
    });

    async function run(step: Attempt): Promise<AttemptResult> {
      await runner.start(step);
      return ended(runner, step);
    }

    test('a script runs with its arguments, its exit code and output are kept', async (t) => {
      if (unavailable !== undefined) return t.skip(unavailable);
      const step = attempt('echo out; echo err >&2; exit 7', { captureResult: true });
      const result = await run(step);
      assert.equal(result.exitCode, 7);
      assert.equal(result.result, 'out');
      assert.deepEqual((await logOf(logs, step.podName)).split('\n').sort(), ['', 'err', 'out']);
      await runner.release(step);
      assert.equal((await runner.observe(step)).state, 'absent');
      assert.deepEqual(runner.known('uid-1'), []);
    });

    test('declared paths hold secrets, claims, scratch space and outputs', async (t) => {
      if (unavailable !== undefined) return t.skip(unavailable);
      const step = attempt(
        `test "$(cat /secrets/src/username)" = alice
         test ! -w /secrets/src/username || test "$(id -u)" = 0
         test "$(stat -L -c %a /secrets/src/username)" = 400
         echo shared > /work-volume/data
         echo one > /tmp/scratch
         test -d /empty/deep
         test "$CONFIG" = "$(dirname "$0" | sed s,/staging,,)/x" || test "$CONFIG" = /argo/x
         printf 'sha256:1\\n\\n' > /result.txt
         echo 3/4 > "$ARGO_PROGRESS_FILE"
         cd && pwd > /opt/arc-out/home`,
        {
          env: [{ name: 'CONFIG', value: '/argo/x' }],
          volumes: {
            src: { kind: 'files', files: [{ path: 'username', content: Buffer.from('alice'), mode: 0o400 }] },
            work: { kind: 'claim', name: 'work' },
            scratch: { kind: 'emptyDir' },
          },
          mounts: [
            { volume: 'src', mountPath: '/secrets/src', readOnly: true },
            { volume: 'work', mountPath: '/work-volume', readOnly: false },
            { volume: 'scratch', mountPath: '/empty/deep', readOnly: false },
          ],
          outputs: [
            { name: 'digest', path: '/result.txt' },
            { name: 'home', path: '/opt/arc-out/home' },
            { name: 'absent', path: '/tmp/none' },
          ],
        },
      );
      const result = await run(step);
      assert.equal(result.exitCode, 0, await logOf(logs, step.podName));
      assert.equal(result.outputs['digest'], 'sha256:1\n');
      assert.ok(result.outputs['home']);
      assert.equal('absent' in result.outputs, false);
      assert.equal(result.progress, '3/4');
      assert.equal(await readFile(join(base, 'runs/claims/uid-1/work/data'), 'utf8'), 'shared\n');
      assert.deepEqual(await readdir(join(base, 'runs/attempts/uid-1', step.nodeId)).then((names) => names.includes('volumes')), false);
      await runner.release(step);
    });

    test('two steps do not see each other’s /tmp and share claims', async (t) => {
      if (unavailable !== undefined) return t.skip(unavailable);
      const claim = {
        volumes: { work: { kind: 'claim' as const, name: 'shared' } },
        mounts: [{ volume: 'work', mountPath: '/data', readOnly: false }],
      };
      assert.equal((await run(attempt('echo 1 > /tmp/num; echo 1 > /data/num', claim))).exitCode, 0);
      assert.equal((await run(attempt('test ! -e /tmp/num && test -e /data/num', claim))).exitCode, 0);
      await runner.removeClaims('uid-1');
      assert.equal((await run(attempt('test ! -e /data/num', claim))).exitCode, 0);
    });

    test('nested mounts, sub paths and single files are where they are declared', async (t) => {
      if (unavailable !== undefined) return t.skip(unavailable);
      const step = attempt('test "$(cat /data/cache/conf.json)" = "{}" && echo x > /data/cache/inner/y && echo z > /data/z', {
        volumes: {
          data: { kind: 'claim', name: 'nested' },
          cache: { kind: 'emptyDir' },
          config: { kind: 'files', files: [{ path: 'config.json', content: Buffer.from('{}'), mode: 0o400 }] },
        },
        mounts: [
          { volume: 'config', mountPath: '/data/cache/conf.json', subPath: 'config.json', readOnly: true },
          { volume: 'data', mountPath: '/data', readOnly: false },
          { volume: 'cache', mountPath: '/data/cache/inner', subPath: 'a/b', readOnly: false },
        ],
      });
      const result = await run(step);
      assert.equal(result.exitCode, 0, await logOf(logs, step.podName));
      assert.equal(await readFile(join(base, 'runs/claims/uid-1/nested/z'), 'utf8'), 'z\n');
    });

    test('the environment is the template’s and nothing of the user’s; PATH keeps the host’s programs', async (t) => {
      if (unavailable !== undefined) return t.skip(unavailable);
      process.env['ARC_TEST_SECRET_TOKEN'] = 'leak';
      const step = attempt('env | cut -d= -f1 | sort | tr "\\n" " "; echo; echo "$PATH"', {
        env: [{ name: 'PATH', value: '/opt/tool/bin' }],
        captureResult: true,
      });
      const result = await run(step);
      const [names = '', pathLine] = (result.result ?? '').split('\n');
      const allowed = new Set(
        'ARC_ATTEMPT ARC_ROOT ARGO_CONTAINER_NAME ARGO_INCLUDE_SCRIPT_OUTPUT ARGO_NODE_ID ARGO_PROGRESS_FILE ARGO_WORKFLOW_NAME HOME HTTPS_PROXY LANG OLDPWD PATH PWD SHLVL TMPDIR _'.split(
          ' ',
        ),
      );
      assert.deepEqual(
        names
          .trim()
          .split(' ')
          .filter((name) => !allowed.has(name)),
        [],
      );
      assert.equal(pathLine, `/opt/tool/bin:${path}`);
    });

    test('an image is mapped to a local program, even one below /tmp; a missing program is named', async (t) => {
      if (unavailable !== undefined) return t.skip(unavailable);
      const { script: _none, ...container } = attempt('', {
        image: 'example.org/worker:v1',
        command: [],
        args: ['copy'],
        captureResult: true,
      });
      assert.equal((await run(container)).result, 'worker run copy');
      assert.equal(await runner.missing({ image: 'example.org/worker:v1', command: [] }), undefined);
      const named = attempt('echo', { image: 'example.org/worker', command: ['/usr/bin/arc-worker', '-v'], captureResult: true });
      assert.equal(
        (await run(named)).result,
        `worker run -v ${paths === 'namespace' ? '' : join(base, 'runs/attempts/uid-1', named.nodeId, 'root')}/argo/staging/script`,
      );
      assert.match((await runner.missing({ image: 'quay.io/x', command: ['no-such-tool'] })) ?? '', /no-such-tool.*quay\.io\/x.*Install/s);
      assert.match((await runner.missing({ image: 'quay.io/x', command: [] })) ?? '', /has no command/);
      assert.equal(await runner.missing({ image: 'x', command: ['/some/where/sh'] }), undefined);
      const lacking = attempt('', { command: ['no-such-tool'] });
      await assert.rejects(runner.start(lacking), { code: 'ProgramMissing' });
      assert.equal((await runner.observe(lacking)).state, 'absent');
    });

    test('stopping asks the whole group, waits, then kills, and nothing survives', async (t) => {
      if (unavailable !== undefined) return t.skip(unavailable);
      const polite = attempt("trap 'echo bye; exit 3' TERM; echo up > /claim/up; while :; do sleep 0.05; done", {
        volumes: { c: { kind: 'claim', name: 'polite' } },
        mounts: [{ volume: 'c', mountPath: '/claim', readOnly: false }],
      });
      await runner.start(polite);
      await appears(join(base, 'runs/claims/uid-1/polite/up'));
      await runner.stop(polite, { phase: 'Failed', message: 'enough' });
      const first = await ended(runner, polite);
      assert.deepEqual([first.exitCode, first.stopped], [3, { phase: 'Failed', message: 'enough' }]);
      const stubborn = attempt(
        "trap '' TERM; setsid sh -c 'trap \"\" TERM; echo $$ > /claim/pid; sleep 60' & echo; while :; do sleep 0.05; done",
        {
          volumes: { c: { kind: 'claim', name: 'stubborn' } },
          mounts: [{ volume: 'c', mountPath: '/claim', readOnly: false }],
        },
      );
      await runner.start(stubborn);
      await appears(join(base, 'runs/claims/uid-1/stubborn/pid'));
      await runner.stop(stubborn, { phase: 'Error', message: 'pod deleted' });
      const second = await ended(runner, stubborn);
      assert.deepEqual([second.exitCode, second.stopped?.phase], [137, 'Error']);
      const pid = (await readFile(join(base, 'runs/claims/uid-1/stubborn/pid'), 'utf8')).trim();
      assert.equal(await isGone(Number(pid)), true);
    });

    test('what a step leaves in the background does not outlive it', async (t) => {
      if (unavailable !== undefined) return t.skip(unavailable);
      const step = attempt('sleep 60 & echo $! > /claim/pid; exit 0', {
        volumes: { c: { kind: 'claim', name: 'background' } },
        mounts: [{ volume: 'c', mountPath: '/claim', readOnly: false }],
      });
      assert.equal((await run(step)).exitCode, 0);
      const pid = (await readFile(join(base, 'runs/claims/uid-1/background/pid'), 'utf8')).trim();
      assert.equal(await isGone(Number(pid)), true);
    });

    test('starting a known attempt again starts nothing', async (t) => {
      if (unavailable !== undefined) return t.skip(unavailable);
      const step = attempt('echo x >> /claim/runs', {
        volumes: { c: { kind: 'claim', name: 'once' } },
        mounts: [{ volume: 'c', mountPath: '/claim', readOnly: false }],
      });
      await Promise.all([runner.start(step), runner.start(step)]);
      await ended(runner, step);
      await runner.start(step);
      assert.equal(await readFile(join(base, 'runs/claims/uid-1/once/runs'), 'utf8'), 'x\n');
    });

    test('a working directory that is not there and an output that is no file are errors, not exit codes', async (t) => {
      if (unavailable !== undefined) return t.skip(unavailable);
      const step = attempt('mkdir /tmp/dir', { outputs: [{ name: 'o', path: '/tmp/dir' }] });
      assert.match((await run(step)).error ?? '', /\/tmp\/dir is not a file/);
      assert.equal((await run(attempt('test "$(basename "$PWD")" = place', { workingDir: '/new/place' }))).exitCode, 0);
    });
  });
}

async function appears(file: string): Promise<void> {
  for (let tries = 0; tries < 500; tries++) {
    const text = await readFile(file, 'utf8').catch(() => '');
    if (text !== '') return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  assert.fail(`${file} did not appear`);
}

/** Killed processes are gone, or wait as zombies for whoever adopted them. */
async function isGone(pid: number): Promise<boolean> {
  for (let tries = 0; tries < 100; tries++) {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
    if (stat === undefined || / Z /.test(stat)) return true;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return false;
}
