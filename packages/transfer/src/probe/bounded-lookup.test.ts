import assert from 'node:assert/strict';
import type { LookupAddress } from 'node:dns';
import { test } from 'node:test';
import { boundedLookup } from './bounded-lookup.ts';

test('names are looked up two at a time, in order, and not for those who have gone', () => {
  const begun: string[] = [];
  const answers: (() => void)[] = [];
  const seen: string[] = [];
  const lookup = boundedLookup({
    lookup: (hostname, _options, answered) => {
      begun.push(hostname);
      answers.push(() => answered(null, [{ address: '192.0.2.1', family: 4 }]));
    },
  });
  const gone = new AbortController();
  const here = new AbortController();
  const ask = (name: string, signal: AbortSignal): void =>
    lookup(name, { all: true }, signal, (_error, addresses: LookupAddress[]) => void seen.push(`${name} ${addresses[0]?.address}`));
  for (const name of ['a', 'b']) ask(name, here.signal);
  ask('c', gone.signal);
  for (const name of ['d', 'e']) ask(name, here.signal);
  assert.deepEqual(begun, ['a', 'b']);
  gone.abort();
  answers[0]?.();
  assert.deepEqual(begun, ['a', 'b', 'd'], 'one leaves, one begins, and nobody waits for c');
  answers[1]?.();
  answers[2]?.();
  answers[3]?.();
  assert.deepEqual(seen, ['a 192.0.2.1', 'b 192.0.2.1', 'd 192.0.2.1', 'e 192.0.2.1']);
});
