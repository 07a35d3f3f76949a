import type { Endpoint, EndpointStatus } from '@arc/api/arc';
import { timestamp, updatedConditions } from '../metadata/conditions.ts';
import type { EndpointFinding, EndpointFindings } from './probe.ts';

/** What a probe leaves in the status besides its findings. */
export type ProbeRecord = Pick<EndpointStatus, 'lastProbeTime' | 'probedGeneration' | 'probedSecretVersion'>;

export interface EndpointFacts {
  readonly validated: EndpointFinding;
  /** Absent when the Endpoint is not valid, which leaves nothing to ask. */
  readonly findings?: EndpointFindings;
  readonly record?: ProbeRecord;
  /** The force-at annotation that is carried out with this status. */
  readonly force: string | undefined;
}

/** The status an Endpoint should have. Depends on `now` only where a condition changes. */
export function endpointStatus(endpoint: Endpoint, facts: EndpointFacts, now: number): EndpointStatus {
  const { validated, findings, record, force } = facts;
  const before = endpoint.status ?? {};
  const observedGeneration = endpoint.metadata.generation ?? 0;
  const states = [
    { type: 'Validated', ...validated },
    ...(findings === undefined
      ? []
      : [
          { type: 'Reachable', ...findings.reachable },
          { type: 'Authenticated', ...findings.authenticated },
        ]),
    { type: 'Ready', ...readiness(validated, findings) },
  ].map((state) => ({ ...state, observedGeneration }));
  const kept = (before.conditions ?? []).filter(({ type }) => (type !== 'Reachable' && type !== 'Authenticated') || findings !== undefined);
  const carriedOut = force ?? before.probedForceAt;
  return {
    conditions: updatedConditions(kept, states, timestamp(now)),
    observedGeneration,
    ...record,
    ...(carriedOut !== undefined && { probedForceAt: carriedOut }),
  };
}

/** The first of the others that says False decides, then the first that has to be True and is not (reference, section 3.3). */
function readiness(validated: EndpointFinding, findings: EndpointFindings | undefined): EndpointFinding {
  const needed = [validated, ...(findings === undefined ? [] : [findings.reachable])];
  const all = [...needed, ...(findings === undefined ? [] : [findings.authenticated])];
  const wrong = all.find(({ status }) => status === 'False');
  if (wrong !== undefined) return wrong;
  const open = needed.find(({ status }) => status !== 'True');
  if (open !== undefined) return { ...open, status: 'Unknown' };
  return { status: 'True', reason: 'Valid', message: 'endpoint is usable' };
}

/** What earlier probes found, when that is in the status. */
export function knownFindings({ conditions = [] }: EndpointStatus): EndpointFindings | undefined {
  const finding = (wanted: string): EndpointFinding | undefined => {
    const condition = conditions.find(({ type }) => type === wanted);
    return condition === undefined ? undefined : { status: condition.status, reason: condition.reason, message: condition.message };
  };
  const [reachable, authenticated] = [finding('Reachable'), finding('Authenticated')];
  return reachable === undefined || authenticated === undefined ? undefined : { reachable, authenticated };
}

/** What earlier probes left in the status. */
export function knownRecord({ lastProbeTime, probedGeneration, probedSecretVersion }: EndpointStatus): ProbeRecord {
  return {
    ...(lastProbeTime !== undefined && { lastProbeTime }),
    ...(probedGeneration !== undefined && { probedGeneration }),
    ...(probedSecretVersion !== undefined && { probedSecretVersion }),
  };
}
