import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TransferError } from '../transfer-error.ts';
import { defaultRetryPolicy, parseRetryAfter, retryDelay } from './retry.ts';

test('no Retry-After, however hostile, makes anybody wait for longer than 15 minutes or for no time that is one', () => {
  const now = Date.parse('2026-01-01T00:00:00Z');
  for (const header of ['999999999', '9'.repeat(400), 'Fri, 31 Dec 9999 23:59:59 GMT', '0', 'Thu, 01 Jan 1970 00:00:00 GMT', '-5', 'NaN']) {
    const retryAfterMs = parseRetryAfter(header, now);
    const error = new TransferError('RateLimited', 'asked to wait', retryAfterMs === undefined ? {} : { retryAfterMs });
    const delay = retryDelay(defaultRetryPolicy, 0, error);
    assert.ok(delay >= 0 && delay <= 15 * 60_000, `${header.slice(0, 40)}: ${delay}`);
  }
});
