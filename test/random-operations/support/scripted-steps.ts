import { createHash } from 'node:crypto';
import { createScriptedRunner } from '@arc/workflows';
import type { Attempt, AttemptResult, ScriptedRunner } from '@arc/workflows';

/** What an artifact does, by `spec.behaviour`: it succeeds at once, fails, either of both, takes its time, or goes on until it is released. */
export const behaviours = ['ok', 'fail', 'either', 'slow', 'stuck'] as const;
export type Behaviour = (typeof behaviours)[number];

/** While this file is in the directory of the server, nothing stays stuck. */
export const releaseFile = 'release';

/** A runner whose steps do what their first argument says. What fails tells the password it was given, as careless tools do. */
export function scriptedSteps(isReleased: () => boolean): ScriptedRunner {
  const end = (nodeName: string, result: Partial<AttemptResult> = {}): void => {
    if (runner.running().some((attempt) => attempt.nodeName === nodeName)) runner.end(nodeName, result);
  };
  const runner = createScriptedRunner({
    now: Date.now,
    script: (attempt) => {
      const number = numberOf(attempt);
      switch (attempt.args[0]) {
        case 'fail':
          return failure(attempt);
        case 'either':
          return number % 2 === 0 ? {} : failure(attempt);
        case 'slow':
          setTimeout(() => end(attempt.nodeName), 50 + (number % 400));
          return undefined;
        case 'stuck':
          return isReleased() ? {} : undefined;
        case undefined:
        default:
          return {};
      }
    },
  });
  setInterval(() => {
    // A Workflow that was made again has nodes of the same names.
    const stuck = runner.running().filter(({ args }) => args[0] === 'stuck');
    if (stuck.length > 0 && isReleased()) for (const { nodeName } of stuck) end(nodeName);
  }, 20);
  return runner;
}

function failure(attempt: Attempt): Partial<AttemptResult> {
  const files = Object.values(attempt.volumes).flatMap((volume) => (volume.kind === 'files' ? volume.files : []));
  const credentials = files.map(({ content }) => Buffer.from(content).toString('utf8')).join(' ');
  return { exitCode: 1, error: `no luck with ${credentials}` };
}

/** The same for the same attempt, also after the process was killed. */
function numberOf({ workflowUid, nodeId }: Attempt): number {
  return createHash('sha256').update(`${workflowUid}/${nodeId}`).digest().readUInt16BE();
}
