import type { KubeObject, ResourceType } from '@arc/apimachinery';

/** `coordination.k8s.io/v1` LeaseSpec, as far as an election reads and writes it. */
export interface LeaseSpec {
  /** Empty or absent: released. */
  readonly holderIdentity?: string;
  readonly leaseDurationSeconds?: number;
  /** MicroTime: when the present holder got the lease. Renewals keep it. */
  readonly acquireTime?: string;
  readonly renewTime?: string;
  readonly leaseTransitions?: number;
}

export interface Lease extends KubeObject {
  readonly spec?: LeaseSpec;
}

export const leases: ResourceType = { group: 'coordination.k8s.io', version: 'v1', plural: 'leases', kind: 'Lease', namespaced: true };

/** The identity that holds the lease; undefined when nobody does. */
export function holderOf(lease: Lease | undefined): string | undefined {
  const holder = lease?.spec?.holderIdentity;
  return holder === '' ? undefined : holder;
}

/** What `identity` writes to get or keep the lease. `before` is undefined when there is no Lease yet. */
export function heldSpec(before: LeaseSpec | undefined, identity: string, { leaseMs, now }: { leaseMs: number; now: number }): LeaseSpec {
  const time = microTime(now);
  const keeps = before?.holderIdentity === identity;
  return {
    ...before,
    holderIdentity: identity,
    leaseDurationSeconds: Math.ceil(leaseMs / 1000),
    acquireTime: keeps ? (before.acquireTime ?? time) : time,
    renewTime: time,
    leaseTransitions: before === undefined ? 0 : (before.leaseTransitions ?? 0) + (keeps ? 0 : 1),
  };
}

/** What a holder writes that needs the lease no longer: others need not wait for it to run out. */
export function releasedSpec(before: LeaseSpec | undefined, now: number): LeaseSpec {
  return { ...before, holderIdentity: '', leaseDurationSeconds: 1, renewTime: microTime(now) };
}

/** The same for as long as nobody else has held the lease in between, also over restarts of the holder. */
export function tenureOf(spec: LeaseSpec | undefined): string {
  return `${spec?.leaseTransitions ?? 0}/${spec?.acquireTime ?? ''}`;
}

/** Six digits after the point, as Kubernetes' MicroTime has them. */
function microTime(ms: number): string {
  return new Date(ms).toISOString().replace('Z', '000Z');
}
