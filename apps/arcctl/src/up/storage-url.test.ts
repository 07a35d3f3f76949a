import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseStorageUrl } from './storage-url.ts';

test('parseStorageUrl reads files and memory', () => {
  assert.deepEqual(parseStorageUrl('memory:'), { kind: 'memory' });
  assert.deepEqual(parseStorageUrl('sqlite:./arc.db'), { kind: 'sqlite', file: './arc.db' });
  assert.deepEqual(parseStorageUrl('sqlite:/var/lib/arc.db'), { kind: 'sqlite', file: '/var/lib/arc.db' });
  assert.deepEqual(parseStorageUrl('sqlite:///var/lib/arc.db'), { kind: 'sqlite', file: '/var/lib/arc.db' });
});

test('parseStorageUrl names what it takes when it refuses', () => {
  for (const url of ['', 'sqlite:', 'mysql://x', 'memory', 'arc.db']) {
    assert.throws(() => parseStorageUrl(url), { hint: 'Write sqlite:FILE or memory:' }, url);
  }
});
