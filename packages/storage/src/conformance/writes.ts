import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { StoreAdapter } from './adapter.ts';
import { plain, put, text, write } from './support.ts';

export function writeTests(adapter: StoreAdapter): void {
  test('an empty store is at the revision where its sequence begins', async () => {
    await using store = await adapter.open();
    const revision = await store.currentRevision();
    if (adapter.gapFree !== false) assert.equal(revision, 0);
    assert.equal(await store.compactedRevision(), 0);
    assert.equal(await store.get('/a'), undefined);
    assert.deepEqual(await store.range({ prefix: '/' }), { revision, items: [], more: false });
  });

  test('revisions are unique and strictly increasing, and only committed writes take one', async () => {
    await using store = await adapter.open();
    const revisions: number[] = [];
    for (let i = 0; i < 10; i++) {
      revisions.push(await put(store, `/k${i}`, 'x'));
      assert.equal(await store.currentRevision(), revisions.at(-1));
      const refused = await write(store, { key: `/k${i}`, expect: 'absent', value: text('y') });
      assert.equal(refused.committed, false);
    }
    assert.deepEqual(
      revisions,
      revisions.toSorted((a, b) => a - b),
    );
    assert.equal(new Set(revisions).size, 10);
    if (adapter.gapFree !== false) assert.deepEqual(revisions, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  });

  test('compare-and-swap tells what was there before, or what is in the way', async () => {
    await using store = await adapter.open();
    const created = await write(store, { key: '/a', expect: 'absent', value: text('1') });
    assert.ok(created.committed);
    assert.equal(created.previous, undefined);
    const first = { key: '/a', revision: created.revision, value: '1' };

    const again = await write(store, { key: '/a', expect: 'absent', value: text('2') });
    assert.ok(!again.committed);
    assert.deepEqual(plain(again.current), first);

    const stale = await write(store, { key: '/a', expect: created.revision + 1, value: text('2') });
    assert.ok(!stale.committed);
    assert.deepEqual(plain(stale.current), first);

    const missing = await write(store, { key: '/b', expect: created.revision, value: text('2') });
    assert.deepEqual(missing, { committed: false, current: undefined });

    const updated = await write(store, { key: '/a', expect: created.revision, value: text('2') });
    assert.ok(updated.committed);
    assert.deepEqual(plain(updated.previous), first);
    assert.deepEqual(plain(await store.get('/a')), { key: '/a', revision: updated.revision, value: '2' });

    const staleDelete = await write(store, { key: '/a', expect: created.revision, value: null });
    assert.ok(!staleDelete.committed);
    assert.equal(plain(staleDelete.current)?.value, '2');

    const deleted = await write(store, { key: '/a', expect: updated.revision, value: null });
    assert.ok(deleted.committed);
    assert.ok(deleted.revision > updated.revision, 'a deletion takes a revision');
    assert.equal(plain(deleted.previous)?.value, '2');
    assert.equal(await store.get('/a'), undefined);

    assert.deepEqual(await write(store, { key: '/a', expect: updated.revision, value: text('3') }), {
      committed: false,
      current: undefined,
    });
    assert.ok((await put(store, '/a', '3')) > deleted.revision);
  });

  test('a deletion that expects absence never commits', async () => {
    await using store = await adapter.open();
    assert.deepEqual(await write(store, { key: '/a', expect: 'absent', value: null }), { committed: false, current: undefined });
    await put(store, '/a', '1');
    assert.equal((await write(store, { key: '/a', expect: 'absent', value: null })).committed, false);
    assert.equal(plain(await store.get('/a'))?.value, '1');
  });

  test('items of a batch are independent of each other and applied in order', async () => {
    await using store = await adapter.open();
    const a = await put(store, '/a', '1');
    const b = await put(store, '/b', '1');
    const outcomes = await store.commit([
      { key: '/c', expect: 'absent', value: text('1') },
      { key: '/a', expect: 'absent', value: text('no') },
      { key: '/b', expect: b, value: null },
      { key: '/missing', expect: 1, value: null },
      { key: '/a2', expect: 'absent', value: text('1') },
    ]);
    assert.deepEqual(
      outcomes.map(({ committed }) => committed),
      [true, false, true, false, true],
    );
    const revisions = outcomes.flatMap((outcome) => (outcome.committed ? [outcome.revision] : []));
    const ordered = revisions.toSorted((x, y) => x - y);
    if (store.independentWrites !== true) assert.deepEqual(revisions, ordered);
    assert.equal(new Set(revisions).size, 3);
    assert.equal(plain(await store.get('/a'))?.revision, a);
    assert.equal(await store.currentRevision(), ordered.at(-1));
    assert.deepEqual(
      (await store.range({ prefix: '/' })).items.map(({ key }) => key),
      ['/a', '/a2', '/c'],
    );
    assert.deepEqual(await store.commit([]), []);
  });

  test('values survive byte for byte', async () => {
    await using store = await adapter.open();
    const every = Uint8Array.from({ length: 256 }, (_, i) => i);
    const large = Uint8Array.from({ length: 1_000_000 }, (_, i) => (i * 31) % 251);
    const values = [every, new Uint8Array(), Uint8Array.of(0), Uint8Array.of(0xff, 0xfe, 0xc0), large, large.subarray(100, 200)];
    const batch = values.map((value, i) => ({ key: `/v${i}`, expect: 'absent' as const, value }));
    const outcomes = await store.commit(batch);
    for (const [i, value] of values.entries()) {
      const expected = Buffer.from(value).toString('hex');
      assert.equal(Buffer.from((await store.get(`/v${i}`))?.value ?? []).toString('hex'), expected);
      assert.ok(outcomes[i]?.committed);
      const updated = await write(store, { key: `/v${i}`, expect: outcomes[i].revision, value: text('next') });
      assert.ok(updated.committed);
      assert.equal(Buffer.from(updated.previous?.value ?? []).toString('hex'), expected);
      assert.equal(updated.previous?.value.length, value.length);
    }
  });

  test('concurrent writers of one key lose no update', async () => {
    await using store = await adapter.open();
    await put(store, '/counter', '0');
    const revisions: number[] = [];
    const increment = async (): Promise<void> => {
      let current = await store.get('/counter');
      for (;;) {
        assert.ok(current !== undefined);
        const value = text(String(Number(plain(current).value) + 1));
        const outcome = await write(store, { key: '/counter', expect: current.revision, value });
        if (outcome.committed) {
          revisions.push(outcome.revision);
          return;
        }
        current = outcome.current;
      }
    };
    await Promise.all(Array.from({ length: 20 }, increment));
    assert.equal(plain(await store.get('/counter'))?.value, '20');
    assert.equal(new Set(revisions).size, 20);
  });

  test('an aborted signal ends reads with its reason', async () => {
    await using store = await adapter.open();
    const signal = AbortSignal.abort(new Error('not wanted any more'));
    await assert.rejects(store.get('/a', { signal }), /not wanted/);
    await assert.rejects(store.range({ prefix: '/', signal }), /not wanted/);
    await assert.rejects(store.currentRevision({ signal }), /not wanted/);
  });

  test('a closed store says so', async () => {
    const store = await adapter.open();
    await store[Symbol.asyncDispose]();
    await store[Symbol.asyncDispose]();
    await assert.rejects(store.commit([]), { code: 'Closed' });
    await assert.rejects(store.get('/a'), { code: 'Closed' });
    await assert.rejects(store.range({ prefix: '/' }), { code: 'Closed' });
    await assert.rejects(store.currentRevision(), { code: 'Closed' });
    await assert.rejects(store.compact(0), { code: 'Closed' });
  });
}
