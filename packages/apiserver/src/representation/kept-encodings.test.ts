import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { KeptEncodings } from './kept-encodings.ts';

const step = fc.record({
  source: fc.nat(9),
  form: fc.constantFrom('a', 'b'),
  size: fc.nat(30),
  act: fc.constantFrom('get', 'set', 'delete'),
});

test('what is kept is the newest of its source and form, and never more than the limit', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 500, size: 'max' }), fc.integer({ min: 20, max: 200 }), (steps, limit) => {
      const kept = new KeptEncodings<{ readonly size: number }>(limit, ({ size }) => size);
      const sources = Array.from({ length: 10 }, () => ({}));
      const newest = new Map<string, { readonly size: number }>();
      for (const { source, form, size, act } of steps) {
        const key = sources[source] ?? {};
        const encoding = { size };
        if (act === 'set') {
          kept.set(key, form, encoding);
          newest.set(`${source} ${form}`, encoding);
        } else if (act === 'delete') {
          kept.delete(key, form);
          newest.delete(`${source} ${form}`);
        }
        const found = kept.get(key, form);
        if (found !== undefined) assert.equal(found, newest.get(`${source} ${form}`));
        else if (act === 'set') assert.ok(size > limit / 2, 'what was just kept is there');
        assert.ok(kept.bytes >= 0 && kept.bytes <= limit, `${kept.bytes} of ${limit}`);
      }
    }),
  );
});

test('what is asked for stays, what nobody asks for goes', () => {
  const kept = new KeptEncodings<string>(100, ({ length }) => length);
  const [used, unused] = [{}, {}];
  kept.set(used, 'form', 'used');
  kept.set(unused, 'form', 'unused');
  for (let n = 0; n < 100; n++) {
    kept.set({}, 'form', 'x'.repeat(10));
    assert.equal(kept.get(used, 'form'), 'used');
  }
  assert.equal(kept.get(unused, 'form'), undefined);
  assert.ok(kept.bytes <= 100);
});
