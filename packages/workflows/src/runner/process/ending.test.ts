import assert from 'node:assert/strict';
import { access, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { createLogStore } from '../../logs/log-store.ts';
import type { Attempt } from '../runner.ts';
import { createProcessRunner } from './process-runner.ts';

const attempt: Attempt = {
  workflowUid: 'uid',
  nodeId: 'wf-1',
  namespace: 'ns',
  workflowName: 'wf',
  nodeName: 'wf[0].step',
  podName: 'wf-step-1',
  templateName: 'step',
  image: 'busybox',
  command: ['sh'],
  args: [],
  script: "trap 'asked=1' TERM; touch /claim/up; sleep 600 & wait $!; sleep 600 & wait $!; exit 7",
  env: [],
  volumes: { c: { kind: 'claim', name: 'c' } },
  mounts: [{ volume: 'c', mountPath: '/claim', readOnly: false }],
  outputs: [],
  captureResult: false,
};

test('a process that appears after the others were asked to end is asked as well, long before the grace is over', async () => {
  const base = await mkdtemp(join(tmpdir(), 'arc-ending-'));
  try {
    await using runner = await createProcessRunner({
      directory: join(base, 'runs'),
      logs: createLogStore(join(base, 'logs')),
      path: '/usr/local/bin:/usr/bin:/bin',
      paths: 'rewrite',
      graceMs: 600_000,
    });
    await runner.start(attempt);
    while (!(await exists(join(base, 'runs/claims/uid/c/up')))) await delay(10);
    await runner.stop(attempt, { phase: 'Failed', message: 'enough' });
    const observation = await runner.observe(attempt);
    assert.equal(observation.state === 'ended' ? observation.result.exitCode : observation.state, 7);
  } finally {
    await rm(base, { recursive: true, force: true });
  }
});

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
