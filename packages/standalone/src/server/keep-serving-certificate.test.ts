import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock, silentLogger } from '@arc/kernel';
import { keepServingCertificate } from './keep-serving-certificate.ts';

test('A4 a serving certificate that is due is issued anew while the server runs; a failure is told and tried again', async () => {
  const clock = new FakeClock();
  const errors: string[] = [];
  const logger = { ...silentLogger, error: (text: string) => void errors.push(text) };
  const asked: number[] = [];
  let fails = false;
  const ensure = async (): Promise<void> => {
    asked.push(clock.now());
    if (fails) throw new Error('no space left');
  };
  {
    using _kept = await keepServingCertificate(ensure, { clock, logger });
    await clock.advance(3_600_000);
    assert.equal(asked.length, 2);
    fails = true;
    await clock.advance(3_600_000);
    assert.deepEqual(errors, ['the serving certificate could not be renewed']);
    fails = false;
    await clock.advance(3_600_000);
    assert.equal(asked.length, 4);
  }
  await clock.advance(36_000_000);
  assert.equal(asked.length, 4, 'disposed');
  fails = true;
  await assert.rejects(keepServingCertificate(ensure, { clock, logger }), /no space left/);
});
