import assert from 'node:assert/strict';
import { test } from 'node:test';
import { orders } from '@arc/api/arc';
import type { Order } from '@arc/api/arc';
import { statusError } from '@arc/apimachinery';
import { FakeClock } from '@arc/kernel';
import { ConnectionError } from '@arc/kube-client';
import { createFakeClient } from '@arc/kube-client/fake';
import { followObject } from './follow-object.ts';

const ref = { namespace: 'default', name: 'demo' };

function order(phase: string): Order {
  return {
    apiVersion: 'arc.opendefense.cloud/v1alpha1',
    kind: 'Order',
    metadata: { ...ref, uid: 'u' },
    status: { phase },
  };
}

function follow(options: { readonly onInterruption?: (error: Error | undefined) => void; readonly signal?: AbortSignal } = {}) {
  const clock = new FakeClock();
  const client = createFakeClient({ clock });
  const { signal = new AbortController().signal, onInterruption = () => {} } = options;
  const followed = followObject<Order>(client, orders, ref, { clock, signal, onInterruption });
  return { clock, client, next: async () => (await followed.next()).value?.status?.phase as string | undefined };
}

test('every change is told, and so is that the object is not there', async () => {
  const { client, next } = follow();
  assert.equal(await next(), undefined);
  client.put(orders, order('Pending'));
  assert.equal(await next(), 'Pending');
  client.put(orders, order('Running'));
  assert.equal(await next(), 'Running');
  await client.delete(orders, ref);
  assert.equal(await next(), undefined);
});

test('a server that goes away for a while is waited for, and that is told once', async () => {
  const told: (string | undefined)[] = [];
  const { client, clock, next } = follow({ onInterruption: (error) => told.push(error?.message) });
  client.put(orders, order('Running'));
  assert.equal(await next(), 'Running');
  const outage = client.onRequest(() => {
    throw new ConnectionError('https://127.0.0.1:6443', Object.assign(new Error('refused'), { code: 'ECONNREFUSED' }));
  });
  const waiting = next();
  client.disconnect();
  for (let second = 0; second < 30; second++) await clock.advance(1000);
  outage[Symbol.dispose]();
  client.put(orders, order('Succeeded'));
  await clock.advance(10_000);
  assert.equal(await waiting, 'Succeeded');
  assert.deepEqual(told, ['cannot talk to the API server 127.0.0.1:6443: connection refused', undefined]);
});

test('history that is gone is read anew, without a word', async () => {
  const told: unknown[] = [];
  const { client, clock, next } = follow({ onInterruption: (error) => told.push(error) });
  client.put(orders, order('Running'));
  assert.equal(await next(), 'Running');
  const interception = client.onRequest(({ verb }) => {
    if (verb === 'watch') throw statusError.expired('too old resource version: 1 (2)');
  });
  const waiting = next();
  client.put(orders, order('Succeeded'));
  await clock.advance(1000);
  interception[Symbol.dispose]();
  assert.equal(await waiting, 'Succeeded');
  assert.deepEqual(told, []);
});

test('what will not pass is thrown, as is the reason of the signal', async () => {
  const { client, next } = follow();
  client.onRequest(() => {
    throw statusError.unauthorized();
  });
  await assert.rejects(next(), { code: 'Unauthorized' });
  const controller = new AbortController();
  const aborted = follow({ signal: controller.signal });
  await aborted.next();
  const waiting = aborted.next();
  controller.abort(new Error('enough'));
  await assert.rejects(waiting, /enough/);
});
