import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import type { StoredValue } from '../store.ts';
import { inRevisionOrder } from './revision-order.ts';
import type { StoreSnapshot } from './snapshot.ts';

const { signal } = new AbortController();

test('every object comes once, in the order of revisions, however little is held at once', async () => {
  const sizes = fc.array(fc.nat(50), { maxLength: 40 });
  await fc.assert(
    fc.asyncProperty(sizes, fc.integer({ min: 1, max: 200 }), fc.nat(45), async (sizes, maxBytes, skip) => {
      // Keys in the order of the array, revisions in an order of their own.
      const values = sizes.map((size, i): StoredValue => ({ key: `/${i}`, revision: ((i * 7) % 41) + 1, value: new Uint8Array(size) }));
      const snapshot: StoreSnapshot = {
        revision: 41,
        compactedRevision: 0,
        async *objects() {
          for (let i = 0; i < values.length; i += 3) yield values.slice(i, i + 3);
        },
      };
      const found: StoredValue[] = [];
      for await (const part of inRevisionOrder(snapshot, { signal, skip, maxBytes })) {
        const bytes = part.reduce((sum, { value }) => sum + value.length, 0);
        assert.ok(bytes <= maxBytes || part.filter(({ value }) => value.length > 0).length === 1);
        found.push(...part);
      }
      assert.deepEqual(found, values.toSorted((a, b) => a.revision - b.revision).slice(skip));
    }),
  );
});
