import type { KubeObject, ResourceType } from '@arc/apimachinery/client';
import { isStatusReason } from '@arc/apimachinery/client';
import type { Clock, Logger } from '@arc/kernel';
import { messageOf, silentLogger, systemClock } from '@arc/kernel';
import { randomBytes } from 'node:crypto';
import type { KubeClient, ObjectRef } from './client.ts';

export interface RecordedEvent {
  readonly type: 'Normal' | 'Warning';
  /** Why, one CamelCase word for programs. */
  readonly reason: string;
  /** What was done or tried, one CamelCase word. */
  readonly action: string;
  /** For people; cut at 1024 bytes. Never holds a secret. */
  readonly note: string;
  readonly related?: KubeObject;
}

/** Tells users what happened to an object, as far as that is possible: an event may be lost, a caller never waits or fails. */
export interface EventRecorder extends AsyncDisposable {
  event(regarding: KubeObject, event: RecordedEvent): void;
}

export interface EventRecorderOptions {
  /** `reportingController`, a qualified name such as `arc.opendefense.cloud/order`. */
  readonly controller: string;
  /** `reportingInstance`: which process. Default: the controller's name. */
  readonly instance?: string;
  readonly logger?: Logger;
  readonly clock?: Clock;
}

const eventType: ResourceType = { group: 'events.k8s.io', version: 'v1', plural: 'events', kind: 'Event', namespaced: true };

/** An event that has not been repeated for this long is told as a new one when it comes again (client-go: 6 minutes). */
const seriesMs = 6 * 60_000;
/** The count of a series is written at most this often. */
const seriesWriteMs = 30_000;
/** Of one object: this many writes at once, then one every five minutes (client-go's spam filter). */
const burst = 25;
const refillMs = 5 * 60_000;
const maxWaiting = 1000;
const maxRemembered = 4096;
const maxNoteBytes = 1024;

interface Series {
  readonly ref: ObjectRef;
  readonly object: KubeObject;
  readonly regarding: string;
  count: number;
  lastObserved: number;
  lastWritten: number;
  pendingWrite: Disposable | undefined;
}

interface Bucket {
  tokens: number;
  updated: number;
}

export function createEventRecorder(client: KubeClient, options: EventRecorderOptions): EventRecorder {
  const { controller, instance = controller, clock = systemClock } = options;
  const logger = (options.logger ?? silentLogger).child({ component: 'events' });
  const series = new Map<string, Series>();
  const buckets = new Map<string, Bucket>();
  const waiting: (() => Promise<unknown>)[] = [];
  let sending: Promise<void> | undefined;
  let closed = false;

  function record(regarding: KubeObject, event: RecordedEvent): void {
    const now = clock.now();
    const object = identityOf(regarding);
    const related = event.related === undefined ? '' : identityOf(event.related);
    const key = JSON.stringify([object, event.type, event.reason, event.action, event.note, related]);
    const known = series.get(key);
    if (known !== undefined && now - known.lastObserved < seriesMs) {
      known.count += 1;
      known.lastObserved = now;
      scheduleSeriesWrite(known);
      return;
    }
    known?.pendingWrite?.[Symbol.dispose]();
    if (!takeToken(object, clock.monotonic())) {
      logger.debug('event dropped: too many for this object', { reason: event.reason, name: regarding.metadata.name });
      return;
    }
    const { namespace = 'default' } = regarding.metadata;
    const ref = { namespace, name: `${(regarding.metadata.name ?? '').slice(0, 236)}.${randomBytes(8).toString('hex')}` };
    const created: Series = {
      ref,
      object: eventObject(ref, regarding, event, now),
      regarding: object,
      count: 1,
      lastObserved: now,
      lastWritten: clock.monotonic(),
      pendingWrite: undefined,
    };
    remember(series, key, created)?.pendingWrite?.[Symbol.dispose]();
    send(() => client.create(eventType, created.object));
  }

  function scheduleSeriesWrite(known: Series): void {
    if (known.pendingWrite !== undefined) return;
    const delayMs = Math.max(0, known.lastWritten + seriesWriteMs - clock.monotonic());
    known.pendingWrite = clock.after(delayMs, () => {
      known.pendingWrite = undefined;
      if (takeToken(known.regarding, clock.monotonic())) writeSeries(known);
    });
  }

  function writeSeries(known: Series): void {
    known.lastWritten = clock.monotonic();
    const written = { count: known.count, lastObservedTime: microTime(known.lastObserved) };
    send(async () => {
      try {
        await client.patch(eventType, known.ref, { series: written });
      } catch (error) {
        if (!isStatusReason(error, 'NotFound')) throw error;
        // Events expire on the server; the series goes on under the same name.
        await client.create(eventType, { ...known.object, series: written } as KubeObject);
      }
    });
  }

  function send(request: () => Promise<unknown>): void {
    if (waiting.length >= maxWaiting) {
      logger.debug('event dropped: too many are waiting to be sent');
      return;
    }
    waiting.push(request);
    sending ??= drain();
  }

  async function drain(): Promise<void> {
    for (let request = waiting.shift(); request !== undefined; request = waiting.shift()) {
      await request().catch((error: unknown) => logger.debug('event could not be written', { error: messageOf(error) }));
    }
    sending = undefined;
  }

  function takeToken(object: string, now: number): boolean {
    const bucket = buckets.get(object) ?? { tokens: burst, updated: now };
    bucket.tokens = Math.min(burst, bucket.tokens + (now - bucket.updated) / refillMs);
    bucket.updated = now;
    remember(buckets, object, bucket);
    if (bucket.tokens < 1) return false;
    bucket.tokens -= 1;
    return true;
  }

  function eventObject(ref: ObjectRef, regarding: KubeObject, event: RecordedEvent, now: number): KubeObject {
    return {
      apiVersion: 'events.k8s.io/v1',
      kind: 'Event',
      metadata: { ...ref },
      eventTime: microTime(now),
      reportingController: controller,
      reportingInstance: instance.slice(0, 128),
      type: event.type,
      reason: event.reason,
      action: event.action,
      note: cutToBytes(event.note, maxNoteBytes),
      regarding: referenceTo(regarding),
      ...(event.related !== undefined && { related: referenceTo(event.related) }),
    } as KubeObject;
  }

  return {
    event(regarding, event) {
      if (closed) return;
      try {
        record(regarding, event);
      } catch (error) {
        logger.warn('event could not be recorded', { reason: event.reason, error: messageOf(error) });
      }
    },
    async [Symbol.asyncDispose]() {
      closed = true;
      for (const known of series.values()) {
        if (known.pendingWrite === undefined) continue;
        known.pendingWrite[Symbol.dispose]();
        known.pendingWrite = undefined;
        writeSeries(known);
      }
      await sending;
    },
  };
}

function referenceTo({ apiVersion, kind, metadata }: KubeObject): Record<string, string> {
  const { namespace, name = '', uid, resourceVersion } = metadata;
  return {
    apiVersion,
    kind,
    ...(namespace !== undefined && { namespace }),
    name,
    ...(uid !== undefined && { uid }),
    ...(resourceVersion !== undefined && { resourceVersion }),
  };
}

/** Without the resourceVersion: an object that changes remains the same object. */
function identityOf(object: KubeObject): string {
  const { resourceVersion: _changes, ...identity } = referenceTo(object);
  return JSON.stringify(identity);
}

/** Forgets and returns the oldest when there are too many, so that memory is bounded whatever happens in the cluster. */
function remember<V>(map: Map<string, V>, key: string, value: V): V | undefined {
  map.delete(key);
  map.set(key, value);
  if (map.size <= maxRemembered) return undefined;
  const [oldest] = map;
  if (oldest === undefined) return undefined;
  map.delete(oldest[0]);
  return oldest[1];
}

function microTime(ms: number): string {
  return new Date(ms).toISOString().replace('Z', '000Z');
}

function cutToBytes(text: string, limit: number): string {
  const bytes = Buffer.from(text);
  // The decoder puts U+FFFD where a character was cut in two.
  return bytes.length <= limit
    ? text
    : `${bytes
        .subarray(0, limit - 3)
        .toString('utf8')
        .replace(/\uFFFD+$/, '')}…`;
}
