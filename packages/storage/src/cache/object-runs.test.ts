import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { compareKeys } from '../key-order.ts';
import type { CachedObject, ListOptions, ListResult, ObjectRun } from './contract.ts';
import { openWatchCache } from './watch-cache.ts';
import { OrderWriter, orders, pathsOf } from './testing.ts';

const path = fc.tuple(fc.constantFrom('a', 'a-b', 'b'), fc.nat({ max: 150 })).map(([namespace, n]) => `${namespace}/o${n}`);
const write = fc.record({ path, phase: fc.constantFrom('1', '2', '3'), remove: fc.boolean() });
const selection = fc.record(
  { namespace: fc.constantFrom('', 'a', 'b'), phase: fc.constantFrom('1', '2'), limit: fc.integer({ min: 1, max: 200 }), ago: fc.nat(30) },
  { requiredKeys: ['ago'] },
);

/** What every list must be, whatever it is cut from. */
function expected(model: ReadonlyMap<string, string>, { namespace = '', phase }: { namespace?: string; phase?: string }): string[] {
  return [...model.entries()]
    .filter(([key, value]) => (namespace === '' || key.startsWith(`${namespace}/`)) && (phase === undefined || value === phase))
    .map(([key]) => key)
    .toSorted(compareKeys);
}

test('runs hold what was at a revision, in order, page by page, and kept ones are segments of the cache', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(write, { minLength: 400, maxLength: 500, size: 'max' }), selection, async (writes, chosen) => {
      const writer = new OrderWriter();
      await using cache = await openWatchCache(writer.store, { resources: [orders] });
      const resource = cache.resource(orders);
      const model = new Map<string, string>();
      const models: ReadonlyMap<string, string>[] = [];
      for (const [index, { path, phase, remove }] of writes.entries()) {
        // Grows first, so that there are several segments, then shrinks and changes.
        if (remove && index > 300 && model.has(path)) {
          await writer.delete(path);
          model.delete(path);
        } else {
          await writer.put(path, { phase });
          model.set(path, phase);
        }
        models.push(new Map(model));
      }
      await cache.waitUntilFresh();
      const { namespace, phase, limit, ago } = chosen;
      const options: ListOptions = {
        at: cache.revision - ago,
        ...(namespace !== undefined && { namespace }),
        ...(phase !== undefined && { filter: (object: CachedObject) => object.field('phase') === phase }),
        ...(limit !== undefined && { limit }),
      };
      const wanted = expected(models.at(-1 - ago) ?? model, {
        ...(namespace !== undefined && { namespace }),
        ...(phase !== undefined && { phase }),
      });
      const segments = new Set(resource.list().runs.map(({ segment }) => segment));

      const paths: string[] = [];
      let next: string | undefined;
      do {
        const page: ListResult = resource.list({ ...options, ...(next !== undefined && { after: next }) });
        assert.deepEqual(page.runs.flatMap(sliceOf), page.objects);
        assert.equal(page.size, page.objects.length);
        assert.ok(page.runs.every(({ segment, from, to, kept }) => from < to && (!kept || segments.has(segment))));
        assert.ok(page.objects.length <= (limit ?? Number.POSITIVE_INFINITY));
        paths.push(...pathsOf(page.objects));
        if (page.remaining !== undefined) assert.equal(page.remaining, wanted.length - paths.length);
        next = page.next;
      } while (next !== undefined);
      assert.deepEqual(paths, wanted);
    }),
    { numRuns: 25 },
  );
});

test('lists share the segments in which nothing has changed', async () => {
  const writer = new OrderWriter();
  const number = (n: number): string => `n/${String(n).padStart(3, '0')}`;
  for (let n = 0; n < 300; n++) await writer.put(number(n));
  await using cache = await openWatchCache(writer.store, { resources: [orders] });
  const resource = cache.resource(orders);
  const before = resource.list();
  assert.ok(before.runs.length >= 300 / 64 && before.runs.every(({ kept }) => kept));
  await writer.put(number(100), { phase: 'new' });
  await cache.waitUntilFresh();
  const sharedWith = (runs: readonly ObjectRun[]): number =>
    before.runs.filter(({ segment }) => runs.some((run) => run.kept && run.segment === segment)).length;
  assert.equal(sharedWith(resource.list().runs), before.runs.length - 1);
  assert.equal(sharedWith(resource.list({ at: before.revision }).runs), before.runs.length - 1, 'a snapshot shares them, too');
  assert.equal(
    sharedWith(resource.list({ filter: (object) => object.field('phase') === '' }).runs),
    before.runs.length - 1,
    'or a selection',
  );
});

function sliceOf({ segment, from, to }: ObjectRun): readonly CachedObject[] {
  return segment.slice(from, to);
}
