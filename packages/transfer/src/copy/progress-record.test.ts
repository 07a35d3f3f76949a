import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '@arc/kernel';
import { digestOf } from '../digest/digest.ts';
import { ProgressRecorder } from './progress-record.ts';

const digest = digestOf(Buffer.from('layer'));

test('bytes, rate, what remains and each layer, at most twice a second, and the end always', async () => {
  const clock = new FakeClock();
  const recorder = new ProgressRecorder(clock);
  const progress = (doneBytes: number) =>
    recorder.record({ kind: 'progress', doneBytes, totalBytes: 10_000, blobs: [{ digest, doneBytes, size: 10_000 }] });
  assert.deepEqual(progress(0), {
    event: 'progress',
    doneBytes: 0,
    totalBytes: 10_000,
    bytesPerSecond: null,
    remainingMs: null,
    layers: [{ digest, doneBytes: 0, size: 10_000 }],
  });
  await clock.advance(499);
  assert.equal(progress(100), undefined);
  await clock.advance(501);
  const second = progress(2000);
  assert.deepEqual([second?.['bytesPerSecond'], second?.['remainingMs']], [2000, 4000]);
  // Ten seconds of silence: the rate is that of the last seconds, not of all.
  await clock.advance(10_000);
  assert.equal(progress(2000)?.['bytesPerSecond'], 0);
  assert.equal(progress(2000), undefined);
  assert.deepEqual([progress(10_000)?.['doneBytes'], progress(10_000)?.['remainingMs']], [10_000, 0]);
});

test('other events are records as they are', () => {
  const recorder = new ProgressRecorder(new FakeClock());
  assert.deepEqual(recorder.record({ kind: 'warning', message: 'careful' }), { event: 'warning', message: 'careful' });
});
