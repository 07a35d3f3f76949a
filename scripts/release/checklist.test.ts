import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runChecklist } from './checklist.ts';

test('a checklist shows every step, what was left out, and stops at the first that fails', () => {
  const lines: string[] = [];
  const steps = [
    { name: 'build', run: () => '3 packages' },
    { name: 'images', run: () => ({ skipped: 'no docker here' }) },
    {
      name: 'tag',
      run: (): string => {
        throw new Error('v1 is another commit');
      },
    },
    { name: 'never', run: () => assert.fail('reached') },
  ];
  assert.equal(
    runChecklist(steps, (line) => lines.push(line)),
    false,
  );
  assert.deepEqual(lines, ['ok       build: 3 packages', 'skipped  images: no docker here', 'FAILED   tag: v1 is another commit']);
  assert.equal(
    runChecklist(steps.slice(0, 2), () => undefined),
    true,
  );
});
