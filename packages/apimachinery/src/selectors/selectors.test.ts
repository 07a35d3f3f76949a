import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import {
  checkFieldSelector,
  fieldsOf,
  matchesFields,
  parseFieldSelector,
  printFieldSelector,
  requiredFieldValue,
} from './field-selector.ts';
import type { FieldRequirement } from './field-selector.ts';
import { labelSelectorOf, matchesLabels, printLabelSelector } from './label-selector.ts';
import type { LabelRequirement } from './label-selector.ts';
import { parseLabelSelector } from './parse-label-selector.ts';
import { SelectorError } from './selector-error.ts';

const matches = (selector: string, labels: Record<string, string>): boolean => matchesLabels(parseLabelSelector(selector), labels);

test('2.4 label selectors: the whole grammar', () => {
  const cases: [selector: string, labels: Record<string, string>, expected: boolean][] = [
    ['', {}, true],
    ['a=b', { a: 'b' }, true],
    ['a==b', { a: 'b' }, true],
    ['a=b', {}, false],
    ['a!=b', {}, true],
    ['a!=b', { a: 'b' }, false],
    ['a', { a: '' }, true],
    ['!a', { a: '' }, false],
    [' ! a ', {}, true],
    ['a in (b,c)', { a: 'c' }, true],
    ['a in ( b , c )', { a: 'd' }, false],
    ['a notin (b,c)', {}, true],
    ['a notin (b)', { a: 'b' }, false],
    ['a in (,b)', { a: '' }, true],
    ['a in ()', { a: '' }, true],
    ['a=', { a: '' }, true],
    ['a=,b', { a: '', b: 'x' }, true],
    ['a>5', { a: '6' }, true],
    ['a>5', { a: '5' }, false],
    ['a>5', {}, false],
    ['a>5', { a: 'x' }, false],
    ['a<5', { a: '-1' }, true],
    ['a<9223372036854775807', { a: '9223372036854775806' }, true],
    ['a=b,c!=d,e', { a: 'b', e: '' }, true],
    ['example.com/x_y.z=Q-1', { 'example.com/x_y.z': 'Q-1' }, true],
    ['in in (in,notin)', { in: 'notin' }, true],
    ['notin', { notin: '' }, true],
    ['constructor', {}, false],
  ];
  for (const [selector, labels, expected] of cases)
    assert.equal(matches(selector, labels), expected, `${selector} ${JSON.stringify(labels)}`);
});

test('2.4 label selectors that cannot be read are 400', () => {
  const wrong = [
    '=',
    '!',
    'a b',
    'a in',
    'a in (b',
    'a in b',
    'a,',
    ',a',
    'a,,b',
    'a=b=c',
    'a>x',
    'a>',
    'a!',
    '!a=b',
    'a=b c',
    'a=(b)',
    '-a',
    'a/b/c',
    'a=-',
    'a in (b c)',
    'a>99999999999999999999',
  ];
  for (const selector of wrong) {
    assert.throws(
      () => parseLabelSelector(selector),
      (thrown) => thrown instanceof SelectorError && thrown.httpCode === 400,
      selector,
    );
  }
  assert.throws(() => parseLabelSelector('a b'), /unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, >, </);
});

const key = fc.constantFrom('a', 'b', 'in', 'notin', 'example.com/x', 'A_b.c');
const value = fc.constantFrom('', 'b', 'c', '5', 'in', 'x-y_z.1');
const requirement: fc.Arbitrary<LabelRequirement> = fc.oneof(
  fc.record({
    key,
    operator: fc.constantFrom('In', 'NotIn'),
    values: fc.uniqueArray(value, { minLength: 1 }).map((values) => values.sort()),
  }),
  fc.record({ key, operator: fc.constantFrom('Exists', 'DoesNotExist'), values: fc.constant([]) }),
  fc.record({
    key,
    operator: fc.constantFrom('GreaterThan', 'LessThan'),
    values: fc.integer().map((number) => [String(Math.abs(number))]),
  }),
);
const selector = fc
  .array(requirement, { maxLength: 4 })
  .map((requirements) => requirements.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0)));
const labels = fc.dictionary(key, value);

const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

test('label selectors: parsing what was printed gives the same selector', () => {
  fc.assert(fc.property(selector, (given) => assert.deepEqual(parseLabelSelector(printLabelSelector(given)), plain(given))));
});

test('label selectors: laws of matching', () => {
  fc.assert(
    fc.property(selector, selector, labels, key, fc.uniqueArray(value, { minLength: 1 }), (one, two, given, name, values) => {
      assert.equal(matchesLabels([...one, ...two], given), matchesLabels(one, given) && matchesLabels(two, given));
      const opposite = (a: LabelRequirement, b: LabelRequirement): void =>
        assert.notEqual(matchesLabels([a], given), matchesLabels([b], given));
      opposite({ key: name, operator: 'In', values }, { key: name, operator: 'NotIn', values });
      opposite({ key: name, operator: 'Exists', values: [] }, { key: name, operator: 'DoesNotExist', values: [] });
    }),
  );
});

test('label selectors in object form', () => {
  const object = {
    matchLabels: { a: 'b' },
    matchExpressions: [
      { key: 'c', operator: 'In', values: ['d', 'e'] },
      { key: 'f', operator: 'DoesNotExist' },
    ],
  } as const;
  assert.equal(printLabelSelector(labelSelectorOf(object)), 'a=b,c in (d,e),!f');
  assert.throws(() => labelSelectorOf({ matchExpressions: [{ key: 'c', operator: 'In' }] }), SelectorError);
  assert.throws(() => labelSelectorOf({ matchExpressions: [{ key: 'c', operator: 'Exists', values: ['x'] }] }), SelectorError);
});

test('2.4 field selectors', () => {
  const fields = fieldsOf({ metadata: { name: 'w', namespace: 'ns' }, spec: { type: 'a,b', n: 3, ok: true, o: {} } }, [
    'spec.type',
    'spec.n',
    'spec.ok',
    'spec.o',
    'spec.x.y',
  ]);
  assert.deepEqual(fields, {
    'metadata.name': 'w',
    'metadata.namespace': 'ns',
    'spec.type': 'a,b',
    'spec.n': '3',
    'spec.ok': 'true',
    'spec.o': '',
    'spec.x.y': '',
  });
  const cases: [selector: string, expected: boolean][] = [
    ['', true],
    ['metadata.name=w', true],
    ['metadata.name==w,metadata.namespace!=x', true],
    ['metadata.name!=w', false],
    [String.raw`spec.type=a\,b`, true],
    ['spec.n=3', true],
    ['spec.x.y=', true],
    ['spec.unknown!=a', true],
  ];
  for (const [text, expected] of cases) assert.equal(matchesFields(parseFieldSelector(text), fields), expected, text);
  assert.equal(requiredFieldValue(parseFieldSelector('metadata.namespace!=a,metadata.name=w'), 'metadata.name'), 'w');
  for (const text of ['metadata.name', 'a=b=c', String.raw`a=\b`, 'a=b\\'])
    assert.throws(() => parseFieldSelector(text), SelectorError, text);
});

test('2.3 an unknown field selector names the known ones', () => {
  assert.throws(() => checkFieldSelector(parseFieldSelector('spec.x=1')), {
    message: '"spec.x" is not a known field selector: only "metadata.name", "metadata.namespace"',
  });
  assert.doesNotThrow(() => checkFieldSelector(parseFieldSelector('spec.x=1,metadata.name=w'), ['spec.x']));
});

test('field selectors: parsing what was printed gives the same selector', () => {
  const one: fc.Arbitrary<FieldRequirement> = fc.record({
    field: fc.constantFrom('metadata.name', 'spec.type'),
    operator: fc.constantFrom('=', '!='),
    value: fc.oneof(fc.string(), fc.constantFrom('\\', ',', '=', '\\,=', '==')),
  });
  fc.assert(fc.property(fc.array(one), (given) => assert.deepEqual(parseFieldSelector(printFieldSelector(given)), plain(given))));
});
