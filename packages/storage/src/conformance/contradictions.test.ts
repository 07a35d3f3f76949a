import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ChangeEvent } from '../store.ts';
import { contradictions } from './contradictions.ts';
import type { Recorded, RecordedWrite } from './recorded-history.ts';
import { text } from './support.ts';

const log: readonly ChangeEvent[] = [
  { key: '/a', revision: 1, value: text('v1'), previous: undefined },
  { key: '/a', revision: 2, value: text('v2'), previous: { key: '/a', revision: 1, value: text('v1') } },
  { key: '/b', revision: 3, value: text('v3'), previous: undefined },
];

const committed = (revision: number, key: string, met = 0): RecordedWrite => ({
  kind: 'write',
  key,
  expect: met === 0 ? 'absent' : met,
  value: `v${revision}`,
  began: revision * 10,
  ended: revision * 10 + 5,
  outcome: 'committed',
  revision,
  met,
});
const [first, second, third] = [committed(1, '/a'), committed(2, '/a', 1), committed(3, '/b')];
const later = { began: 50, ended: 60 };

const check = (...recorded: readonly Recorded[]): string => contradictions(recorded, log).join('\n');
const checkAll = (...recorded: readonly Recorded[]): string => check(first, second, third, ...recorded);

test('what agrees with one sequence is let pass', () => {
  const read = { kind: 'read', key: '/a', ...later } as const;
  assert.equal(checkAll({ ...read, found: 2 }, { ...read, key: '/c', found: 0 }), '');
  assert.equal(checkAll({ ...read, began: 12, ended: 13, found: 0 }), '', 'a read beside a write may see what was there before it');
  assert.equal(checkAll({ ...read, began: 12, ended: 13, found: 1 }), '', 'or what it wrote');
  assert.equal(checkAll({ kind: 'snapshot', ...later, revision: 3, found: new Map([['/a', 2], ['/b', 3]]) }), ''); // prettier-ignore
  assert.equal(checkAll({ ...second, ...later, outcome: 'refused', revision: 0, met: 2 }), '');
  assert.equal(checkAll({ ...second, ...later, value: 'v9', outcome: 'unknown', revision: 0, met: 0 }), '');
});

test('a stale read, an invented one and a torn snapshot are found', () => {
  const read = { kind: 'read', key: '/a', ...later } as const;
  const snapshot = { kind: 'snapshot', ...later } as const;
  assert.match(checkAll({ ...read, found: 1 }), /stale/);
  assert.match(checkAll({ ...read, found: 0 }), /stale/);
  assert.match(checkAll({ ...read, key: '/b', found: 9 }), /invented/);
  assert.match(checkAll({ ...read, began: 1, ended: 9, found: 1 }), /invented/, 'from the future');
  assert.match(checkAll({ ...snapshot, revision: 2, found: undefined }), /snapshot out of order/);
  assert.match(checkAll({ ...snapshot, revision: 4, found: undefined }), /snapshot out of order/);
  assert.match(checkAll({ ...snapshot, revision: 3, found: new Map([['/b', 3], ['/a', 1]]) }), /not of the snapshot/); // prettier-ignore
});

test('a lost update, a write out of order and one given a revision twice are found', () => {
  assert.match(check(first, { ...second, expect: 'absent', met: 0 }, third), /lost an update/);
  assert.match(checkAll({ ...second, ...later }), /given twice/);
  assert.match(check(first, { ...second, ...later }, third), /before what was acknowledged/);
  assert.match(checkAll({ ...second, ...later, expect: 2, outcome: 'refused', revision: 0, met: 2 }), /though it matched/);
  assert.match(checkAll({ ...second, ...later, outcome: 'refused', revision: 0, met: 1 }), /for no reason/);
});

test('a refusal that does not tell what it met needs a reason, too', () => {
  const refused = { ...second, outcome: 'refused', revision: 0, met: undefined } as const;
  assert.equal(checkAll({ ...refused, ...later }), '', 'another value was there');
  assert.equal(checkAll({ ...refused, began: 12, ended: 23 }), '', 'a write beside it put one there');
  assert.match(checkAll({ ...refused, began: 17, ended: 18 }), /for no reason/);
  assert.equal(checkAll({ ...refused, ...later, expect: 'absent' }), '');
  assert.equal(checkAll({ ...refused, ...later, key: '/c' }), '', 'a value that never was');
  assert.match(checkAll({ ...refused, ...later, key: '/c', expect: 'absent' }), /for no reason/);
});

test('what is in the log and in no answer, or the other way round, is found', () => {
  assert.match(check(first, second), /nobody wrote revision 3/);
  assert.match(check(first, second, { ...third, outcome: 'failed', revision: 0 }), /nobody wrote revision 3/);
  assert.equal(check(first, second, { ...third, outcome: 'unknown', revision: 0 }), '', 'an unknown outcome may explain it');
  assert.match(checkAll(committed(4, '/c')), /not in the log/);
  const twice = [...log, { key: '/c', revision: 4, value: text('v3'), previous: undefined }];
  assert.match(contradictions([first, second, third], twice).join(), /nobody wrote revision 4/);
});

test('revisions may have gaps only where others raise them', () => {
  const gaps = log.filter(({ key }) => key === '/b');
  const read = { kind: 'snapshot', ...later, revision: 5, found: new Map([['/b', 3]]) } as const;
  assert.match(contradictions([third], gaps).join(), /change 1 of the log has revision 3/);
  assert.deepEqual(contradictions([third, read], gaps, { gapFree: false }), []);
  assert.match(contradictions([third, { ...read, revision: 2 }], gaps, { gapFree: false }).join(), /out of order/);
});
