import assert from 'node:assert/strict';
import { test } from 'node:test';
import { StorageError } from '@arc/storage';
import { toStatus } from './to-status.ts';

const request = { verb: 'create', group: 'demo.example.com', plural: 'widgets' };
const statusOf = (error: StorageError) => toStatus(error, request).status;

test('a storage without room is a failure that passes, and says what to do', () => {
  const { code, reason, message, details } = statusOf(new StorageError('Full', 'no space', { hint: 'Make some.' }));
  assert.deepEqual([code, reason, message], [500, 'InternalError', 'Internal error occurred: no space. Make some.']);
  assert.equal(details?.retryAfterSeconds, 1);
});

test('an object that the storage finds too large is final, and says which limit it is', () => {
  const { code, reason, message, details } = statusOf(new StorageError('TooLarge', 'request is too large', { hint: 'Raise the limit.' }));
  assert.deepEqual([code, reason], [413, 'RequestEntityTooLarge']);
  assert.equal(message, 'Request entity too large: request is too large. Raise the limit.');
  assert.equal(details?.retryAfterSeconds, undefined);
});
