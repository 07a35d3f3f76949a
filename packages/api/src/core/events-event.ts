import { s } from '@arc/apimachinery';
import type { KubeObject, Static } from '@arc/apimachinery';
import { objectReference } from './object-reference.ts';

export const eventsEventSchema = s.object({
  regarding: s.optional(objectReference('The object this event is about.')),
  reason: s.optional(s.string({ description: 'Why it happened, one CamelCase word.' })),
  note: s.optional(s.string({ description: 'What happened, in words.' })),
  type: s.optional(s.string({ description: 'Normal or Warning.' })),
  action: s.optional(s.string({ description: 'What was done.' })),
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
  reportingController: s.optional(s.string({ description: 'The controller that reports.' })),
  reportingInstance: s.optional(s.string({ description: 'The process that reports.' })),
  deprecatedCount: s.optional(s.integer({ format: 'int32', description: 'How often it happened, in the older form.' })),
  deprecatedFirstTimestamp: s.optional(s.time({ description: 'When it first happened, in the older form.' })),
  deprecatedLastTimestamp: s.optional(s.time({ description: 'When it last happened, in the older form.' })),
  deprecatedSource: s.optional(
    s.object(
      {
        component: s.optional(s.string({ description: 'The component that reports.' })),
        host: s.optional(s.string({ description: 'The host it runs on.' })),
      },
      { description: 'Who reports, in the older form.' },
    ),
  ),
});

/** An event in the shape of events.k8s.io/v1. */
export interface EventsEvent extends KubeObject, Static<typeof eventsEventSchema> {}

/** Fields that only change their name between the two groups: stored (core) name, then the name in events.k8s.io. */
const renamed = [
  ['involvedObject', 'regarding'],
  ['message', 'note'],
  ['reportingComponent', 'reportingController'],
  ['count', 'deprecatedCount'],
  ['firstTimestamp', 'deprecatedFirstTimestamp'],
  ['lastTimestamp', 'deprecatedLastTimestamp'],
  ['source', 'deprecatedSource'],
] as const;

const toEventsName = new Map<string, string>(renamed);
const toCoreName = new Map<string, string>(renamed.map(([core, eventsName]) => [eventsName, core]));

/** Core form to events.k8s.io form; `eventToStored` is its inverse. */
export function eventFromStored(event: KubeObject): KubeObject {
  return rename(event, 'events.k8s.io/v1', toEventsName);
}

/** events.k8s.io form to core form. */
export function eventToStored(event: KubeObject): KubeObject {
  return rename(event, 'v1', toCoreName);
}

function rename(event: KubeObject, apiVersion: string, names: ReadonlyMap<string, string>): KubeObject {
  const entries = Object.entries(event).map(([name, value]) => [names.get(name) ?? name, value]);
  return { ...(Object.fromEntries(entries) as KubeObject), apiVersion };
}
