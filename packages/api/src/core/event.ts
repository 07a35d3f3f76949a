import { fieldError, s } from '@arc/apimachinery';
import type { ColumnDefinition, FieldError, KindDefinition, KubeObject, ResourceType, Static } from '@arc/apimachinery';
import { eventFromStored, eventToStored, eventsEventSchema } from './events-event.ts';
import type { EventsEvent } from './events-event.ts';
import { objectReference } from './object-reference.ts';
import { protobufBodies } from './protobuf-bodies.ts';

const eventSchema = s.object({
  involvedObject: s.optional(objectReference('The object this event is about.')),
  reason: s.optional(s.string({ description: 'Why it happened, one CamelCase word.' })),
  message: s.optional(s.string({ description: 'What happened, in words.' })),
  type: s.optional(s.string({ description: 'Normal or Warning.' })),
  action: s.optional(s.string({ description: 'What was done.' })),
  count: s.optional(s.integer({ format: 'int32', description: 'How often it happened.' })),
  firstTimestamp: s.optional(s.time({ description: 'When it first happened.' })),
  lastTimestamp: s.optional(s.time({ description: 'When it last happened.' })),
  eventTime: s.optional(s.time({ description: 'When this event was first observed.' })),
  series: s.optional(
    s.object(
      {
        count: s.optional(s.integer({ format: 'int32', description: 'How often it happened.' })),
        lastObservedTime: s.optional(s.time({ description: 'When it last happened.' })),
      },
      { description: 'The repetitions this event stands for.' },
    ),
  ),
  related: s.optional(objectReference('A second object that plays a part.')),
  reportingComponent: s.optional(s.string({ description: 'The controller that reports.' })),
  reportingInstance: s.optional(s.string({ description: 'The process that reports.' })),
  source: s.optional(
    s.object(
      {
        component: s.optional(s.string({ description: 'The component that reports.' })),
        host: s.optional(s.string({ description: 'The host it runs on.' })),
      },
      { description: 'Who reports, in the older form.' },
    ),
  ),
});

/** An event as it is stored and served in the core group. */
export interface CoreEvent extends KubeObject, Static<typeof eventSchema> {}

export const events: ResourceType = { group: '', version: 'v1', plural: 'events', kind: 'Event', namespaced: true };
export const eventsEvents: ResourceType = { group: 'events.k8s.io', version: 'v1', plural: 'events', kind: 'Event', namespaced: true };

const columns: readonly ColumnDefinition<CoreEvent>[] = [
  { name: 'Last Seen', type: 'date', description: 'When it last happened.', value: lastSeen },
  { name: 'Type', type: 'string', description: 'Normal or Warning.', value: (event) => event.type },
  { name: 'Reason', type: 'string', description: 'Why it happened.', value: (event) => event.reason },
  { name: 'Object', type: 'string', description: 'The object it is about.', value: ({ involvedObject }) => objectText(involvedObject) },
  {
    name: 'Subobject',
    type: 'string',
    description: 'The part of the object.',
    priority: 1,
    value: (event) => event.involvedObject?.fieldPath ?? '',
  },
  { name: 'Source', type: 'string', description: 'Who reports.', priority: 1, value: sourceText },
  { name: 'Message', type: 'string', description: 'What happened.', value: (event) => event.message?.trim() },
  { name: 'First Seen', type: 'date', description: 'When it first happened.', priority: 1, value: firstSeen },
  {
    name: 'Count',
    type: 'integer',
    description: 'How often it happened.',
    priority: 1,
    value: ({ series, count }) => series?.count ?? count ?? 1,
  },
];

/** The same stored objects as `eventDefinition`, in the shape of events.k8s.io. */
export const eventsEventDefinition: KindDefinition<EventsEvent> = {
  group: 'events.k8s.io',
  version: 'v1',
  kind: 'Event',
  names: { plural: 'events', singular: 'event', shortNames: ['ev'] },
  scope: 'Namespaced',
  description: 'Event reports something that happened to an object.',
  schema: eventsEventSchema,
  strategy: { allowUnconditionalUpdate: true },
  columns: columns.map((column) => ({ ...column, value: (event: EventsEvent) => column.value(stored(event)) })),
  selectableFields: [
    'reason',
    'regarding.apiVersion',
    'regarding.fieldPath',
    'regarding.kind',
    'regarding.name',
    'regarding.namespace',
    'regarding.resourceVersion',
    'regarding.uid',
    'reportingController',
    'type',
  ],
  strategicMergePatch: true,
  ...protobufBodies('events.k8s.io/v1', 'Event'),
};

export const eventDefinition: KindDefinition<CoreEvent> = {
  group: '',
  version: 'v1',
  kind: 'Event',
  names: { plural: 'events', singular: 'event', shortNames: ['ev'] },
  scope: 'Namespaced',
  description: 'Event reports something that happened to an object.',
  schema: eventSchema,
  strategy: { allowUnconditionalUpdate: true, validate: validateEvent },
  // As `--event-ttl` of a kube-apiserver has it by default.
  expireAfterMs: 3_600_000,
  columns,
  selectableFields: [
    'involvedObject.apiVersion',
    'involvedObject.fieldPath',
    'involvedObject.kind',
    'involvedObject.name',
    'involvedObject.namespace',
    'involvedObject.resourceVersion',
    'involvedObject.uid',
    'reason',
    'reportingComponent',
    'type',
  ],
  strategicMergePatch: true,
  ...protobufBodies('v1', 'Event'),
  servedAlsoAs: [{ definition: eventsEventDefinition, fromStored: eventFromStored, toStored: eventToStored }],
};

function stored(event: EventsEvent): CoreEvent {
  return eventToStored(event) as CoreEvent;
}

function lastSeen(event: CoreEvent): string | undefined {
  return event.series?.lastObservedTime ?? event.lastTimestamp ?? event.eventTime ?? undefined;
}

function firstSeen(event: CoreEvent): string | undefined {
  return event.firstTimestamp ?? event.eventTime ?? undefined;
}

function objectText({ kind = '', name = '' }: NonNullable<CoreEvent['involvedObject']> = {}): string {
  return `${kind.toLowerCase()}/${name}`;
}

function sourceText({ source, reportingComponent, reportingInstance }: CoreEvent): string {
  return [source?.component ?? reportingComponent ?? '', source?.host ?? reportingInstance ?? ''].filter((part) => part !== '').join(', ');
}

/** Events with `eventTime` are the newer form, which names its reporter and action; the older form has neither. */
function validateEvent(event: CoreEvent): FieldError[] {
  const errors: FieldError[] = [];
  const namespace = event.metadata.namespace ?? '';
  const about = event.involvedObject?.namespace ?? '';
  const isNewForm = typeof event.eventTime === 'string';
  const agrees =
    about === '' ? namespace === '' || namespace === 'default' || (isNewForm && namespace === 'kube-system') : about === namespace;
  if (!agrees) errors.push(fieldError.invalid('involvedObject.namespace', about, 'does not match event.namespace'));
  if (isNewForm) {
    for (const field of ['reportingComponent', 'reportingInstance', 'action', 'reason'] as const) {
      const value = event[field] ?? '';
      if (value === '') errors.push(fieldError.required(field));
      else if (value.length > 128) errors.push(fieldError.invalid(field, '', 'can have at most 128 characters'));
    }
    if ((event.message ?? '').length > 1024) errors.push(fieldError.invalid('message', '', 'can have at most 1024 characters'));
  }
  return errors;
}
