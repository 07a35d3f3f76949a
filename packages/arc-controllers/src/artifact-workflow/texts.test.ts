import type { NodeStatus } from '@arc/api/argo';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { cleanText } from './clean-text.ts';
import { failedPods, podNameOf, stepsOf } from './steps.ts';

test('text from elsewhere loses escape sequences and control characters', () => {
  assert.equal(cleanText('\u001b[31mred\u001b[0m\ttab\r\nline\u0000\u0007\u001b]0;title\u0007.', { maxBytes: 100 }), 'red\ttab\nline.');
  assert.equal(cleanText('a\u202eb\u2066c', { maxBytes: 100 }), 'abc', 'no reordering of what people read');
});

test('text is cut at the wanted end, never within a character', () => {
  assert.equal(cleanText('äöü'.repeat(10), { maxBytes: 10 }), 'äöü…');
  assert.equal(cleanText('äöü'.repeat(10), { maxBytes: 10, keep: 'end' }), '…äöü');
  fc.assert(
    fc.property(
      fc.string({ unit: 'grapheme', maxLength: 80 }),
      fc.integer({ min: 4, max: 60 }),
      fc.constantFrom('beginning', 'end'),
      (text, maxBytes, keep) => {
        const result = cleanText(text, { maxBytes, keep: keep as 'beginning' | 'end' });
        assert.ok(Buffer.byteLength(result) <= maxBytes);
        assert.ok(!result.includes('\ufffd') || text.includes('\ufffd'));
        assert.doesNotMatch(result, /[\u0000-\u0008\u000b-\u001f\u007f]/);
      },
    ),
  );
});

function node(id: string, extra: Partial<NodeStatus>): NodeStatus {
  return { id, name: id, displayName: id, type: 'Pod', phase: 'Succeeded', ...extra };
}

test('pods are found by Argo names, also below nested steps (reference weakness 11)', () => {
  assert.equal(podNameOf('wf', node('wf', { name: 'wf' })), 'wf');
  assert.equal(
    podNameOf('my-wf', node('my-wf-123', { name: 'my-wf[0].inner[1].pull', templateName: 'pull', boundaryID: 'my-wf-9' })),
    'my-wf-pull-123',
  );
  assert.ok(podNameOf('wf', node('wf-1', { name: 'x', templateName: 't'.repeat(300) })).length <= 253);
});

test('of a retried step only the last attempt counts as failed; order is that of ending', () => {
  const nodes = Object.fromEntries(
    [
      node('r', { type: 'Retry', phase: 'Failed', children: ['r0', 'r1'] }),
      node('r0', { phase: 'Failed', finishedAt: '2026-01-01T00:00:01Z' }),
      node('r1', { phase: 'Failed', finishedAt: '2026-01-01T00:00:09Z' }),
      node('ok', { type: 'Retry', phase: 'Succeeded', children: ['ok0', 'ok1'] }),
      node('ok0', { phase: 'Failed', finishedAt: '2026-01-01T00:00:02Z' }),
      node('ok1', {}),
      node('e', { phase: 'Error', finishedAt: '2026-01-01T00:00:05Z' }),
      node('group', { type: 'StepGroup', phase: 'Failed' }),
    ].map((entry) => [entry.id, entry]),
  );
  assert.deepEqual(
    failedPods(nodes).map(({ id }) => id),
    ['e', 'r1'],
  );
});

test('the step summary is in order of start and keeps quiet about what steps say unless it can be redacted', () => {
  const nodes = {
    b: node('b', { startedAt: '2026-01-01T00:00:02Z', message: 'password hunter2' }),
    a: node('a', { startedAt: '2026-01-01T00:00:01Z', phase: 'Failed', finishedAt: '2026-01-01T00:00:03Z' }),
    root: node('root', { type: 'Steps' }),
  };
  assert.deepEqual(stepsOf(nodes), [
    { name: 'a', phase: 'Failed', startTime: '2026-01-01T00:00:01Z', completionTime: '2026-01-01T00:00:03Z' },
    { name: 'b', phase: 'Succeeded', startTime: '2026-01-01T00:00:02Z' },
  ]);
  assert.equal(stepsOf(nodes, (text) => text.replace('hunter2', '[redacted]'))[1]?.message, 'password [redacted]');
});
