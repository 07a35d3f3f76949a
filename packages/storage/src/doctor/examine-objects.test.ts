import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { StoredValue } from '../store.ts';
import { examineObjects, type ServedResource } from './examine-objects.ts';
import type { Finding } from './finding.ts';

const served: readonly ServedResource[] = [
  { group: '', plural: 'secrets', namespaced: true },
  { group: 'a.b', plural: 'things', namespaced: false },
];

async function examine(...values: readonly (readonly [key: string, value: unknown])[]): Promise<readonly Finding[]> {
  const items = values.map(([key, value], i): StoredValue => ({ key, revision: i + 1, value: bytesOf(value) }));
  return await examineObjects(
    (async function* () {
      yield items;
    })(),
    served,
  );
}

function bytesOf(value: unknown): Uint8Array {
  if (value instanceof Uint8Array) return value;
  return Buffer.from(typeof value === 'string' ? value : JSON.stringify(value));
}

const secret = (name: string, uid: unknown = name, more: object = {}): unknown => ({ metadata: { name, namespace: 'n', uid, ...more } });

test('there is nothing to find among objects that are as they should be', async () => {
  const owned = secret('b', 'u2', { ownerReferences: [{ kind: 'Thing', name: 't', uid: 'u3' }] });
  assert.deepEqual(
    await examine(
      ['/registry/core/secrets/n/a', secret('a')],
      ['/registry/core/secrets/n/b', owned],
      ['/registry/a.b/things/t', { metadata: { name: 't', uid: 'u3' } }],
    ),
    [],
  );
});

test('values that cannot be read are told with key, revision and reason, and nothing of their content', async () => {
  const findings = await examine(
    ['/registry/core/secrets/n/a', '{"metadata":{"name":"a"},"data":"hunter2'],
    ['/registry/core/secrets/n/b', Uint8Array.of(0xff, 0xfe)],
    ['/registry/core/secrets/n/c', '[]'],
    ['/registry/core/secrets/n/d', '{"metadata":1}'],
    ['/registry/core/secrets/n/e', Buffer.from('k8s\0\n\x02v1')],
    ['/registry/core/secrets/n/f', ''],
  );
  assert.deepEqual(
    findings.map(({ severity, check, revision }) => [severity, check, revision]),
    [1, 2, 3, 4, 5, 6].map((revision) => ['problem', 'value', revision]),
  );
  assert.equal(JSON.stringify(findings).includes('hunter2'), false);
  assert.match(findings[0]?.hint ?? '', /--remove '\/registry\/core\/secrets\/n\/a'/);
  assert.match(findings[4]?.message ?? '', /kube-apiserver/);
});

test('an object under a key that is not its own is a problem', async () => {
  const findings = await examine(
    ['/registry/core/secrets/n/a', secret('b', 'u1')],
    ['/registry/core/secrets/m/c', secret('c')],
    ['/registry/core/secrets/d', secret('d')],
    ['/registry/a.b/things/t', { metadata: { name: 't', namespace: 'n', uid: 'u4' } }],
  );
  assert.deepEqual(
    findings.map(({ check, message }) => [check, /"(.*)"/.exec(message)?.[1]]),
    [
      ['key', 'n/b'],
      ['key', 'n/c'],
      ['key', 'n/d'],
      ['key', 'n/t'],
    ],
  );
});

test('uids are there, and unique', async () => {
  const findings = await examine(
    ['/registry/core/secrets/n/a', secret('a', 'same')],
    ['/registry/core/secrets/n/b', secret('b', 'same')],
    ['/registry/core/secrets/n/c', secret('c', '')],
    ['/registry/core/secrets/n/d', secret('d', 7)],
  );
  assert.deepEqual(
    findings.map(({ check, key, message }) => [check, key?.at(-1), message]),
    [
      ['uid', 'b', 'it has the same uid as /registry/core/secrets/n/a'],
      ['uid', 'c', 'it has no uid'],
      ['uid', 'd', 'it has no uid'],
    ],
  );
});

test('owners that are gone and resources of others are information', async () => {
  const findings = await examine(
    ['/registry/apps/deployments/n/a', { metadata: { name: 'a', namespace: 'n', uid: 'u1' } }],
    ['/registry/apps/deployments/n/b', { metadata: { name: 'b', namespace: 'n', uid: 'u2' } }],
    ['/registry/core/secrets/n/a', secret('a', 'u3', { ownerReferences: [{ kind: 'Order', name: 'o', uid: 'gone' }, 7, { uid: 'u1' }] })],
    ['/elsewhere', { metadata: { name: 'b', uid: 'u4' } }],
  );
  assert.deepEqual(
    findings.map(({ severity, check, key }) => [severity, check, key]),
    [
      ['information', 'resource', '/registry/apps/deployments/n/a'],
      ['information', 'resource', '/elsewhere'],
      ['information', 'owner', '/registry/core/secrets/n/a'],
    ],
  );
  assert.match(findings[0]?.message ?? '', /^2 objects of deployments\.apps/);
  assert.match(findings[2]?.message ?? '', /its owner Order o with uid gone is not there/);
});
