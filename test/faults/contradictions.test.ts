import assert from 'node:assert/strict';
import { test } from 'node:test';
import { contradictions } from './support/contradictions.ts';
import type { HistoryEvent, LoadRecord, WriteRecord } from './support/load-record.ts';

const added = (revision: number, name: string, writer: string): HistoryEvent => ({
  type: 'ADDED',
  revision,
  name,
  writer,
  uid: `uid-${name}`,
});
const modified = (revision: number, name: string, writer: string): HistoryEvent => ({ ...added(revision, name, writer), type: 'MODIFIED' });
const deleted = (revision: number, name: string, writer: string): HistoryEvent => ({ ...added(revision, name, writer), type: 'DELETED' });

const create: WriteRecord = { id: 'w1', verb: 'create', name: 'a', result: { kind: 'acknowledged', revision: 11 } };
const update: WriteRecord = { id: 'w2', verb: 'update', name: 'a', expected: 11, result: { kind: 'acknowledged', revision: 12 } };
const lost: WriteRecord = { id: 'w3', verb: 'create', name: 'b', result: { kind: 'unknown' } };
const refused: WriteRecord = { id: 'w4', verb: 'patch', name: 'a', result: { kind: 'refused', code: 503 } };
const removal: WriteRecord = { id: 'w5', verb: 'delete', name: 'a', result: { kind: 'acknowledged', uid: 'uid-a' } };
const history = [added(11, 'a', 'w1'), modified(12, 'a', 'w2'), added(13, 'b', 'w3'), deleted(14, 'a', 'w2')];
const good: LoadRecord = {
  from: 10,
  writes: [create, update, lost, refused, removal],
  acknowledged: [create, update, removal],
  reads: [
    { acknowledgedBefore: 1, name: 'a', found: new Map([['a', 12]]) },
    { acknowledgedBefore: 3, name: 'a', found: new Map() },
    {
      acknowledgedBefore: 1,
      revision: 13,
      found: new Map([
        ['a', 12],
        ['b', 13],
      ]),
    },
  ],
  follows: [{ from: 11, events: history.slice(1) }],
  history,
};

test('a record in which everything is as promised has no contradiction', () => {
  assert.deepEqual(contradictions(good), []);
  assert.deepEqual(
    contradictions({ ...good, history: history.filter(({ name }) => name === 'a'), reads: [], follows: [] }),
    [],
    'a lost write may be missing',
  );
});

const broken: readonly (readonly [what: string, change: Partial<LoadRecord>, told: RegExp])[] = [
  ['a write that is lost', { history: history.slice(1), follows: [], reads: [] }, /create w1 of a was acknowledged, and is not in history/],
  ['a deletion that is lost', { history: history.slice(0, 3), follows: [], reads: [] }, /delete w5 of a was acknowledged, and is not/],
  ['a write that is applied twice', { history: [...history, added(15, 'b', 'w3')] }, /create w3 of b was applied 2 times: 13, 15/],
  [
    'a refused write that happened',
    { history: [...history, added(15, 'a', 'w4')] },
    /patch w4 of a was refused with 503, and is revision 15/,
  ],
  [
    'a revision that is another',
    { writes: [{ ...create, result: { kind: 'acknowledged', revision: 12 } }, update, lost, removal] },
    /revision 12, and is 11/,
  ],
  ['a swap that compared nothing', { writes: [create, { ...update, expected: 9 }, lost, removal] }, /expected revision 9, and replaced 11/],
  ['a change of nobody', { history: [...history, added(15, 'c', 'w9')] }, /revision 15 of c is nobody's/],
  ['a deletion by nobody', { history: [...history, deleted(15, 'b', 'w3')] }, /b was deleted 1 times by 0 requests/],
  ['history out of order', { history: [...history, added(13, 'c', 'w3')] }, /history tells revision 13 of c after 14/],
  [
    'a stale read',
    { reads: [{ acknowledgedBefore: 2, name: 'a', found: new Map([['a', 11]]) }] },
    /a read of a after revision 12 was acknowledged returned 11/,
  ],
  [
    'a 404 for what exists',
    {
      reads: [
        { acknowledgedBefore: 1, name: 'b', found: new Map() },
        { acknowledgedBefore: 3, name: 'b', found: new Map() },
      ],
    },
    /a read of b after revision 14 was acknowledged returned nothing/,
  ],
  [
    'an object that comes back',
    { reads: [{ acknowledgedBefore: 3, name: 'a', found: new Map([['a', 12]]) }] },
    /a read of a after revision 14 .* returned 12/,
  ],
  [
    'a stale list',
    { reads: [{ acknowledgedBefore: 2, revision: 11, found: new Map([['a', 11]]) }] },
    /a list is of revision 11 after 12 was acknowledged/,
  ],
  [
    'an empty list',
    { reads: [{ acknowledgedBefore: 2, revision: 12, found: new Map() }] },
    /a list of revision 12 returned \{\} instead of \{a@12\}/,
  ],
  [
    'a gap in a watch',
    { follows: [{ from: 11, events: [history[1], history[3]].filter((event) => event !== undefined) }] },
    /watch 0 from 11 told 14 .* where history has 13/,
  ],
  [
    'a repetition in a watch',
    { follows: [{ from: 11, events: [history[1], history[1]].filter((event) => event !== undefined) }] },
    /told 12 .* where history has nothing/,
  ],
];

for (const [what, change, told] of broken) {
  test(`${what} is told`, () => assert.match(contradictions({ ...good, ...change }).join('\n'), told));
}
