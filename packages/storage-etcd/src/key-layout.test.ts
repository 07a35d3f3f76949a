import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keyLayout, type EtcdRange, type KeyLayoutOptions } from './key-layout.ts';

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString();
const bounds = ({ key, rangeEnd }: EtcdRange): readonly string[] => [text(key), text(rangeEnd)];
const order = '/registry/arc.opendefense.cloud/orders/team/nightly';

test('keys lie where they say unless told otherwise', () => {
  const layout = keyLayout();
  assert.equal(text(layout.toEtcd(order)), order);
  assert.equal(layout.toStore(order), order);
  assert.deepEqual(bounds(layout.rangeToEtcd('/registry/core/secrets/')), ['/registry/core/secrets/', '/registry/core/secrets0']);
});

test("upstream's layout has the group twice", () => {
  const layout = keyLayout({ etcdPrefix: '/registry/arc.opendefense.cloud' });
  const upstream = '/registry/arc.opendefense.cloud/arc.opendefense.cloud/orders/team/nightly';
  assert.equal(text(layout.toEtcd(order)), upstream);
  assert.equal(layout.toStore(upstream), order);
  assert.deepEqual(bounds(layout.rangeToEtcd('')), ['/registry/arc.opendefense.cloud/', '/registry/arc.opendefense.cloud0']);
});

test('ranges begin after a key, at the prefix, or nowhere', () => {
  const layout = keyLayout({ etcdPrefix: '/x' });
  const everything = ['/x/', '/x0'];
  for (const prefix of ['', '/', '/reg', '/registry/']) assert.deepEqual(bounds(layout.rangeToEtcd(prefix)), everything, prefix);
  assert.deepEqual(bounds(layout.rangeToEtcd('', '/a')), everything);
  assert.deepEqual(bounds(layout.rangeToEtcd('', '/z')), ['/x0', '/x0']);
  assert.deepEqual(bounds(layout.rangeToEtcd('/registry/a/', '/registry/a/b')), ['/x/a/b\0', '/x/a0']);
  assert.deepEqual(bounds(layout.rangeToEtcd('/registry/b/', '/registry/a/b')), ['/x/b/', '/x/b0']);
});

test('order and round trips hold for every prefix', () => {
  const keys = ['/registry/a-b/x', '/registry/a.b/x', '/registry/a/x', '/registry/aé', '/registry/a\u{ffee}', '/registry/a\u{1f600}'];
  const layouts: readonly KeyLayoutOptions[] = [{}, { etcdPrefix: '' }, { etcdPrefix: '/deep/er' }];
  for (const options of layouts) {
    const layout = keyLayout(options);
    const mapped = keys.map((key) => layout.toEtcd(key));
    assert.deepEqual(mapped, mapped.toSorted(Buffer.compare));
    assert.deepEqual(
      mapped.map((key) => layout.toStore(text(key))),
      keys,
    );
  }
});

test('a key from elsewhere has no place', () => {
  assert.throws(() => keyLayout().toEtcd('/other/a'), { code: 'BadDatabase' });
  assert.throws(() => keyLayout().toEtcd('/registryx/a'), { code: 'BadDatabase' });
});
