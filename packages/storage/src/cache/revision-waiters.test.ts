import assert from 'node:assert/strict';
import { test } from 'node:test';
import { settle } from '../conformance/support.ts';
import { FreshnessQueries } from './revision-waiters.ts';

test('a question that has been sent is not joined; the next one is shared', async () => {
  const sent: PromiseWithResolvers<number>[] = [];
  const queries = new FreshnessQueries(() => {
    const question = Promise.withResolvers<number>();
    sent.push(question);
    return question.promise;
  });
  const first = queries.query();
  await settle();
  assert.equal(sent.length, 1);
  const later = [queries.query(), queries.query(new AbortController().signal)];
  await settle();
  assert.equal(sent.length, 1, 'one question at a time');
  sent[0]?.resolve(7);
  assert.equal(await first, 7);
  await settle();
  assert.equal(sent.length, 2);
  const last = queries.query();
  sent[1]?.resolve(9);
  assert.deepEqual(await Promise.all(later), [9, 9]);
  await settle();
  sent[2]?.resolve(11);
  assert.equal(await last, 11);
});

test('callers of one turn share a question, a failure is theirs alone, and leaving early is allowed', async () => {
  let asked = 0;
  const queries = new FreshnessQueries(async () => {
    asked += 1;
    if (asked === 1) throw new Error('down');
    return asked;
  });
  const stop = new AbortController();
  const failing = [queries.query(), queries.query()].map((query) => assert.rejects(query, /down/));
  const leaving = assert.rejects(queries.query(stop.signal), /left/);
  stop.abort(new Error('left'));
  await Promise.all([...failing, leaving]);
  assert.equal(asked, 1);
  assert.equal(await queries.query(), 2);
});
