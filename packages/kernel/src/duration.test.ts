import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatAge, parseDuration } from './duration.ts';

test('parseDuration reads Go durations', () => {
  for (const [text, ms] of [
    ['0', 0],
    ['32s', 32_000],
    ['1h30m', 5_400_000],
    ['1.5s', 1500],
    ['-2m', -120_000],
    ['250ms', 250],
  ] as const) {
    assert.equal(parseDuration(text), ms, text);
  }
});

test('parseDuration refuses what Go refuses, with a code', () => {
  for (const text of ['', '5', 's', '1 h', '1d', 'h1', '1h-5m']) {
    assert.throws(() => parseDuration(text), { code: 'InvalidDuration' }, text);
  }
});

test('formatAge prints ages as kubectl does', () => {
  for (const [seconds, text] of [
    [0, '0s'],
    [119, '119s'],
    [120, '2m'],
    [130, '2m10s'],
    [3600, '60m'],
    [3 * 3600 + 60, '3h1m'],
    [47 * 3600, '47h'],
    [49 * 3600, '2d1h'],
    [400 * 86400, '400d'],
    [3 * 365 * 86400, '3y'],
  ] as const) {
    assert.equal(formatAge(seconds * 1000), text);
  }
});
