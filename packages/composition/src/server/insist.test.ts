import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ArcError, FakeClock, lineLogger } from '@arc/kernel';
import { insist } from './insist.ts';

test('what somebody has to mend is said once with what to do, tried again, and said to be mended', async () => {
  const clock = new FakeClock();
  const lines: Record<string, unknown>[] = [];
  const logger = lineLogger((line) => lines.push(JSON.parse(line) as Record<string, unknown>), { now: () => clock.now() });
  const problems: (string | undefined)[] = [];
  let tries = 0;
  const done = insist(
    'the API',
    () => {
      tries += 1;
      if (tries < 5) throw new ArcError('ApiMissing', 'there is no API', { hint: 'Install it.' });
      return Promise.resolve('there');
    },
    { signal: new AbortController().signal, clock, logger, onProblem: (problem) => problems.push(problem) },
  );
  await clock.advance(60_000);
  assert.equal(await done, 'there');
  assert.deepEqual(
    lines.map(({ level, message, code, problem, hint }) => [level, message, code, problem, hint]),
    [
      ['error', 'the API: trying again until it is mended', 'ApiMissing', 'there is no API', 'Install it.'],
      ['info', 'the API: mended', undefined, undefined, undefined],
    ],
  );
  assert.equal(problems.at(-1), undefined);
  assert.equal(problems[0], 'there is no API');
});

test('what is hopeless, and the end, are thrown', async () => {
  const clock = new FakeClock();
  const options = { clock, logger: lineLogger(() => {}) };
  const wrong = new Error('wrong flag');
  const never = new AbortController();
  await assert.rejects(
    insist('x', () => Promise.reject(wrong), { ...options, signal: never.signal, isHopeless: (error) => error === wrong }),
    wrong,
  );
  const waiting = insist('x', () => Promise.reject(wrong), { ...options, signal: never.signal });
  waiting.catch(() => {});
  await clock.advance(1);
  never.abort(new Error('over'));
  await assert.rejects(waiting, /over/);
});
