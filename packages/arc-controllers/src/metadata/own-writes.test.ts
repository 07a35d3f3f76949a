import type { KubeObject } from '@arc/apimachinery';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OwnWrites } from './own-writes.ts';

function version(resourceVersion: string, uid = 'u'): KubeObject {
  return { apiVersion: 'v1', kind: 'Thing', metadata: { name: 'x', uid, resourceVersion } };
}

test('an object is behind exactly while it looks as it did before the last write', () => {
  const writes = new OwnWrites();
  assert.equal(writes.isBehind(version('1')), false);
  writes.note(version('1'), version('2'));
  assert.equal(writes.isBehind(version('1')), true);
  assert.equal(writes.isBehind(version('2')), false);
  assert.equal(writes.isBehind(version('1', 'another')), false);
  writes.note(version('2'), version('2'));
  assert.equal(writes.isBehind(version('2')), false, 'a write that changed nothing brings no event to wait for');
  writes.note(version('2'), version('3'));
  writes.forget(version('2'));
  assert.equal(writes.isBehind(version('2')), false);
});
