import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ArcError } from '@arc/kernel';
import { reportError, UsageError } from './command-errors.ts';
import { didYouMean } from './did-you-mean.ts';
import { exitCodeFor } from './exit-codes.ts';
import { memoryStreams } from './memory-streams.ts';

test('an error says code, message and hint', () => {
  const { stderr } = memoryStreams();
  reportError(stderr, new ArcError('NotFound', 'orders "x" not found', { hint: 'List them with arcctl get orders.' }));
  assert.equal(stderr.text, 'error[NotFound]: orders "x" not found\nhint: List them with arcctl get orders.\n');
});

test('as JSON it is one object on one line', () => {
  const { stderr } = memoryStreams();
  reportError(stderr, new UsageError('bad\nflag', { details: { flag: '--x' } }), { json: true });
  assert.equal(stderr.text, '{"error":{"code":"Usage","message":"bad\\nflag","details":{"flag":"--x"}}}\n');
});

test('verbose adds the chain of causes', () => {
  const { stderr } = memoryStreams();
  reportError(stderr, new ArcError('A', 'outer', { cause: new Error('inner \u001B[2J') }), { verbose: true });
  assert.match(stderr.text, /^error\[A\]: outer\n[^]*caused by: Error: inner \^\[\[2J/);
});

test('anything thrown is reported', () => {
  const { stderr } = memoryStreams();
  reportError(stderr, 'text');
  reportError(stderr, Object.assign(new Error('connect'), { code: 'ECONNREFUSED' }));
  assert.equal(stderr.text, 'error[Unexpected]: text\nerror[ECONNREFUSED]: connect\n');
});

test('exit codes follow the error code', () => {
  for (const [thrown, code] of [
    [new UsageError('x'), 2],
    [new ArcError('NotFound', 'x'), 3],
    [new ArcError('Forbidden', 'x'), 4],
    [new ArcError('AlreadyExists', 'x'), 5],
    [new ArcError('Timeout', 'x'), 6],
    [new ArcError('OrderFailed', 'x'), 7],
    [new DOMException('stop', 'AbortError'), 130],
    [new ArcError('constructor', 'x'), 1],
    [undefined, 1],
  ] as const) {
    assert.equal(exitCodeFor(thrown), code);
  }
});

test('a slip is recognised, something else is not', () => {
  const kinds = ['orders', 'endpoints', 'artifacttypes', 'workflows'];
  assert.equal(didYouMean('oders', kinds), 'orders');
  assert.equal(didYouMean('ednpoints', kinds), 'endpoints');
  assert.equal(didYouMean('Workflow', kinds), 'workflows');
  assert.equal(didYouMean('pods', kinds), undefined);
  assert.equal(didYouMean('', kinds), undefined);
});
