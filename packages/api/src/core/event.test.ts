import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { eventDefinition, eventsEventDefinition } from './event.ts';
import type { CoreEvent } from './event.ts';
import { eventFromStored, eventToStored } from './events-event.ts';
import type { EventsEvent } from './events-event.ts';

const text = fc.string({ maxLength: 8 });
const reference = fc.record(
  { kind: text, name: text, namespace: text, uid: text, fieldPath: text },
  { requiredKeys: [], noNullPrototype: true },
);
const metadata = fc.record({ name: text, namespace: text }, { noNullPrototype: true });

const coreEvent = fc.record(
  {
    apiVersion: fc.constant('v1'),
    kind: fc.constant('Event'),
    metadata,
    involvedObject: reference,
    related: reference,
    reason: text,
    message: text,
    type: text,
    action: text,
    count: fc.nat(),
    firstTimestamp: fc.option(text),
    lastTimestamp: fc.option(text),
    eventTime: fc.option(text),
    series: fc.record({ count: fc.nat(), lastObservedTime: text }, { noNullPrototype: true }),
    reportingComponent: text,
    reportingInstance: text,
    source: fc.record({ component: text, host: text }, { requiredKeys: [], noNullPrototype: true }),
  },
  { requiredKeys: ['apiVersion', 'kind', 'metadata'], noNullPrototype: true },
);

test('the two forms of an event convert into each other without loss', () => {
  fc.assert(
    fc.property(coreEvent, (event) => {
      const other = eventFromStored(event);
      assert.equal(other.apiVersion, 'events.k8s.io/v1');
      assert.deepEqual(eventToStored(other), event);
      assert.deepEqual(eventFromStored(eventToStored(other)), other);
    }),
  );
});

test('conversion speaks only the fields of the schema it converts to', () => {
  const all = Object.fromEntries(Object.keys(eventDefinition.schema.properties ?? {}).map((name) => [name, name]));
  const converted = eventFromStored({ apiVersion: 'v1', kind: 'Event', metadata: {}, ...all });
  const { apiVersion: _apiVersion, kind: _kind, metadata: _metadata, ...fields } = { ...converted };
  assert.deepEqual(Object.keys(fields).sort(), Object.keys(eventsEventDefinition.schema.properties ?? {}).sort());
});

test('both forms select by the same fields', () => {
  const probe = (paths: readonly string[]): string[] =>
    paths.map((path) => path.replace('regarding.', 'involvedObject.').replace('reportingController', 'reportingComponent')).sort();
  assert.deepEqual(probe(eventsEventDefinition.selectableFields ?? []), [...(eventDefinition.selectableFields ?? [])].sort());
});

test('both forms print the same cells', () => {
  const event: CoreEvent = {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name: 'e', namespace: 'team' },
    involvedObject: { kind: 'Order', name: 'o1', namespace: 'team' },
    reason: 'Created',
    message: 'Created workflow\n',
    type: 'Normal',
    eventTime: '2026-01-01T00:00:00.000000Z',
    reportingComponent: 'order-controller',
    reportingInstance: 'host-1',
  };
  const cells = (eventDefinition.columns ?? []).map((column) => column.value(event));
  assert.deepEqual(cells, [
    '2026-01-01T00:00:00.000000Z',
    'Normal',
    'Created',
    'order/o1',
    '',
    'order-controller, host-1',
    'Created workflow',
    '2026-01-01T00:00:00.000000Z',
    1,
  ]);
  const other = eventFromStored(event) as EventsEvent;
  assert.deepEqual(
    (eventsEventDefinition.columns ?? []).map((column) => column.value(other)),
    cells,
  );
});

test('an event lives in the namespace of its object, or in default when that has none', () => {
  const fieldsOf = (namespace: string, about: string | undefined): string[] =>
    (
      eventDefinition.strategy?.validate?.({
        apiVersion: 'v1',
        kind: 'Event',
        metadata: { name: 'e', namespace },
        involvedObject: about === undefined ? {} : { namespace: about },
      }) ?? []
    ).map(({ field }) => field);
  assert.deepEqual(fieldsOf('team', 'team'), []);
  assert.deepEqual(fieldsOf('team', 'other'), ['involvedObject.namespace']);
  assert.deepEqual(fieldsOf('default', undefined), []);
  assert.deepEqual(fieldsOf('team', undefined), ['involvedObject.namespace']);
});

test('the newer form names its reporter, action and reason', () => {
  const errors = eventDefinition.strategy?.validate?.({
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name: 'e', namespace: 'team' },
    involvedObject: { namespace: 'team' },
    eventTime: '2026-01-01T00:00:00.000000Z',
    reportingComponent: 'c',
    reportingInstance: 'x'.repeat(129),
    message: 'm'.repeat(1025),
  });
  assert.deepEqual(
    errors?.map(({ field, reason }) => `${field} ${reason}`),
    ['reportingInstance FieldValueInvalid', 'action FieldValueRequired', 'reason FieldValueRequired', 'message FieldValueInvalid'],
  );
});
