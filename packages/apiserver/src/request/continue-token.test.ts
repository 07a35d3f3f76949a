import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isStatusReason } from '@arc/apimachinery';
import * as fc from 'fast-check';
import { decodeContinue, encodeContinue } from './continue-token.ts';

test('4.6 a token survives the round trip', () => {
  const segment = fc.stringMatching(/^[a-z0-9][a-z0-9.-]{0,20}$/);
  fc.assert(
    fc.property(fc.integer({ min: 1 }), segment, segment, (revision, namespace, name) => {
      const token = { revision, after: `${namespace}/${name}` };
      assert.deepEqual(decodeContinue(encodeContinue(token)), token);
    }),
  );
});

test('4.6 tokens that are not ours, or point elsewhere, are refused', () => {
  const encoded = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  for (const token of [
    '!!',
    'e30',
    encoded({ v: 'meta.k8s.io/v2', rv: 1, start: 'a' }),
    encoded({ v: 'meta.k8s.io/v1', rv: 0, start: 'a' }),
    encoded({ v: 'meta.k8s.io/v1', rv: 1, start: '../secrets/x' }),
    encoded({ v: 'meta.k8s.io/v1', rv: 1, start: '/a' }),
    encoded({ v: 'meta.k8s.io/v1', rv: 1, start: '' }),
  ]) {
    assert.throws(
      () => decodeContinue(token),
      (error) => isStatusReason(error, 'BadRequest') && error.message.startsWith('invalid continue token: '),
      token,
    );
  }
});
