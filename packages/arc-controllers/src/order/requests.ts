import type { Order } from '@arc/api/arc';
import { forceAtAnnotation, parseForceAt, retryAnnotation } from '@arc/api/arc';
import { ownValue } from '../metadata/write-status.ts';

interface Force {
  /** The force-at value that is in force, seconds since the epoch; a new one makes every run a new one, once. */
  readonly value: number | undefined;
  /** When the next one comes into force, milliseconds since the epoch. */
  readonly next: number | undefined;
}

/**
 * What the force-at annotation asks for. A value that lies in the future counts from its time on; one that was carried out
 * stays in force when the annotation goes, so that taking it away runs nothing.
 */
export function forceOf(order: Order, now: number): Force {
  const asked = parseForceAt(ownValue(order.metadata.annotations, forceAtAnnotation));
  if (asked !== undefined && asked * 1000 <= now) return { value: asked, next: undefined };
  const last = Date.parse(order.status?.lastForceAt ?? '') / 1000;
  return { value: Number.isNaN(last) ? undefined : last, next: asked === undefined ? undefined : asked * 1000 };
}

/** The retry annotation, unless it was carried out already. */
export function pendingRetry(order: Order): string | undefined {
  const asked = ownValue(order.metadata.annotations, retryAnnotation);
  return asked === undefined || asked === '' || asked === order.status?.lastRetry ? undefined : asked;
}
