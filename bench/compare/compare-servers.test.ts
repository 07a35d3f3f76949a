import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRecorder } from '../results/recorder.ts';
import { compareServers } from './compare-servers.ts';
import { startSubject } from './local-subjects.ts';

const plan = { objects: 20, writers: [2], rounds: 1, durationMs: 100, watchers: 2, watchedPerSecond: 50 };

test('a server is measured in everything; what was made in it is removed, what somebody else made is not', async () => {
  await using started = await startSubject('memory');
  const { temporary: _temporary, ...running } = started;
  const recorder = createRecorder(() => undefined);
  await compareServers([running], plan, recorder);
  assert.deepEqual(recorder.skipped, []);
  const metrics = recorder.measurements.map(({ metric }) => metric);
  assert.equal(new Set(metrics).size, metrics.length);
  for (const start of ['GET', 'LIST of 20', 'CPU of a LIST', 'delivery to 2 watchers', 'create by 2', 'update by 2', 'memory']) {
    assert.ok(
      metrics.some((metric) => metric.startsWith(start)),
      start,
    );
  }
  const twice = [started, { ...running, name: 'elsewhere' }];
  const refused = /could not fill .* of elsewhere; it has to exist, be empty/;
  await assert.rejects(compareServers(twice, plan, recorder), refused);
  await assert.rejects(compareServers([{ ...running, name: 'elsewhere' }], plan, recorder), refused);
});
