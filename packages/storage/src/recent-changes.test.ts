import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RecentChanges } from './recent-changes.ts';

test('what is kept of a value is no part of a larger memory', () => {
  const pool = Buffer.alloc(64 * 1024, 'x');
  const recent = new RecentChanges();
  const previous = { key: '/a', revision: 1, value: pool.subarray(100, 200) };
  recent.push([{ key: '/a', revision: 2, value: pool.subarray(0, 100), previous }]);
  recent.push([{ key: '/a', revision: 3, value: null, previous: undefined }]);
  const [first, second] = recent.read(1)?.events ?? assert.fail();
  assert.deepEqual(Buffer.from(first?.value ?? []), Buffer.alloc(100, 'x'));
  assert.equal(first?.value?.buffer.byteLength, 100);
  assert.equal(first.previous?.value.buffer.byteLength, 100);
  assert.deepEqual(second, { key: '/a', revision: 3, value: null, previous: undefined });
});
