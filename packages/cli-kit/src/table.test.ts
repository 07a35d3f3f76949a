import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '@arc/kernel';
import { memoryStreams } from './memory-streams.ts';
import { createTablePrinter } from './table.ts';

const columns = [
  { name: 'Name', type: 'string' },
  { name: 'Phase', type: 'string' },
  { name: 'Age', type: 'date' },
  { name: 'Message', type: 'string', priority: 1 },
];

const clock = new FakeClock(Date.parse('2026-01-01T01:00:00Z'));

test('a table looks as kubectl prints it', () => {
  const { stdout } = memoryStreams();
  createTablePrinter(stdout, columns, { clock }).print([
    ['a', 'Running', '2026-01-01T00:55:00Z', 'x'],
    ['a-longer-name', undefined, '5d', 'y'],
    ['n', true, null, 'z'],
  ]);
  assert.equal(
    stdout.text,
    [
      'NAME            PHASE     AGE',
      'a               Running   5m',
      'a-longer-name   <none>    5d',
      'n               true      <unknown>',
      '',
    ].join('\n'),
  );
});

test('wide adds the columns of lower priority, headers can be left out', () => {
  const { stdout } = memoryStreams();
  createTablePrinter(stdout, columns, { clock, wide: true, headers: false }).print([['a', 'P', '1s', 'm']]);
  assert.equal(stdout.text, 'a     P     1s    m\n');
});

test('a watch prints headers once and keeps its columns', () => {
  const { stdout } = memoryStreams();
  const printer = createTablePrinter(stdout, columns, { clock });
  printer.print([['a-long-name', 'Pending', '1s']]);
  printer.print([['b', 'P', '1s']]);
  assert.equal(stdout.text.split('\n')[2], 'b             P         1s');
  assert.equal(stdout.text.match(/NAME/g)?.length, 1);
});

test('cells stay on their line and cannot steer the terminal', () => {
  const { stdout } = memoryStreams();
  createTablePrinter(stdout, [{ name: 'Name' }], { headers: false }).print([['first\nsecond'], ['\u001B]0;title\u0007'], [{ a: 1 }]]);
  assert.equal(stdout.text, 'first...\n^[]0;title^G\n{"a":1}\n');
});
