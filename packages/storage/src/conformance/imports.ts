import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createMemoryStore } from '../memory/memory-store.ts';
import { summarise } from '../moving/content-summary.ts';
import { copyContent, type CopyOptions } from '../moving/copy-content.ts';
import type { ImportPlan, ImportTarget } from '../moving/import-target.ts';
import { snapshotOf, type StoreSnapshot } from '../moving/snapshot.ts';
import type { Store, StoredValue } from '../store.ts';
import { changesUntil, plain, put, randomIntegers, write } from './support.ts';

/** How the suite gets at targets of one kind. */
export interface ImportAdapter {
  /** A place where nothing has ever been. */
  place(): Promise<ImportPlace>;
}

/** A place that is a target at one time and a store at another. */
export interface ImportPlace {
  openTarget(): Promise<ImportTarget>;
  openStore(): Promise<Store>;
}

const { signal } = new AbortController();
const plan: ImportPlan = { fingerprint: 'f', objects: 3, revision: 9, command: 'arcctl storage copy --from sqlite:a --to there' };

const value = (key: string, revision: number, content = `of ${key}`): StoredValue => ({ key, revision, value: Buffer.from(content) });

/** In the order of their keys, which is not that of their revisions. */
const three = [
  value('/r/g/a', 7),
  value('/r/g/b', 2, 'Ünï \u{1f600}'),
  { key: '/r/h/a', revision: 5, value: Uint8Array.of(0, 255, 254, 10) },
];

export function importTests(adapter: ImportAdapter): void {
  test('a place where nothing is becomes a store that holds what was written', async () => {
    const place = await adapter.place();
    const result = await fill(place, three, 9);
    await using store = await place.openStore();
    const { items, revision } = await store.range({ prefix: '' });
    assert.equal(revision, result.revision);
    assert.ok(result.revision >= 9);
    assert.deepEqual(items.map(withoutRevision), three.map(withoutRevision));
    assert.deepEqual(inOrder(items), ['/r/g/b', '/r/h/a', '/r/g/a']);
    if (result.keepsRevisions) assert.deepEqual(items.map(plain), three.map(plain));
    if (result.keepsRevisions) assert.equal(result.revision, 9);
  });

  test('it goes on from there: later writes are numbered above, earlier history is compacted', async () => {
    const place = await adapter.place();
    const { revision, compactedRevision } = await fill(place, three, 9);
    await using store = await place.openStore();
    assert.equal(compactedRevision, revision);
    assert.equal(await store.compactedRevision(), revision);
    const [first] = (await store.range({ prefix: '/r/g/a' })).items;
    const updated = await put(store, '/r/g/a', 'new', first?.revision ?? 0);
    const created = await put(store, '/r/z', 'created');
    assert.ok(updated > revision && created > updated);
    const events = await changesUntil(store, revision, created);
    assert.deepEqual(
      events.map((event) => [event.key, event.revision, event.previous?.revision]),
      [
        ['/r/g/a', updated, first?.revision],
        ['/r/z', created, undefined],
      ],
    );
    await assert.rejects(changesUntil(store, revision - 1, created), { code: 'Compacted' });
    assert.deepEqual((await store.range({ prefix: '', revision })).items.map(withoutRevision), three.map(withoutRevision));
    await store.compact(created);
    assert.equal(await store.currentRevision(), created);
  });

  test('until it is finished it is no store, and says what goes on with it', async () => {
    const place = await adapter.place();
    {
      await using target = await place.openTarget();
      assert.deepEqual(await target.state(), { objects: 0, unfinished: undefined });
      await target.begin(plan);
      const [first] = ordered(target, three);
      if (first !== undefined) await target.write([first]);
    }
    await assert.rejects(place.openStore(), (error: Error & { code: string; hint: string }) => {
      assert.equal(error.code, 'BadDatabase');
      assert.match(error.hint, /arcctl storage copy --from sqlite:a --to there/);
      return true;
    });
    {
      await using target = await place.openTarget();
      assert.deepEqual(await target.state(), { objects: 1, unfinished: plan });
      await target.write(ordered(target, three).slice(1));
      assert.equal((await target.state()).objects, 3);
      assert.deepEqual(await contentOf(target.objects(signal)), three.map(withoutRevision));
      await target.finish(9);
      assert.deepEqual(await target.state(), { objects: 3, unfinished: undefined });
    }
    await using _store = await place.openStore();
  });

  test('beginning removes what is there, and revisions go up past those of both', async () => {
    const place = await adapter.place();
    let newest = 0;
    {
      await using store = await place.openStore();
      for (let i = 0; i < 12; i++) newest = await put(store, `/old/${i}`, 'x');
    }
    const { revision, compactedRevision } = await fill(place, three, 9);
    assert.ok(revision > newest, `${revision} is above ${newest}`);
    await using store = await place.openStore();
    assert.equal(await store.compactedRevision(), compactedRevision);
    assert.deepEqual((await store.range({ prefix: '' })).items.map(withoutRevision), three.map(withoutRevision));
    await assert.rejects(changesUntil(store, newest, newest + 1), { code: 'Compacted' });
    assert.equal((await write(store, { key: '/old/3', expect: newest, value: null })).committed, false);
    assert.ok((await put(store, '/new', 'x')) > revision);
  });

  test('nothing at all can be copied, too', async () => {
    const place = await adapter.place();
    await fill(place, [], 0);
    await using store = await place.openStore();
    assert.deepEqual((await store.range({ prefix: '' })).items, []);
    await put(store, '/a', 'x');
  });

  test('a copy that is stopped anywhere and run again ends in the same result', async () => {
    const seed = Date.now() % 1_000_000;
    const random = randomIntegers(seed);
    const source = await randomSource(random);
    const place = await adapter.place();
    const wanted = await summarise(source.objects(signal));
    for (let stops = 0; ; stops++) {
      assert.ok(stops < 100, `it never ends, seed ${seed}`);
      await using target = await place.openTarget();
      try {
        const options: CopyOptions = { signal, command: 'again' };
        const { content, target: result } = await copyContent(source, stops < 4 ? failing(target, random(6)) : target, options);
        assert.equal(content.sha256, wanted.sha256);
        assert.ok(result === undefined || result.compactedRevision === result.revision);
        break;
      } catch (error) {
        if (!(error instanceof Stopped)) throw error;
      }
    }
    const original = await pagesToArray(source);
    {
      await using store = await place.openStore();
      const { items } = await store.range({ prefix: '' });
      assert.deepEqual(inOrder(items), inOrder(original), `seed ${seed}`);
      assert.deepEqual(items.map(withoutRevision), original.map(withoutRevision), `seed ${seed}`);
    }
    await using target = await place.openTarget();
    const again = await copyContent(source, target, { signal, command: 'again' });
    assert.equal(again.target, undefined, 'nothing is left to be done');
  });

  test('what is there, or was begun from another source, is only removed when that is asked for', async () => {
    const [one, other] = [await randomSource(randomIntegers(1)), await randomSource(randomIntegers(2))];
    const place = await adapter.place();
    await using target = await place.openTarget();
    await assert.rejects(copyContent(one, failing(target, 3), { signal, command: 'the first' }), Stopped);
    await assert.rejects(copyContent(other, target, { signal, command: 'the second' }), { code: 'SourceChanged', hint: /the first/ });
    await copyContent(other, target, { signal, command: 'the second', replace: true });
    await assert.rejects(copyContent(one, target, { signal, command: 'the first' }), { code: 'NotEmpty' });
    const { target: result } = await copyContent(one, target, { signal, command: 'the first', replace: true, raiseBy: 1000 });
    if (target.keepsRevisions) assert.ok((result?.revision ?? 0) >= one.revision + 1000);
    assert.deepEqual(await contentOf(target.objects(signal)), (await pagesToArray(one)).map(withoutRevision));
  });
}

async function fill(place: ImportPlace, values: readonly StoredValue[], revision: number) {
  await using target = await place.openTarget();
  await target.begin(plan);
  await target.write(ordered(target, values));
  return { ...(await target.finish(revision)), keepsRevisions: target.keepsRevisions };
}

function ordered({ keepsRevisions }: ImportTarget, values: readonly StoredValue[]): StoredValue[] {
  return keepsRevisions ? [...values] : values.toSorted((a, b) => a.revision - b.revision);
}

function withoutRevision({ key, value }: StoredValue): unknown {
  return { key, value: Buffer.from(value).toString('latin1') };
}

/** Keys in the order of their revisions. */
function inOrder(values: readonly StoredValue[]): string[] {
  return values.toSorted((a, b) => a.revision - b.revision).map(({ key }) => key);
}

async function contentOf(pages: AsyncIterable<readonly StoredValue[]>): Promise<unknown[]> {
  const found: unknown[] = [];
  for await (const page of pages) found.push(...page.map(withoutRevision));
  return found;
}

async function pagesToArray(source: StoreSnapshot): Promise<StoredValue[]> {
  const found: StoredValue[] = [];
  for await (const page of source.objects(signal)) found.push(...page);
  return found;
}

/** A store in memory that has been written at random, with updates and deletions. */
async function randomSource(random: (below: number) => number): Promise<StoreSnapshot> {
  const store = createMemoryStore();
  for (let i = 0; i < 300; i++) {
    const key = `/r/g${random(3)}/${random(60)}`;
    const current = await store.get(key);
    const value = random(5) === 0 && current !== undefined ? null : Buffer.from(`value ${i}`);
    await write(store, { key, expect: current?.revision ?? 'absent', value });
  }
  return await snapshotOf(store, signal);
}

class Stopped extends Error {}

/** A target whose process ends in one of its calls: before it, or when it has been made. Batches are small. */
function failing(target: ImportTarget, calls: number): ImportTarget {
  let left = calls;
  const step = async <T>(work: () => Promise<T>): Promise<T> => {
    if (left-- <= 0) throw new Stopped();
    const result = await work();
    if (left === 0 && calls % 2 === 0) throw new Stopped();
    return result;
  };
  return {
    keepsRevisions: target.keepsRevisions,
    state: () => target.state(),
    objects: (signal) => target.objects(signal),
    begin: (plan) => step(() => target.begin(plan)),
    async write(values) {
      for (let from = 0; from < values.length; from += 20) await step(() => target.write(values.slice(from, from + 20)));
    },
    finish: (revision) => step(() => target.finish(revision)),
    [Symbol.asyncDispose]: () => target[Symbol.asyncDispose](),
  };
}
