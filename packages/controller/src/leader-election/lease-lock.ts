import { deepEqual, isStatusReason } from '@arc/apimachinery';
import type { Clock } from '@arc/kernel';
import type { KubeClient } from '@arc/kube-client';
import { heldSpec, holderOf, leases, releasedSpec, tenureOf } from './lease-record.ts';
import type { Lease } from './lease-record.ts';

/** A Lease, and who wants it. */
export interface Candidate {
  /** May `get`, `create` and `update` Leases of the namespace. */
  readonly client: KubeClient;
  readonly lease: { readonly namespace: string; readonly name: string };
  /** Of one process at a time. A process that starts again with its old identity need not wait for its own lease to run out. */
  readonly identity: string;
}

/** What an attempt to hold a lease came to. */
export type Attempt =
  /** `since`, of the monotonic clock, is before the moment of the commit: whoever counts from there never counts too long. */
  | { readonly held: true; readonly since: number; readonly tenure: string }
  | { readonly held: false; readonly holder: string; readonly freeInMs: number };

export interface LeaseLockOptions {
  readonly leaseMs: number;
  /** Longer between two answers means that this candidate was cut off, and perhaps the holder with it. */
  readonly cutOffMs: number;
  /** How long the holder gets to renew first when that is over. */
  readonly precedenceMs: number;
  readonly clock: Clock;
}

const maxConflicts = 3;

/**
 * One candidate's view of a Lease. Every write is a compare-and-swap on the resourceVersion. When the lease of another has
 * run out is decided by this candidate's own monotonic clock, from the moment it first saw the record as it is: the times
 * in the record are for people, and clocks that disagree do no harm (client-go, tools/leaderelection).
 */
export class LeaseLock {
  readonly #candidate: Candidate;
  readonly #options: LeaseLockOptions;
  readonly #clock: Clock;
  #seen: { readonly lease: Lease; readonly at: number } | undefined;
  #answeredAt: number | undefined;
  #holderFirstUntil = Number.NEGATIVE_INFINITY;

  constructor(candidate: Candidate, options: LeaseLockOptions) {
    this.#candidate = candidate;
    this.#options = options;
    this.#clock = options.clock;
  }

  /**
   * Gets or renews the lease unless another holds it.
   *
   * @throws what the client throws, and the signal's reason: whether the lease is held is unknown then
   */
  async attempt(signal: AbortSignal): Promise<Attempt> {
    const since = this.#clock.monotonic();
    for (let conflicts = 0; ; conflicts++) {
      try {
        const known = conflicts === 0 && holderOf(this.#seen?.lease) === this.#candidate.identity ? this.#seen?.lease : undefined;
        const lease = known ?? (await this.#read(signal));
        const other = this.#otherHolder();
        if (other !== undefined) return { held: false, ...other };
        const written = await this.#write(lease, signal);
        return { held: true, since, tenure: tenureOf(written.spec) };
      } catch (error) {
        if (!isOvertaken(error) || conflicts === maxConflicts) throw error;
      }
    }
  }

  /** Lets go of the lease if this candidate holds it as far as it knows. */
  async release(signal: AbortSignal): Promise<void> {
    const lease = this.#seen?.lease;
    if (lease === undefined || holderOf(lease) !== this.#candidate.identity) return;
    this.#seen = undefined;
    await this.#candidate.client.update<Lease>(leases, { ...lease, spec: releasedSpec(lease.spec, this.#clock.now()) }, { signal });
  }

  async #read(signal: AbortSignal): Promise<Lease | undefined> {
    const { client, lease: ref } = this.#candidate;
    let lease: Lease | undefined;
    try {
      lease = await client.get<Lease>(leases, ref, { signal });
    } catch (error) {
      if (!isStatusReason(error, 'NotFound')) throw error;
    }
    signal.throwIfAborted();
    this.#noteAnswer();
    if (lease !== undefined) this.#see(lease);
    return lease;
  }

  async #write(before: Lease | undefined, signal: AbortSignal): Promise<Lease> {
    const { client, identity, lease: ref } = this.#candidate;
    const spec = heldSpec(before?.spec, identity, { leaseMs: this.#options.leaseMs, now: this.#clock.now() });
    const next: Lease = { ...(before ?? { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { ...ref } }), spec };
    const written = await (before === undefined ? client.create(leases, next, { signal }) : client.update(leases, next, { signal }));
    signal.throwIfAborted();
    this.#see(written);
    return written;
  }

  /** After an outage for all, the lease of the holder has run out for everybody, and what it runs would be moved for nothing. */
  #noteAnswer(): void {
    const now = this.#clock.monotonic();
    if (this.#answeredAt !== undefined && now - this.#answeredAt > this.#options.cutOffMs) {
      this.#holderFirstUntil = now + this.#options.precedenceMs;
    }
    this.#answeredAt = now;
  }

  #see(lease: Lease): void {
    const isSame = this.#seen !== undefined && deepEqual(lease.spec, this.#seen.lease.spec);
    this.#seen = { lease, at: isSame && this.#seen !== undefined ? this.#seen.at : this.#clock.monotonic() };
  }

  /** Also of a Lease that somebody has deleted: its holder need not know yet. */
  #otherHolder(): { readonly holder: string; readonly freeInMs: number } | undefined {
    if (this.#seen === undefined) return undefined;
    const { lease, at } = this.#seen;
    const holder = holderOf(lease);
    if (holder === undefined || holder === this.#candidate.identity) return undefined;
    const seconds = lease.spec?.leaseDurationSeconds;
    const free = Math.max(at + (seconds === undefined ? this.#options.leaseMs : seconds * 1000), this.#holderFirstUntil);
    const freeInMs = free - this.#clock.monotonic();
    return freeInMs > 0 ? { holder, freeInMs } : undefined;
  }
}

/** Somebody else has written, created or deleted the Lease since it was read. */
function isOvertaken(error: unknown): boolean {
  return isStatusReason(error, 'Conflict') || isStatusReason(error, 'AlreadyExists') || isStatusReason(error, 'NotFound');
}
