import type { KubeObject, ResourceType, UnstructuredObject } from '@arc/apimachinery';
import { statusError } from '@arc/apimachinery';
import { FakeClock } from '@arc/kernel';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createEventRecorder } from './event-recorder.ts';
import type { RecordedEvent } from './event-recorder.ts';
import { createFakeClient } from './fake/index.ts';

const events: ResourceType = { group: 'events.k8s.io', version: 'v1', plural: 'events', kind: 'Event', namespaced: true };

const order: KubeObject = {
  apiVersion: 'arc.example/v1',
  kind: 'Order',
  metadata: { namespace: 'ns', name: 'o', uid: 'u', resourceVersion: '7' },
};

const failed: RecordedEvent = { type: 'Warning', reason: 'PullFailed', action: 'Pull', note: 'the source said 401' };

function setUp() {
  const clock = new FakeClock(Date.parse('2026-01-01T00:00:00.123Z'));
  const client = createFakeClient({ clock });
  const recorder = createEventRecorder(client, { controller: 'arc.example/order', instance: 'host-1', clock });
  const stored = (): UnstructuredObject[] => client.peekAll(events);
  return { clock, client, recorder, stored };
}

test('an event says what happened to which object', async () => {
  const { clock, recorder, stored } = setUp();
  recorder.event(order, { ...failed, note: 'ü'.repeat(1000) });
  await clock.advance(0);
  const [event] = stored();
  assert.deepEqual(
    { ...event, metadata: undefined, note: undefined },
    {
      apiVersion: 'events.k8s.io/v1',
      kind: 'Event',
      metadata: undefined,
      eventTime: '2026-01-01T00:00:00.123000Z',
      reportingController: 'arc.example/order',
      reportingInstance: 'host-1',
      type: 'Warning',
      reason: 'PullFailed',
      action: 'Pull',
      note: undefined,
      regarding: { apiVersion: 'arc.example/v1', kind: 'Order', namespace: 'ns', name: 'o', uid: 'u', resourceVersion: '7' },
    },
  );
  assert.match(event?.metadata.name ?? '', /^o\.[0-9a-f]{16}$/);
  const note = String(event?.['note']);
  assert.ok(Buffer.byteLength(note) <= 1024 && note.endsWith('ü…'), 'cut between characters');
  await recorder[Symbol.asyncDispose]();
});

test('repetitions become a series that is written now and then', async () => {
  const { clock, client, recorder, stored } = setUp();
  for (let i = 0; i < 100; i += 1) {
    recorder.event({ ...order, metadata: { ...order.metadata, resourceVersion: String(i) } }, failed);
    await clock.advance(1000);
  }
  assert.equal(stored().length, 1);
  assert.equal(client.requests.length, 4, 'one create and a write every 30 s');
  await recorder[Symbol.asyncDispose]();
  assert.deepEqual(stored()[0]?.['series'], { count: 100, lastObservedTime: '2026-01-01T00:01:39.123000Z' });
  assert.equal(clock.pendingTimers, 0);
});

test('after a pause it is a new event', async () => {
  const { clock, recorder, stored } = setUp();
  recorder.event(order, failed);
  await clock.advance(6 * 60_000);
  recorder.event(order, failed);
  await clock.advance(0);
  assert.equal(stored().length, 2);
  await recorder[Symbol.asyncDispose]();
});

test('one object cannot cause a storm, and does not silence another', async () => {
  const { clock, recorder, stored } = setUp();
  for (let i = 0; i < 200; i += 1) recorder.event(order, { ...failed, note: `attempt ${i}` });
  recorder.event({ ...order, metadata: { ...order.metadata, name: 'other', uid: 'v' } }, failed);
  await clock.advance(0);
  assert.equal(stored().length, 26);
  await clock.advance(5 * 60_000);
  for (let i = 0; i < 200; i += 1) recorder.event(order, { ...failed, note: `later ${i}` });
  await clock.advance(0);
  assert.equal(stored().length, 27);
  await recorder[Symbol.asyncDispose]();
});

test('failures reach nobody, and an expired event is written again with its series', async () => {
  const { clock, client, recorder, stored } = setUp();
  const refuse = client.onRequest(() => {
    throw statusError.internal('down');
  });
  recorder.event(order, failed);
  await clock.advance(0);
  refuse[Symbol.dispose]();
  recorder.event(order, failed);
  await recorder[Symbol.asyncDispose]();
  assert.deepEqual(stored()[0]?.['series'], { count: 2, lastObservedTime: '2026-01-01T00:00:00.123000Z' });
});
