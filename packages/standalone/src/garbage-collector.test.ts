import type { KubeObject, OwnerReference, ResourceType } from '@arc/apimachinery';
import { statusError } from '@arc/apimachinery';
import { startControllers } from '@arc/controller';
import { FakeClock } from '@arc/kernel';
import type { FakeClient } from '@arc/kube-client/fake';
import { createFakeClient } from '@arc/kube-client/fake';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { garbageCollector } from './garbage-collector.ts';

const parts: ResourceType = { group: 'demo.example.com', version: 'v1', plural: 'parts', kind: 'Part', namespaced: true };
const plants: ResourceType = { group: 'demo.example.com', version: 'v1', plural: 'plants', kind: 'Plant', namespaced: false };

interface Scenario extends AsyncDisposable {
  readonly clock: FakeClock;
  readonly client: FakeClient;
  settle(): Promise<void>;
  names(): string[];
}

async function setUp(): Promise<Scenario> {
  const clock = new FakeClock();
  const client = createFakeClient({ clock });
  const running = startControllers([garbageCollector({ client, types: [parts, plants], clock })], { clock });
  await running.ready;
  return {
    clock,
    client,
    settle: () => clock.advance(60_000),
    names: () => client.peekAll(parts).map(({ metadata }) => metadata.name ?? ''),
    [Symbol.asyncDispose]: () => running[Symbol.asyncDispose](),
  };
}

const ref = (name: string, namespace = 'ns') => ({ namespace, name });

function owned(
  name: string,
  owners: readonly KubeObject[] = [],
  options: { block?: boolean; namespace?: string; finalizers?: string[] } = {},
): KubeObject {
  const { block = true, namespace = 'ns', finalizers } = options;
  return {
    apiVersion: 'demo.example.com/v1',
    kind: 'Part',
    metadata: {
      namespace,
      name,
      ...(finalizers !== undefined && { finalizers }),
      ...(owners.length > 0 && { ownerReferences: owners.map((owner) => referenceTo(owner, block)) }),
    },
  };
}

function referenceTo({ apiVersion, kind, metadata }: KubeObject, blockOwnerDeletion = true): OwnerReference {
  return { apiVersion, kind, name: metadata.name ?? '', uid: metadata.uid ?? '', blockOwnerDeletion };
}

test('in the background, what was owned by a deleted object goes, down to the last generation', async () => {
  await using scenario = await setUp();
  const { client, settle, names } = scenario;
  const root = await client.create(parts, owned('root'));
  const child = await client.create(parts, owned('child', [root]));
  await client.create(parts, owned('grandchild', [child]));
  await client.create(parts, owned('free'));
  await settle();
  assert.deepEqual(names(), ['child', 'free', 'grandchild', 'root']);
  await client.delete(parts, ref('root'), { propagationPolicy: 'Background' });
  await settle();
  assert.deepEqual(names(), ['free']);
});

test('an object with another owner stays and forgets the one that is gone', async () => {
  await using scenario = await setUp();
  const { client, settle } = scenario;
  const a = await client.create(parts, owned('a'));
  const b = await client.create(parts, owned('b'));
  await client.create(parts, owned('child', [a, b]));
  await client.delete(parts, ref('a'));
  await settle();
  assert.deepEqual(client.peek(parts, ref('child'))?.metadata.ownerReferences, [referenceTo(b)]);
});

test('an owner that never was, has another uid, or lives in another namespace is absent', async () => {
  await using scenario = await setUp();
  const { client, settle, names } = scenario;
  const here = await client.create(parts, owned('here'));
  await client.create(parts, owned('never', [{ ...here, metadata: { name: 'nobody', uid: 'x' } }]));
  await client.create(parts, owned('replaced', [{ ...here, metadata: { name: 'here', uid: 'x' } }]));
  await client.create(parts, owned('elsewhere', [here], { namespace: 'other' }));
  await settle();
  assert.deepEqual(names(), ['here']);
});

test('a cluster-scoped owner owns in every namespace', async () => {
  await using scenario = await setUp();
  const { client, settle, names } = scenario;
  const plant = await client.create(plants, { apiVersion: 'demo.example.com/v1', kind: 'Plant', metadata: { name: 'plant' } });
  await client.create(parts, owned('a', [plant]));
  await client.create(parts, owned('b', [plant], { namespace: 'other' }));
  await settle();
  assert.deepEqual(names(), ['a', 'b']);
  await client.delete(plants, { name: 'plant' });
  await settle();
  assert.deepEqual(names(), []);
});

test('an owner that cannot be looked up is taken to exist', async () => {
  await using scenario = await setUp();
  const { client, settle, names } = scenario;
  await client.create(parts, owned('a', [{ apiVersion: 'v1', kind: 'Unwatched', metadata: { name: 'n', uid: 'x' } }]));
  const refuse = client.onRequest((request) => {
    if (request.verb === 'get') throw statusError.internal('down');
  });
  await client.create(parts, owned('b', [{ ...owned('gone'), metadata: { name: 'gone', uid: 'y' } }]));
  await settle();
  assert.deepEqual(names(), ['a', 'b'], 'an error is not an absence');
  refuse[Symbol.dispose]();
  await scenario.clock.advance(300_000);
  assert.deepEqual(names(), ['a']);
});

test('in the foreground, the owner goes last', async () => {
  await using scenario = await setUp();
  const { client, settle, names } = scenario;
  const root = await client.create(parts, owned('root'));
  const child = await client.create(parts, owned('child', [root]));
  await client.create(parts, owned('grandchild', [child], { finalizers: ['demo/hold'] }));
  await client.create(parts, owned('loose', [root], { block: false, finalizers: ['demo/hold'] }));
  await client.delete(parts, ref('root'), { propagationPolicy: 'Foreground' });
  await settle();
  assert.deepEqual(names(), ['child', 'grandchild', 'loose', 'root']);
  assert.ok(
    client.peekAll(parts).every(({ metadata }) => metadata.deletionTimestamp !== undefined),
    'all are on their way',
  );
  await client.patch(parts, ref('grandchild'), { metadata: { finalizers: [] } });
  await settle();
  assert.deepEqual(names(), ['loose'], 'a dependent that does not block is not waited for');
});

test('owners in a circle do not wait for each other for ever', async () => {
  await using scenario = await setUp();
  const { client, settle, names } = scenario;
  const a = await client.create(parts, owned('a'));
  const b = await client.create(parts, owned('b', [a]));
  await client.patch(parts, ref('a'), { metadata: { ownerReferences: [referenceTo(b)] } });
  await settle();
  await client.delete(parts, ref('a'), { propagationPolicy: 'Foreground' });
  await settle();
  assert.deepEqual(names(), []);
});

test('orphans stay, without a reference to what is gone', async () => {
  await using scenario = await setUp();
  const { client, settle, names } = scenario;
  const root = await client.create(parts, owned('root'));
  await client.create(parts, owned('a', [root]));
  await client.create(parts, owned('b', [root]));
  await client.delete(parts, ref('root'), { propagationPolicy: 'Orphan' });
  await settle();
  assert.deepEqual(names(), ['a', 'b']);
  assert.deepEqual(client.peek(parts, ref('a'))?.metadata.ownerReferences, []);
});

test('an object that is adopted at the last moment is not deleted', async () => {
  await using scenario = await setUp();
  const { client, settle, names } = scenario;
  const old = await client.create(parts, owned('old'));
  const savior = await client.create(parts, owned('savior'));
  const child = await client.create(parts, owned('child', [old]));
  let adopted = false;
  client.onRequest((request) => {
    if (request.verb !== 'delete' || request.name !== 'child' || adopted) return;
    adopted = true;
    client.put(parts, { ...child, metadata: { ...child.metadata, ownerReferences: [referenceTo(savior)] } });
  });
  await client.delete(parts, ref('old'));
  await settle();
  assert.ok(adopted);
  assert.deepEqual(names(), ['child', 'savior']);
});

test('it catches up with what happened while it was not running', async () => {
  const clock = new FakeClock();
  const client = createFakeClient({ clock });
  const root = await client.create(parts, owned('root'));
  await client.create(parts, owned('child', [root]));
  const other = await client.create(parts, owned('other'));
  await client.create(parts, owned('other-child', [other]));
  await client.delete(parts, ref('root'));
  await client.delete(parts, ref('other'), { propagationPolicy: 'Foreground' });
  await using running = startControllers([garbageCollector({ client, types: [parts], clock })], { clock });
  await running.ready;
  await clock.advance(60_000);
  assert.deepEqual(client.peekAll(parts), []);
});

type Step =
  | { readonly do: 'create'; readonly name: number; readonly owners: readonly number[]; readonly block: boolean }
  | { readonly do: 'delete'; readonly name: number; readonly policy: 'Background' | 'Foreground' | 'Orphan' }
  | { readonly do: 'wait' | 'disconnect' | 'compact' };

const object = fc.integer({ min: 0, max: 5 });
const stepArbitrary: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('create' as const),
      name: object,
      owners: fc.array(object, { maxLength: 2 }),
      block: fc.boolean(),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('delete' as const),
      name: object,
      policy: fc.constantFrom('Background' as const, 'Foreground' as const, 'Orphan' as const),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('wait' as const, 'disconnect' as const, 'compact' as const) }) },
);

test('it deletes only what no living owner holds, and leaves nothing behind that none does', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(stepArbitrary, { maxLength: 30 }), async (steps) => {
      await using scenario = await setUp();
      const { client, clock } = scenario;
      const wrong: string[] = [];
      const foregroundOnce = new Set<string>();
      const holds = ({ uid, name }: OwnerReference): boolean => {
        const owner = client.peek(parts, ref(name));
        const waits = owner?.metadata.deletionTimestamp !== undefined && owner.metadata.finalizers?.includes('foregroundDeletion') === true;
        return owner?.metadata.uid === uid && !waits;
      };
      client.onRequest(({ verb, name = '', body }) => {
        const { preconditions } = (body ?? {}) as { preconditions?: { resourceVersion?: string } };
        const current = client.peek(parts, ref(name));
        if (verb !== 'delete' || current === undefined || preconditions?.resourceVersion !== current.metadata.resourceVersion) return;
        const { ownerReferences = [] } = current.metadata;
        // Who has once asked for foreground deletion cannot be sure to be in time when changing to orphan.
        const held = ownerReferences.some((reference) => holds(reference) && !foregroundOnce.has(reference.uid));
        if (held || ownerReferences.length === 0) wrong.push(`${name} was deleted though it is held`);
      });
      for (const step of steps) {
        if (step.do === 'create') {
          const owners = step.owners.map((name) => client.peek(parts, ref(`p${name}`))).filter((owner) => owner !== undefined);
          await client.create(parts, owned(`p${step.name}`, owners, { block: step.block })).catch(() => undefined);
        } else if (step.do === 'delete') {
          const uid = client.peek(parts, ref(`p${step.name}`))?.metadata.uid;
          if (step.policy === 'Foreground' && uid !== undefined) foregroundOnce.add(uid);
          await client.delete(parts, ref(`p${step.name}`), { propagationPolicy: step.policy }).catch(() => undefined);
        } else if (step.do === 'wait') await clock.advance(5);
        else client[step.do]();
      }
      await clock.advance(20 * 60_000);
      assert.deepEqual(wrong, []);
      for (const left of client.peekAll(parts)) {
        const { name, deletionTimestamp, ownerReferences = [] } = left.metadata;
        assert.equal(deletionTimestamp, undefined, `${name} got stuck on its way`);
        assert.ok(ownerReferences.length === 0 || ownerReferences.some(holds), `${name} should be gone`);
      }
    }),
    { numRuns: 150 },
  );
});
