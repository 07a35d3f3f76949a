import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { StoreAdapter } from './adapter.ts';
import { plain, put, text, write } from './support.ts';

export function rangeTests(adapter: StoreAdapter): void {
  test('ranges are ordered by the bytes of the whole key', async () => {
    await using store = await adapter.open();
    const ordered = ['/a-b/x', '/a.b/x', '/a/x', '/a/xy', '/aB', '/aa', '/ab/x', '/aé', '/a\u{ffee}', '/a\u{1f600}'];
    assert.deepEqual(
      ordered,
      ordered.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))),
    );
    await store.commit(ordered.toReversed().map((key) => ({ key, expect: 'absent' as const, value: text(key) })));
    const { items } = await store.range({ prefix: '/a' });
    assert.deepEqual(
      items.map(({ key }) => key),
      ordered,
    );
    assert.ok(items.every(({ key, value }) => Buffer.from(value).toString() === key));
  });

  test('a prefix takes exactly the keys that begin with it', async () => {
    await using store = await adapter.open();
    const keys = ['/r/orders', '/r/orders-x/a', '/r/orders/', '/r/orders/a', '/r/orders/b', '/r/orders0', '/r/ordersa/b'];
    await store.commit(keys.map((key) => ({ key, expect: 'absent' as const, value: text('x') })));
    const keysOf = async (prefix: string): Promise<string[]> => (await store.range({ prefix })).items.map(({ key }) => key);
    assert.deepEqual(await keysOf('/r/orders/'), ['/r/orders/', '/r/orders/a', '/r/orders/b']);
    assert.deepEqual(await keysOf(''), keys);
    assert.deepEqual(await keysOf('/s'), []);
  });

  test('limit and after page through a range without gap or overlap', async () => {
    await using store = await adapter.open();
    const keys = Array.from({ length: 23 }, (_, i) => `/p/${String(i).padStart(2, '0')}`);
    await store.commit([...keys, '/q'].map((key) => ({ key, expect: 'absent' as const, value: text('x') })));
    for (const limit of [1, 5, 22, 23, 24]) {
      const seen: string[] = [];
      let more = true;
      while (more) {
        const after = seen.at(-1);
        const page = await store.range({ prefix: '/p/', limit, ...(after !== undefined && { after }) });
        assert.ok(page.items.length <= limit);
        assert.ok(page.items.length === limit || !page.more);
        seen.push(...page.items.map(({ key }) => key));
        more = page.more;
      }
      assert.deepEqual(seen, keys, `limit ${limit}`);
    }
    assert.deepEqual((await store.range({ prefix: '/p/', after: '/a' })).items.length, 23);
    assert.deepEqual((await store.range({ prefix: '/p/', after: '/p/21\0' })).items.length, 1);
    assert.deepEqual((await store.range({ prefix: '/p/', after: '/z' })).items, []);
  });

  test('a range at an older revision is the snapshot of that revision', async () => {
    await using store = await adapter.open();
    const a1 = await put(store, '/s/a', 'a1');
    const b1 = await put(store, '/s/b', 'b1');
    const a2 = await put(store, '/s/a', 'a2', a1);
    const b2 = await put(store, '/s/b', null, b1);
    const c1 = await put(store, '/s/c', 'c1');
    const b3 = await put(store, '/s/b', 'b3');
    const a3 = await put(store, '/s/a', 'a3', a2);
    await put(store, '/other', 'x');
    const at = async (revision: number): Promise<string> => {
      const result = await store.range({ prefix: '/s/', revision });
      assert.equal(result.revision, revision);
      return result.items.map((item) => `${item.revision}:${plain(item).value}`).join(' ');
    };
    assert.equal(await at(0), '');
    assert.equal(await at(a1), `${a1}:a1`);
    assert.equal(await at(b1), `${a1}:a1 ${b1}:b1`);
    assert.equal(await at(a2), `${a2}:a2 ${b1}:b1`);
    assert.equal(await at(b2), `${a2}:a2`);
    assert.equal(await at(c1), `${a2}:a2 ${c1}:c1`);
    assert.equal(await at(b3), `${a2}:a2 ${b3}:b3 ${c1}:c1`);
    assert.equal(await at(a3), `${a3}:a3 ${b3}:b3 ${c1}:c1`);
    const paged = await store.range({ prefix: '/s/', revision: b1, limit: 1 });
    assert.equal(paged.more, true);
    const rest = await store.range({ prefix: '/s/', revision: b1, limit: 1, after: '/s/a' });
    assert.deepEqual(rest.items.map(plain), [{ key: '/s/b', revision: b1, value: 'b1' }]);
    assert.equal(rest.more, false);
  });

  test('a revision in the future is refused', async () => {
    await using store = await adapter.open();
    const revision = await put(store, '/a', '1');
    await assert.rejects(store.range({ prefix: '/', revision: revision + 1 }), { code: 'FutureRevision' });
    await assert.rejects(store.compact(revision + 1), { code: 'FutureRevision' });
  });

  test('compaction forgets snapshots below it, and nothing else', async () => {
    await using store = await adapter.open();
    const first = await put(store, '/a', '1');
    const second = await put(store, '/a', '2', first);
    const third = await put(store, '/a', '3', second);
    const newest = await put(store, '/b', '1');
    await store.compact(second);
    await store.compact(first);
    assert.equal(await store.compactedRevision(), second);
    await assert.rejects(store.range({ prefix: '/', revision: first }), { code: 'Compacted' });
    assert.deepEqual((await store.range({ prefix: '/', revision: second })).items.map(plain), [
      { key: '/a', revision: second, value: '2' },
    ]);
    await store.compact(newest);
    await assert.rejects(store.range({ prefix: '/', revision: third }), { code: 'Compacted' });
    assert.equal(await store.currentRevision(), newest);
    assert.deepEqual((await store.range({ prefix: '/', revision: newest })).items.map(plain), [
      { key: '/a', revision: third, value: '3' },
      { key: '/b', revision: newest, value: '1' },
    ]);
    const after = await write(store, { key: '/a', expect: third, value: null });
    assert.ok(after.committed && after.revision > newest);
  });
}
