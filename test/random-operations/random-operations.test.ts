import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { test } from 'node:test';
import { simulate } from './support/simulation.ts';

const seed = Number(process.env['RANDOM_SEED'] ?? randomInt(2 ** 31));

test('whatever people, other programs and kill -9 do, everything comes to what was asked for, and nothing is done twice', async () => {
  const { complaints, journal, story } = await simulate({ steps: 150, seed, checkEvery: 75 });
  const told = [`RANDOM_SEED=${seed}`, ...complaints.slice(0, 10), ...story.slice(-40), ...journal.slice(-40)];
  assert.deepEqual(complaints, [], told.join('\n'));
});
