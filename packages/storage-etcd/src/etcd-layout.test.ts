import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compareKeys } from '@arc/storage';
import * as fc from 'fast-check';
import { etcdLayout, type EtcdRange, type EtcdLayoutOptions } from './etcd-layout.ts';

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString();
const bounds = ({ key, rangeEnd }: EtcdRange): readonly string[] => [text(key), text(rangeEnd)];
const order = '/registry/arc.opendefense.cloud/orders/team/nightly';

test('keys lie where they say unless told otherwise', () => {
  const layout = etcdLayout();
  assert.equal(text(layout.toEtcd(order)), order);
  assert.equal(layout.toStore(order), order);
  assert.deepEqual(bounds(layout.rangeToEtcd('/registry/core/secrets/')), ['/registry/core/secrets/', '/registry/core/secrets0']);
});

test("upstream's layout has the group twice", () => {
  const layout = etcdLayout({ etcdPrefix: '/registry/arc.opendefense.cloud' });
  const upstream = '/registry/arc.opendefense.cloud/arc.opendefense.cloud/orders/team/nightly';
  assert.equal(text(layout.toEtcd(order)), upstream);
  assert.equal(layout.toStore(upstream), order);
  assert.deepEqual(bounds(layout.rangeToEtcd('')), ['/registry/arc.opendefense.cloud/', '/registry/arc.opendefense.cloud0']);
});

test('ranges begin after a key, at the prefix, or nowhere', () => {
  const layout = etcdLayout({ etcdPrefix: '/x' });
  const everything = ['/x/', '/x0'];
  for (const prefix of ['', '/', '/reg', '/registry/']) assert.deepEqual(bounds(layout.rangeToEtcd(prefix)), everything, prefix);
  assert.deepEqual(bounds(layout.rangeToEtcd('', '/a')), everything);
  assert.deepEqual(bounds(layout.rangeToEtcd('', '/z')), ['/x0', '/x0']);
  assert.deepEqual(bounds(layout.rangeToEtcd('/registry/a/', '/registry/a/b')), ['/x/a/b\0', '/x/a0']);
  assert.deepEqual(bounds(layout.rangeToEtcd('/registry/b/', '/registry/a/b')), ['/x/b/', '/x/b0']);
});

test('order and round trips hold for every prefix', () => {
  const keys = ['/registry/a-b/x', '/registry/a.b/x', '/registry/a/x', '/registry/aé', '/registry/a\u{ffee}', '/registry/a\u{1f600}'];
  const layouts: readonly EtcdLayoutOptions[] = [{}, { etcdPrefix: '' }, { etcdPrefix: '/deep/er' }];
  for (const options of layouts) {
    const layout = etcdLayout(options);
    const mapped = keys.map((key) => layout.toEtcd(key));
    assert.deepEqual(mapped, mapped.toSorted(Buffer.compare));
    assert.deepEqual(
      mapped.map((key) => layout.toStore(text(key))),
      keys,
    );
  }
});

test('a key from elsewhere has no place', () => {
  assert.throws(() => etcdLayout().toEtcd('/other/a'), { code: 'BadDatabase' });
  assert.throws(() => etcdLayout().toEtcd('/registryx/a'), { code: 'BadDatabase' });
});

test('a renamed group has its place under the other name, and nothing else may lie there or between', () => {
  const layout = etcdLayout({ etcdPrefix: '/registry/arc.bwi.de', group: { inStore: 'arc.opendefense.cloud', inEtcd: 'arc.bwi.de' } });
  const old = '/registry/arc.bwi.de/arc.bwi.de/orders/team/nightly';
  assert.equal(text(layout.toEtcd(order)), old);
  assert.equal(layout.toStore(old), order);
  assert.equal(text(layout.toEtcd('/registry/core/secrets/a/b')), '/registry/arc.bwi.de/core/secrets/a/b');
  assert.deepEqual(bounds(layout.rangeToEtcd('/registry/arc.opendefense.cloud/')), [
    '/registry/arc.bwi.de/arc.bwi.de/',
    '/registry/arc.bwi.de/arc.bwi.de0',
  ]);
  assert.deepEqual(layout.forbidden.map(bounds), [['/registry/arc.bwi.de/arc.bwi.de0', '/registry/arc.bwi.de/arc.opendefense.cloud0']]);
  assert.throws(() => layout.toEtcd('/registry/arc.bwi.de/orders/a/b'), { code: 'BadDatabase' });
});

test('whatever the names, a range in etcd holds the places of exactly the keys of the range in the store', () => {
  const names = ['a', 'b', 'm', 'mm', 'm-', 'n', 'z'];
  const group = fc.constantFrom(...names);
  const bound = fc.oneof(
    fc.tuple(group, fc.constantFrom('', '/', '/x', '/x\0', '0', '-', '\u{1f600}')).map(([name, rest]) => `/registry/${name}${rest}`),
    fc.constantFrom('', '/', '/reg', '/registry', '/registry/', '/registry0', '/s', '/a'),
  );
  fc.assert(
    fc.property(group, group, bound, fc.option(bound), (inStore, inEtcd, prefix, after) => {
      const layout = etcdLayout({ etcdPrefix: '/deep', group: { inStore, inEtcd } });
      const isForbidden = (at: Uint8Array): boolean => layout.forbidden.some((range) => isIn(range, at));
      const keys = names
        .filter((name) => inStore === inEtcd || name !== inEtcd)
        .flatMap((name) => ['/a', '/x', '/x/y', '/z'].map((rest) => `/registry/${name}${rest}`))
        .filter((key) => !isForbidden(layout.toEtcd(key)))
        .sort(compareKeys);
      const places = keys.map((key) => layout.toEtcd(key));
      assert.deepEqual(places, places.toSorted(Buffer.compare), 'order is kept');
      assert.deepEqual(
        places.map((place) => layout.toStore(text(place))),
        keys,
      );
      const range = layout.rangeToEtcd(prefix, after ?? undefined);
      assert.deepEqual(
        keys.filter((_, index) => isIn(range, places[index] ?? Buffer.of())),
        keys.filter((key) => key.startsWith(prefix) && (after === null || compareKeys(key, after) > 0)),
      );
    }),
  );
});

function isIn({ key, rangeEnd }: EtcdRange, place: Uint8Array): boolean {
  return Buffer.compare(place, key) >= 0 && Buffer.compare(place, rangeEnd) < 0;
}
