import type { KubeObject, ResourceType } from '@arc/apimachinery';
import { statusError } from '@arc/apimachinery';
import { FakeClock } from '@arc/kernel';
import assert from 'node:assert/strict';
import { setImmediate as turn } from 'node:timers/promises';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { createFakeClient } from './fake/index.ts';
import { createInformer } from './create-informer.ts';
import type { InformerOptions } from './create-informer.ts';

const widgets: ResourceType = { group: 'demo.example.com', version: 'v1', plural: 'widgets', kind: 'Widget', namespaced: true };

interface Widget extends KubeObject {
  spec?: { size: number; parts?: string[] };
}

function widget(name: string, size = 0, parts: string[] = []): Widget {
  return { apiVersion: 'demo.example.com/v1', kind: 'Widget', metadata: { namespace: 'ns', name }, spec: { size, parts } };
}

function setUp(options: InformerOptions<Widget> = {}) {
  const clock = new FakeClock();
  const client = createFakeClient({ clock });
  const informer = createInformer<Widget>(client, widgets, { clock, random: () => 0.5, ...options });
  const stop = new AbortController();
  const events: string[] = [];
  informer.addHandler({
    added: (object) => events.push(`+${object.metadata.name}`),
    updated: (object, old) => events.push(`~${object.metadata.name} ${old.spec?.size}>${object.spec?.size}`),
    deleted: (object) => events.push(`-${object.metadata.name}`),
  });
  const start = async (): Promise<{ running: Promise<void> }> => {
    const running = informer.run(stop.signal);
    await informer.synced(stop.signal);
    await turn();
    return { running };
  };
  return { clock, client, informer, stop, events, start };
}

const ref = (name: string) => ({ namespace: 'ns', name });

test('lists, follows and keeps its indexes', async () => {
  const { client, informer, stop, events, start } = setUp({ indexes: { part: (object) => object.spec?.parts ?? [] } });
  client.put(widgets, widget('a', 1, ['x', 'y']));
  const { running } = await start();
  await client.create(widgets, widget('b', 1, ['y']));
  await client.patch(widgets, ref('a'), { spec: { size: 2, parts: ['x'] } });
  await turn();
  assert.deepEqual(events, ['+a', '+b', '~a 1>2']);
  assert.equal(informer.get('ns', 'a')?.spec?.size, 2);
  assert.deepEqual(
    [informer.byIndex('part', 'x').map(nameOf), informer.byIndex('part', 'y').map(nameOf), informer.byIndex('part', 'z')],
    [['a'], ['b'], []],
  );
  await client.delete(widgets, ref('b'));
  await turn();
  assert.deepEqual([events.at(-1), informer.byIndex('part', 'y'), informer.list('ns').length, informer.list('other')], ['-b', [], 1, []]);
  assert.throws(() => informer.byIndex('color', 'red'), { code: 'UnknownIndex' });
  stop.abort();
  await running;
});

test('resumes after a lost stream without relisting and without repeating', async () => {
  const { client, clock, stop, events, start } = setUp();
  await client.create(widgets, widget('a', 1));
  const { running } = await start();
  client.disconnect();
  await client.patch(widgets, ref('a'), { spec: { size: 2 } });
  await clock.advance(1000);
  assert.deepEqual(events, ['+a', '~a 1>2']);
  assert.equal(client.requests.filter((request) => request.verb === 'list').length, 1);
  stop.abort();
  await running;
});

test('relists on 410 and reports what it missed, deletions and replacements included', async () => {
  const { client, clock, stop, events, start } = setUp();
  for (const name of ['gone', 'kept', 'replaced']) await client.create(widgets, widget(name, 1));
  const { running } = await start();
  events.length = 0;
  const refuse = client.onRequest((request) => {
    if (request.verb === 'watch' || request.verb === 'list') throw statusError.internal('down');
  });
  client.disconnect();
  await turn();
  await client.delete(widgets, ref('gone'));
  await client.delete(widgets, ref('replaced'));
  await client.create(widgets, widget('replaced', 2));
  client.compact();
  await client.create(widgets, widget('late', 1));
  refuse[Symbol.dispose]();
  await clock.advance(60_000);
  assert.deepEqual(events.sort(), ['+late', '+replaced', '-gone', '-replaced']);
  stop.abort();
  await running;
});

test('a bookmark moves the revision it resumes from', async () => {
  const { client, clock, stop, start } = setUp();
  await client.create(widgets, widget('a'));
  const { running } = await start();
  await client.create({ ...widgets, plural: 'others', kind: 'Other' }, { ...widget('o'), kind: 'Other' });
  client.bookmark();
  await turn();
  client.compact();
  client.disconnect();
  await clock.advance(1000);
  assert.equal(client.requests.filter((request) => request.verb === 'list').length, 1, 'not expired, thanks to the bookmark');
  stop.abort();
  await running;
});

test('pages through long lists, and survives a snapshot that expires between pages', async () => {
  const { client, informer, stop, start } = setUp();
  for (let i = 0; i < 1203; i += 1) client.put(widgets, widget(`w${i}`));
  let lists = 0;
  client.onRequest((request) => {
    if (request.verb !== 'list') return;
    lists += 1;
    if (lists === 2) throw statusError.expired('The provided continue parameter is too old');
  });
  const { running } = await start();
  assert.equal(informer.list().length, 1203);
  assert.equal(lists, 3);
  stop.abort();
  await running;
});

test('backs off while the server fails, and stops at once without timers left', async () => {
  const { client, clock, informer, stop } = setUp();
  let lists = 0;
  client.onRequest(() => {
    lists += 1;
    throw statusError.internal('down');
  });
  const running = informer.run(stop.signal);
  await clock.advance(60_000);
  assert.ok(lists > 5 && lists < 15, `${lists} attempts in a minute`);
  stop.abort();
  await running;
  assert.equal(clock.pendingTimers, 0);
});

test('a server that ends every watch at once is not hammered', async () => {
  const { client, clock, stop, start } = setUp();
  client.onRequest((request) => {
    if (request.verb === 'watch') setImmediate(() => client.disconnect());
  });
  const { running } = await start();
  for (let second = 0; second < 60; second += 1) await clock.advance(1000);
  const watches = client.requests.filter((request) => request.verb === 'watch').length;
  assert.ok(watches > 3 && watches < 20, `${watches} watches in a minute`);
  stop.abort();
  await running;
});

test('a handler that throws stops neither the others nor the informer', async () => {
  const { client, informer, stop, start } = setUp();
  const seen: string[] = [];
  informer.addHandler({
    added: () => {
      throw new Error('broken handler');
    },
  });
  informer.addHandler({ added: (object) => seen.push(object.metadata.name ?? '') });
  const { running } = await start();
  await client.create(widgets, widget('a'));
  await client.create(widgets, widget('b'));
  await turn();
  assert.deepEqual(seen, ['a', 'b']);
  const late: string[] = [];
  informer.addHandler({ added: (object) => late.push(object.metadata.name ?? '') });
  assert.deepEqual(late, ['a', 'b'], 'a late handler is told what exists');
  stop.abort();
  await running;
});

test('metadataOnly and transform keep less', async () => {
  const { client, informer, stop, start } = setUp({
    metadataOnly: true,
    transform: (object) => ({ ...object, metadata: { ...object.metadata, annotations: {} } }),
  });
  client.put(widgets, widget('a', 3));
  const { running } = await start();
  const kept = informer.get('ns', 'a');
  assert.deepEqual([kept?.kind, kept?.spec, kept?.metadata.annotations], ['Widget', undefined, {}]);
  stop.abort();
  await running;
});

test('synced rejects with the reason of its signal', async () => {
  const { informer } = setUp();
  await assert.rejects(informer.synced(AbortSignal.abort(new Error('stopping'))), /stopping/);
});

type Step =
  | { readonly do: 'create' | 'delete'; readonly name: string }
  | { readonly do: 'resize'; readonly name: string; readonly size: number }
  | { readonly do: 'disconnect' | 'compact' | 'wait' };

const stepArbitrary: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ do: fc.constantFrom('create' as const, 'delete' as const), name: fc.constantFrom('a', 'b', 'c') }),
  fc.record({ do: fc.constant('resize' as const), name: fc.constantFrom('a', 'b', 'c'), size: fc.integer({ min: 1, max: 9 }) }),
  fc.record({ do: fc.constantFrom('disconnect' as const, 'compact' as const, 'wait' as const) }),
);

test('whatever happens to the stream, it ends with the state of the server and its events add up to it', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(stepArbitrary, { maxLength: 30 }), async (steps) => {
      const { client, clock, informer, stop } = setUp();
      const mirror = new Map<string, Widget>();
      const wrong: string[] = [];
      const check = (holds: boolean, rule: string): void => void (holds || wrong.push(rule));
      informer.addHandler({
        added: (object) => {
          check(!mirror.has(nameOf(object)), 'added once');
          mirror.set(nameOf(object), object);
        },
        updated: (object, old) => {
          check(mirror.get(nameOf(object)) === old, 'old is what was delivered last');
          check(old.metadata.resourceVersion !== object.metadata.resourceVersion, 'an update is a new revision');
          mirror.set(nameOf(object), object);
        },
        deleted: (object) => check(mirror.delete(nameOf(object)), 'deleted once'),
      });
      const running = informer.run(stop.signal);
      for (const step of steps) {
        if (step.do === 'create') await client.create(widgets, widget(step.name)).catch(() => undefined);
        else if (step.do === 'delete') await client.delete(widgets, ref(step.name)).catch(() => undefined);
        else if (step.do === 'resize') await client.patch(widgets, ref(step.name), { spec: { size: step.size } }).catch(() => undefined);
        else if (step.do === 'wait') await turn();
        else client[step.do]();
      }
      await clock.advance(120_000);
      const expected = client.peekAll<Widget>(widgets);
      assert.deepEqual([...informer.list()].sort(byName), expected);
      assert.deepEqual(wrong, []);
      assert.deepEqual([...mirror.values()].sort(byName), expected);
      stop.abort();
      await running;
      assert.equal(clock.pendingTimers, 0);
    }),
    { numRuns: 200 },
  );
});

function nameOf(object: KubeObject): string {
  return object.metadata.name ?? '';
}

function byName(a: KubeObject, b: KubeObject): number {
  return nameOf(a) < nameOf(b) ? -1 : 1;
}
