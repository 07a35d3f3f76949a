import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lineLogger } from './logger.ts';

test('lineLogger binds fields, honours the level and hides credentials', () => {
  const lines: string[] = [];
  const logger = lineLogger((line) => lines.push(line), { now: () => 0 }).child({ component: 'test' });
  logger.debug('hidden');
  logger.info('hello', { password: 'hunter2', nested: { bearerToken: 'abc' }, count: 3 });
  assert.equal(lines.length, 1);
  assert.deepEqual(JSON.parse(lines[0] ?? ''), {
    time: '1970-01-01T00:00:00.000Z',
    level: 'info',
    message: 'hello',
    component: 'test',
    password: '[redacted]',
    nested: { bearerToken: '[redacted]' },
    count: 3,
  });
});
