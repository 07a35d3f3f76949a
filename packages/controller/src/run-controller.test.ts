import type { KubeObject, ResourceType } from '@arc/apimachinery';
import { statusError } from '@arc/apimachinery';
import { FakeClock, TerminalError } from '@arc/kernel';
import { createInformer } from '@arc/kube-client';
import { createFakeClient } from '@arc/kube-client/fake';
import assert from 'node:assert/strict';
import { setImmediate as turn } from 'node:timers/promises';
import { test } from 'node:test';
import type { ControllerSource } from './controller.ts';
import type { Reconciler } from './reconcile.ts';
import { startControllers } from './start-controllers.ts';

const widgets: ResourceType = { group: 'demo.example.com', version: 'v1', plural: 'widgets', kind: 'Widget', namespaced: true };
const ref = (name: string) => ({ namespace: 'ns', name });

interface Widget extends KubeObject {
  spec: { size?: number; parent?: string };
}

function widget(name: string, spec: Widget['spec'] = {}): Widget {
  return { apiVersion: 'demo.example.com/v1', kind: 'Widget', metadata: { namespace: 'ns', name }, spec };
}

async function setUp(reconcile: Reconciler, source: Partial<ControllerSource<Widget>> = {}) {
  const clock = new FakeClock();
  const client = createFakeClient({ clock, objects: [[widgets, widget('first')]] });
  const informer = createInformer<Widget>(client, widgets, { clock });
  const outcomes: string[] = [];
  const running = startControllers([{ name: 'test', reconcile, sources: [{ informer, ...source }], workers: 2 }], {
    clock,
    metrics: { reconciled: (_name, outcome) => outcomes.push(outcome), queueDepth: () => {} },
  });
  await running.ready;
  await turn();
  return { clock, client, informer, running, outcomes };
}

test('reconciles what exists, what changes, and what it asked to see again', async () => {
  const seen: string[] = [];
  const { clock, client, running, outcomes } = await setUp(async ({ name }) => {
    seen.push(name);
    return name === 'again' && seen.filter((one) => one === 'again').length === 1 ? { requeueAfterMs: 5000 } : undefined;
  });
  assert.deepEqual(seen, ['first']);
  await client.create(widgets, widget('again'));
  await clock.advance(4999);
  assert.deepEqual(seen, ['first', 'again']);
  await clock.advance(1);
  assert.deepEqual(seen, ['first', 'again', 'again']);
  assert.deepEqual(outcomes, ['success', 'requeue', 'success']);
  await running[Symbol.asyncDispose]();
  assert.equal(clock.pendingTimers, 0);
});

test('retries what fails with backoff, gives up on terminal errors, and survives both', async () => {
  let failing = 0;
  let terminal = 0;
  const { clock, client, running, outcomes } = await setUp(({ name }) => {
    if (name === 'failing' && (failing += 1) < 4) throw statusError.conflict(widgets, name);
    if (name === 'terminal') {
      terminal += 1;
      throw new TerminalError('Hopeless', 'cannot be');
    }
    return Promise.resolve(undefined);
  });
  await client.create(widgets, widget('failing'));
  await client.create(widgets, widget('terminal'));
  await clock.advance(60_000);
  assert.deepEqual([failing, terminal], [4, 1]);
  await client.patch(widgets, ref('terminal'), { spec: { size: 1 } });
  await clock.advance(1000);
  assert.equal(terminal, 2, 'a change makes it try again');
  assert.equal(outcomes.filter((outcome) => outcome === 'error').length, 3);
  await running[Symbol.asyncDispose]();
});

test('maps old and new content to requests, and skips updates that do not matter', async () => {
  const seen: string[] = [];
  const { clock, client, running } = await setUp(
    async ({ name }) => {
      seen.push(name);
      return undefined;
    },
    {
      requests: (object) => (object.spec.parent === undefined ? [] : [{ name: object.spec.parent }]),
      changed: (object, old) => object.spec.parent !== old.spec.parent,
    },
  );
  await client.create(widgets, widget('child', { parent: 'x' }));
  await clock.advance(1);
  await client.patch(widgets, ref('child'), { spec: { size: 2 } });
  await clock.advance(1);
  await client.patch(widgets, ref('child'), { spec: { parent: 'y' } });
  await clock.advance(1);
  await client.delete(widgets, ref('child'));
  await clock.advance(1);
  assert.deepEqual(seen, ['x', 'y', 'x', 'y']);
  await running[Symbol.asyncDispose]();
});

test('stopping waits for the reconcile in progress and aborts its signal', async () => {
  let ended = false;
  const { running } = await setUp(async (_request, signal) => {
    await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
    await turn();
    ended = true;
    return undefined;
  });
  await running[Symbol.asyncDispose]();
  assert.equal(ended, true);
});

test('a resource that cannot be listed holds up only the controllers that need it', async () => {
  const clock = new FakeClock();
  const gadgets: ResourceType = { ...widgets, plural: 'gadgets', kind: 'Gadget' };
  const client = createFakeClient({ clock, objects: [[widgets, widget('first')]] });
  client.onRequest((request) => {
    if (request.type?.plural === 'gadgets') throw statusError.noSuchRoute();
  });
  const seen: string[] = [];
  const controller = (name: string, type: ResourceType) => ({
    name,
    sources: [{ informer: createInformer(client, type, { clock }) }],
    reconcile: async () => void seen.push(name),
  });
  const running = startControllers([controller('stuck', gadgets), controller('fine', widgets)], { clock });
  await clock.advance(30_000);
  assert.deepEqual(seen, ['fine']);
  await Promise.all([assert.rejects(running.ready), running[Symbol.asyncDispose]()]);
  assert.equal(clock.pendingTimers, 0);
});

test('an informer that was started before is reported, not left to crash the process', async () => {
  const clock = new FakeClock();
  const client = createFakeClient({ clock });
  const informer = createInformer(client, widgets, { clock });
  await using first = startControllers([], { informers: [informer], clock });
  await first.ready;
  await using second = startControllers([], { informers: [informer], clock });
  await assert.rejects(second.ready, { code: 'InformerStarted' });
});
