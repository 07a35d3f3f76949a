import { forceAtAnnotation, parseForceAt } from '@arc/api/arc';
import type { Endpoint, EndpointStatus } from '@arc/api/arc';
import { timestamp } from '../metadata/conditions.ts';
import { ownValue } from '../metadata/write-status.ts';

/** Why an Endpoint is probed (reference, section 3.3). */
export type ProbeReason = 'unprobed' | 'result-lost' | 'spec-changed' | 'secret-changed' | 'forced' | 'stale';

/** First delay before somebody who does not answer is asked again; it doubles up to the usual interval. */
const retryMs = 15_000;
/** Longest pause after refused credentials: trying them on and on makes some registries lock the account. */
const refusedMs = 6 * 3_600_000;
/** However small the TTL: times of probes are recorded in whole seconds. */
const leastPauseMs = 1000;
/** A probe that lies further ahead was made before somebody set the clock back. */
const clockSkewMs = 60_000;

/** Findings that more patience does not change. */
const settledReasons: ReadonlySet<string> = new Set(['TargetDenied', 'InvalidURL']);

interface EndpointForce {
  /** The force-at annotation in force, as the status records it. */
  readonly value: string | undefined;
  /** When one of the future comes into force, milliseconds since the epoch. */
  readonly next: number | undefined;
}

/** What the force-at annotation asks for: one probe for each value, for values in the future at that time. */
export function endpointForce({ metadata }: Endpoint, now: number): EndpointForce {
  const asked = parseForceAt(ownValue(metadata.annotations, forceAtAnnotation));
  if (asked === undefined) return { value: undefined, next: undefined };
  return asked * 1000 <= now ? { value: timestamp(asked * 1000), next: undefined } : { value: undefined, next: asked * 1000 };
}

export interface ProbeInputs {
  /** resourceVersion of the Secret, when there is one. */
  readonly secretVersion: string | undefined;
  readonly force: string | undefined;
  /** How old a result may become, milliseconds; 0: any age. */
  readonly ttlMs: number;
}

/** Why an Endpoint has to be probed now; undefined when what is known of it will do. */
export function probeReason(endpoint: Endpoint, { secretVersion, force, ttlMs }: ProbeInputs, now: number): ProbeReason | undefined {
  const { metadata, status = {} } = endpoint;
  const last = Date.parse(status.lastProbeTime ?? '');
  if (Number.isNaN(last)) return 'unprobed';
  if (conditionOf(status, 'Reachable') === undefined) return 'result-lost';
  if (status.probedGeneration !== (metadata.generation ?? 0)) return 'spec-changed';
  if (status.probedSecretVersion !== secretVersion) return 'secret-changed';
  if (force !== undefined && force !== status.probedForceAt) return 'forced';
  const next = nextProbe(status, metadata.uid ?? '', ttlMs);
  return next !== undefined && (next <= now || last > now + clockSkewMs) ? 'stale' : undefined;
}

/**
 * When what a probe found is too old, milliseconds since the epoch: after the TTL, stretched by up to a fifth so that Endpoints do not
 * come all at once; sooner where it did not answer, later where it refused the credentials. How long that has been so tells how long to
 * wait, which doubles the delay with each probe and outlives a restart.
 */
export function nextProbe(status: EndpointStatus, uid: string, ttlMs: number): number | undefined {
  const last = Date.parse(status.lastProbeTime ?? '');
  if (ttlMs <= 0 || Number.isNaN(last)) return undefined;
  return last + Math.max(leastPauseMs, Math.round(pause(status, last, ttlMs) * (1 + (fnv1a(uid) % 1000) / 5000)));
}

function pause(status: EndpointStatus, last: number, ttlMs: number): number {
  const reachable = conditionOf(status, 'Reachable');
  if ((reachable?.status === 'False' && !settledReasons.has(reachable.reason)) || reachable?.reason === 'ServerError') {
    return between(Math.min(retryMs, ttlMs), last - Date.parse(reachable.lastTransitionTime), ttlMs);
  }
  const authenticated = conditionOf(status, 'Authenticated');
  if (authenticated?.status === 'False')
    return between(ttlMs, last - Date.parse(authenticated.lastTransitionTime), Math.max(ttlMs, refusedMs));
  return ttlMs;
}

function between(least: number, value: number, most: number): number {
  return Math.min(most, Math.max(least, Number.isNaN(value) ? least : value));
}

function conditionOf({ conditions = [] }: EndpointStatus, type: string): NonNullable<EndpointStatus['conditions']>[number] | undefined {
  return conditions.find((condition) => condition.type === type);
}

/** FNV-1a in 32 bits. */
function fnv1a(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  return hash >>> 0;
}
