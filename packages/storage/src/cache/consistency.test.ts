import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { plain, settle } from '../conformance/support.ts';
import { createMemoryStore } from '../memory/memory-store.ts';
import type { Store } from '../store.ts';
import type { CachedObject, ListOptions, ListResult, ObjectFilter, ResourceCache, Selection } from './contract.ts';
import { spliceRevision } from './splice.ts';
import { jsonOf, orderJson, orderKey, orders } from './testing.ts';
import { openWatchCache } from './watch-cache.ts';

const path = fc.constantFrom('a/x', 'a/y', 'a-b/x', 'a-b/z', 'b/x', 'b/y', 'b/z');
const write = fc.record({
  path,
  color: fc.constantFrom('red', 'blue', undefined),
  phase: fc.constantFrom('Done', 'Failed', undefined),
  owners: fc.subarray(['u1', 'u2']),
  remove: fc.boolean(),
  settle: fc.boolean(),
});
const red: ObjectFilter = ({ labels }) => labels['color'] === 'red';
const isRed = { by: 'label', name: 'color', values: ['red'] } as const;
const hasColor = { by: 'label', name: 'color', values: ['blue', 'red', 'none'] } as const;
const isDone = { by: 'field', name: 'phase', values: ['Done'] } as const;
const hasNoPhase = { by: 'field', name: 'phase', values: [''] } as const;
const isX = { by: 'field', name: 'metadata.name', values: ['x'] } as const;
const isInB = { by: 'field', name: 'metadata.namespace', values: ['b'] } as const;
const isOwned = { by: 'owner', values: ['u1', 'u2'] } as const;
const isOfFirst = { by: 'owner', values: ['u1'] } as const;

/** Selections with requirements, and the same as a filter that looks at every object. */
const required: readonly (readonly [Selection, ObjectFilter])[] = [
  [{ requirements: [isRed] }, red],
  [{ requirements: [hasColor] }, ({ labels }) => labels['color'] !== undefined],
  [{ requirements: [isDone, isRed] }, (object) => object.field('phase') === 'Done' && red(object)],
  [{ requirements: [hasNoPhase], filter: red }, (object) => object.field('phase') === '' && red(object)],
  [{ requirements: [isX] }, ({ name }) => name === 'x'],
  [{ requirements: [isX], namespace: 'a-b' }, ({ name, namespace }) => name === 'x' && namespace === 'a-b'],
  [{ requirements: [isInB] }, ({ namespace }) => namespace === 'b'],
  [{ requirements: [isInB], namespace: 'a' }, () => false],
  [{ requirements: [isX, isInB, isRed] }, (object) => object.key === orderKey('b/x') && red(object)],
  [{ requirements: [isOfFirst] }, (object) => ownersOf(object).includes('u1')],
  [{ requirements: [isOwned] }, (object) => ownersOf(object).length > 0],
  [{ requirements: [isRed], namespace: 'b' }, (object) => object.namespace === 'b' && red(object)],
];
const selections: readonly Selection[] = [
  {},
  { namespace: 'a' },
  { filter: red },
  { namespace: 'b', filter: red },
  ...required.map(([selection]) => selection),
];

function ownersOf({ metadata }: CachedObject): readonly string[] {
  const { ownerReferences = [] } = jsonOf(metadata) as { readonly ownerReferences?: readonly { readonly uid: string }[] };
  return ownerReferences.map(({ uid }) => uid);
}

test('LIST at a revision and WATCH from it give the final state, for every selection, and the cache equals the store', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(write, { maxLength: 60, size: 'max' }),
      fc.array(fc.nat(60), { maxLength: 4 }),
      fc.nat(60),
      async (writes, starts, openedAt) => {
        await using store = createMemoryStore();
        await apply(store, writes.slice(0, openedAt));
        await using cache = await openWatchCache(store, { resources: [orders] });
        const resource = cache.resource(orders);
        const replicas: Replica[] = [];
        for (const [i, each] of writes.slice(openedAt).entries()) {
          if (starts.includes(i)) replicas.push(...selections.map((selection) => new Replica(resource, selection)));
          await apply(store, [each]);
          if (each.settle) await settle();
        }
        await cache.waitUntilFresh();
        await settle();
        for (const replica of replicas) assert.deepEqual(replica.state(), replica.expected());
        for (let at = 0; at <= cache.revision; at++) {
          const { items } = await store.range({ prefix: orders.prefix, revision: at });
          const expected = items.map(({ key, revision, value }) => ({
            key,
            revision,
            value: spliceRevision(value, revision)?.bytes ?? value,
          }));
          const held = resource.list({ at }).objects.map(({ key, revision, bytes }) => ({ key, revision, value: bytes }));
          assert.deepEqual(held.map(plain), expected.map(plain), `at ${at}`);
          for (const selection of selections) assertPagesAgree(resource, at, selection);
          for (const [selection, filter] of required) assertSameLists(resource, at, selection, filter);
        }
      },
    ),
    { numRuns: 60 },
  );
});

/** A client: lists, then watches from the revision of the list. */
class Replica {
  readonly #resource: ResourceCache;
  readonly #selection: Selection;
  readonly #held = new Map<string, string>();
  #revision: number;

  constructor(resource: ResourceCache, selection: Selection) {
    this.#resource = resource;
    this.#selection = selection;
    const { revision, objects } = resource.list(selection);
    this.#revision = revision;
    for (const object of objects) this.#held.set(object.key, contentOf(object));
    void this.#follow();
  }

  state(): readonly string[] {
    return [...this.#held.values()].sort();
  }

  expected(): readonly string[] {
    return this.#resource
      .list(this.#selection)
      .objects.map((object) => contentOf(object))
      .sort();
  }

  async #follow(): Promise<void> {
    try {
      for await (const { revision, events } of this.#resource.watch({ ...this.#selection, after: this.#revision })) {
        for (const { type, object } of events) {
          assert.ok(object.revision > this.#revision && object.revision <= revision, 'in order, once');
          this.#revision = object.revision;
          assert.equal(this.#held.has(object.key), type !== 'ADDED', `${type} of ${object.key}`);
          if (type === 'DELETED') this.#held.delete(object.key);
          else this.#held.set(object.key, contentOf(object));
        }
        this.#revision = revision;
      }
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'Closed')) this.#held.set('failed', String(error));
    }
  }
}

function contentOf(object: CachedObject): string {
  return Buffer.from(object.bytes).toString();
}

/** Pages of any size, from one snapshot, are the list; what remains is counted right. */
function assertPagesAgree(resource: ResourceCache, at: number, selection: Selection): void {
  const whole = resource.list({ ...selection, at }).objects;
  const paged: CachedObject[] = [];
  let after: string | undefined;
  do {
    const page = resource.list({ ...selection, at, limit: 2, ...(after !== undefined && { after }) });
    paged.push(...page.objects);
    if (selection.filter === undefined && selection.requirements === undefined && page.next !== undefined)
      assert.equal(page.remaining, whole.length - paged.length);
    after = page.next;
  } while (after !== undefined);
  assert.deepEqual(
    paged.map(({ key, revision }) => [key, revision]),
    whole.map(({ key, revision }) => [key, revision]),
  );
}

/** What an index finds is what a look at every object finds, in the same order and pages. */
function assertSameLists(resource: ResourceCache, at: number, selection: Selection, filter: ObjectFilter): void {
  for (const page of [{}, { limit: 1 }, { limit: 2, after: orderKey('a/x') }] satisfies ListOptions[]) {
    const shown = ({ revision, next, remaining, objects }: ListResult): unknown => [revision, next, remaining, objects.map(contentOf)];
    assert.deepEqual(shown(resource.list({ ...selection, ...page, at })), shown(resource.list({ filter, ...page, at })));
  }
}

interface Write {
  readonly path: string;
  readonly color: string | undefined;
  readonly phase: string | undefined;
  readonly owners: readonly string[];
  readonly remove: boolean;
}

async function apply(store: Store, writes: readonly Write[]): Promise<void> {
  for (const { path, color, phase, owners, remove } of writes) {
    const key = orderKey(path);
    const current = await store.get(key);
    const content = { labels: color === undefined ? {} : { color }, owners, ...(phase !== undefined && { phase }) };
    await store.commit([{ key, expect: current?.revision ?? 'absent', value: remove ? null : orderJson(path, content) }]);
  }
}
