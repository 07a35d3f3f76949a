import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import * as fc from 'fast-check';
import { type CachedObject, createMemoryStore, createWriter, type ListOptions, openWatchCache, type WatchCache } from '@arc/storage';
import { authorizerChain } from '../authz/authorizer.ts';
import { cachedResources, createRegistry } from '../registry/registry.ts';
import type { ServedResource } from '../registry/served-resource.ts';
import type { Representation } from '../request/accept.ts';
import { selfSubjectReviews } from '../reviews/self-subject-reviews.ts';
import { testKinds } from '../testing/kinds.ts';
import { createEncodings, type Encodings } from './encodings.ts';
import { gzipList } from './gzip-list.ts';
import { listEncoding } from './list-encoding.ts';
import { listText, textLength } from './list-text.ts';

interface Notes extends AsyncDisposable {
  readonly cache: WatchCache;
  readonly encodings: Encodings;
  resource(group: string): ServedResource;
  /** Writes the Note `namespace/name`, or removes it when there are no data; resolves once the cache has seen it. */
  put(path: string, data: Readonly<Record<string, string>> | undefined): Promise<void>;
  /** The same for a Widget, whose table shows its age. */
  putWidget(name: string): Promise<void>;
}

async function openNotes(): Promise<Notes> {
  const store = createMemoryStore();
  const cached = cachedResources(testKinds, '/registry');
  const cache = await openWatchCache(store, { resources: [...cached.values()] });
  const reviewHandlers = selfSubjectReviews(authorizerChain([]));
  const encodings = createEncodings();
  const registry = createRegistry({ kinds: testKinds, connectors: [], reviewHandlers, cache, cached, encodings });
  const writer = createWriter(store);
  return {
    cache,
    encodings,
    resource: (group) => {
      const resource = registry.find(group, 'v1', { '': 'notes', 'memo.example.com': 'memos' }[group] ?? 'widgets');
      assert.ok(resource);
      return resource;
    },
    put: async (path, data) => {
      const key = `/registry/core/notes/${path}`;
      const present = (await store.get(key))?.revision;
      if (data === undefined && present === undefined) return;
      const [namespace, name] = path.split('/');
      const metadata = { name, namespace, creationTimestamp: '2026-01-01T00:00:00Z', ...(data?.['odd'] !== undefined && { labels: data }) };
      const value = data === undefined ? null : Buffer.from(JSON.stringify({ apiVersion: 'v1', kind: 'Note', metadata, data }));
      await writer.write({ key, expect: present ?? 'absent', value });
      await cache.waitUntilFresh();
    },
    putWidget: async (name) => {
      const metadata = { name, namespace: 'a', creationTimestamp: '2026-01-01T00:00:00Z' };
      const value = Buffer.from(JSON.stringify({ apiVersion: 'demo.example.com/v1', kind: 'Widget', metadata, spec: { size: 1 } }));
      await writer.write({ key: `/registry/demo.example.com/widgets/a/${name}`, expect: 'absent', value });
      await cache.waitUntilFresh();
    },
    [Symbol.asyncDispose]: async () => {
      await cache[Symbol.asyncDispose]();
      await store[Symbol.asyncDispose]();
    },
  };
}

/** Some objects are larger. */
const scratchSize = 1000;

interface Answers {
  readonly plain: Buffer;
  readonly gzip: Buffer;
  readonly next: string | undefined;
}

async function answersOf(
  resource: ServedResource,
  transform: Representation['transform'],
  options: ListOptions = {},
  now = Date.parse('2026-01-02T00:00:00Z'),
): Promise<Answers> {
  assert.ok(resource.cache);
  const result = resource.cache.list(options);
  const representation: Representation = { mediaType: 'application/json', transform, metaVersion: 'v1' };
  const encoding = listEncoding(
    resource,
    { result, continueToken: result.next ?? '' },
    { representation, query: new URLSearchParams(), now },
  );
  const plain = Buffer.concat(Array.from(listText(encoding, result.runs, Buffer.alloc(scratchSize)), (chunk) => Buffer.from(chunk)));
  const { length, exact } = textLength(encoding, result);
  if (exact) assert.equal(length, plain.length);
  const gzip = Buffer.concat(await Array.fromAsync(gzipList(encoding, result.runs, resource.encodings.blocks)));
  return { plain, gzip, next: result.next };
}

const path = fc.tuple(fc.constantFrom('a', 'a-b', 'b'), fc.nat({ max: 120 })).map(([namespace, n]) => `${namespace}/note-${n}`);
const data = fc.record({ text: fc.string(), odd: fc.constantFrom('yes', 'no') }, { requiredKeys: ['text'] });
const write = fc.record({ kind: fc.constant('write' as const), path, data: fc.option(data, { nil: undefined, freq: 4 }) });
const list = fc.record({
  kind: fc.constant('list' as const),
  group: fc.constantFrom('', 'memo.example.com'),
  transform: fc.constantFrom('object' as const, 'PartialObjectMetadataList' as const, 'Table' as const),
  namespace: fc.constantFrom('', 'a', 'a-b', 'c'),
  selected: fc.constantFrom(undefined, 'yes', 'no'),
  limit: fc.option(fc.integer({ min: 1, max: 200 }), { nil: 0 }),
  ago: fc.constantFrom(0, 0, 1, 5, 40),
  age: fc.constantFrom(5_000, 6_000, 90_000_000),
});

test('a gzip list is the plain list, byte for byte, whatever was written and listed before', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(write, { minLength: 150, maxLength: 250, size: 'max' }),
      fc.array(fc.oneof(write, list), { maxLength: 40, size: 'max' }),
      async (before, steps) => {
        await using notes = await openNotes();
        for (const { path, data } of before) await notes.put(path, data);
        for (const step of steps) {
          if (step.kind === 'write') {
            await notes.put(step.path, step.data);
            continue;
          }
          const { group, transform, namespace, selected, limit, ago, age } = step;
          const options: ListOptions = {
            namespace,
            limit,
            at: Math.max(0, notes.cache.revision - ago),
            ...(selected !== undefined && { filter: ({ labels }: CachedObject) => labels['odd'] === selected }),
          };
          let after: string | undefined;
          do {
            const page: ListOptions = { ...options, ...(after !== undefined && { after }) };
            const { plain, gzip, next } = await answersOf(notes.resource(group), transform, page, Date.parse('2026-01-01T00:00:00Z') + age);
            assert.equal(gunzipSync(gzip).toString(), plain.toString());
            assert.doesNotThrow(() => JSON.parse(plain.toString()));
            after = next;
          } while (after !== undefined);
        }
      },
    ),
    { numRuns: 15 },
  );
});

test('a segment is compressed again only when it has changed', async () => {
  await using notes = await openNotes();
  for (let n = 0; n < 200; n++) await notes.put(`a/note-${String(n).padStart(3, '0')}`, { text: 'text '.repeat(20) });
  const resource = notes.resource('');
  const made = blocksMade(notes);
  await answersOf(resource, 'object');
  const segments = resource.cache?.list().runs.length ?? 0;
  assert.ok(segments > 2);
  assert.equal(made.length, segments);
  await answersOf(resource, 'object');
  await notes.put('a/note-100', { text: 'changed' });
  await answersOf(resource, 'object');
  assert.equal(made.length, segments + 1);
  await answersOf(resource, 'object', { filter: ({ name }) => name.endsWith('5') });
  assert.equal(made.length, segments + 1, 'what was gathered for one list is not kept');
  await answersOf(resource, 'object', { limit: 10 });
  await answersOf(resource, 'object', { limit: 10 });
  assert.equal(made.length, segments + 2, 'part of a segment is');
});

test('a table is compressed once in each second, since it shows ages', async () => {
  await using notes = await openNotes();
  for (let n = 0; n < 100; n++) await notes.putWidget(`w${n}`);
  const resource = notes.resource('demo.example.com');
  const made = blocksMade(notes);
  const second = Date.parse('2026-01-01T00:00:30Z');
  const first = await answersOf(resource, 'Table', {}, second);
  const segments = made.length;
  assert.ok(segments > 1);
  assert.deepEqual((await answersOf(resource, 'Table', {}, second + 999)).gzip, first.gzip);
  assert.equal(made.length, segments);
  const { plain, gzip } = await answersOf(resource, 'Table', {}, second + 1000);
  assert.equal(made.length, 2 * segments);
  assert.deepEqual(gunzipSync(gzip), plain);
  assert.notDeepEqual(plain, first.plain);
});

/** The forms of blocks that are compressed from now on. */
function blocksMade({ encodings: { blocks } }: Notes): readonly string[] {
  const made: string[] = [];
  const set = blocks.set.bind(blocks);
  blocks.set = (source, form, kept) => {
    if (kept.block instanceof Promise) made.push(form);
    set(source, form, kept);
  };
  return made;
}

test('lists at the same time wait for the same block', async () => {
  await using notes = await openNotes();
  for (let n = 0; n < 100; n++) await notes.put(`a/note-${n}`, { text: String(n) });
  const resource = notes.resource('');
  const answers = await Promise.all([answersOf(resource, 'object'), answersOf(resource, 'object')]);
  for (const { plain, gzip } of answers) assert.deepEqual(gunzipSync(gzip), plain);
});

test('objects larger than a block and segments of large objects', async () => {
  await using notes = await openNotes();
  for (let n = 0; n < 20; n++) await notes.put(`a/note-${n}`, { text: String(n).repeat(30_000 * (n % 4)) });
  const { plain, gzip } = await answersOf(notes.resource(''), 'object');
  assert.ok(plain.length > 1_000_000);
  assert.deepEqual(gunzipSync(gzip), plain);
});
