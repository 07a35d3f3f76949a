import assert from 'node:assert/strict';
import { test } from 'node:test';
import { confirm } from './confirm.ts';
import { memoryStreams } from './memory-streams.ts';

test('only a yes from a terminal is one', async () => {
  for (const stdin of ['y\n', 'Yes\n', 'y'])
    assert.equal(await confirm(memoryStreams({ stdin, isTerminal: true }), 'Really?'), true, stdin);
  for (const stdin of ['', '\n', 'n\n', 'yo\n', 'no\nyes\n'])
    assert.equal(await confirm(memoryStreams({ stdin, isTerminal: true }), 'Really?'), false, stdin);
  const piped = memoryStreams({ stdin: 'y\n' });
  assert.equal(await confirm(piped, 'Really?'), false);
  assert.equal(piped.stderr.text, '');
});
