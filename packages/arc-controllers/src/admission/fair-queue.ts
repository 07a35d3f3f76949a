import type { Job, QueuedJob, Quota, WaitReason } from './job.ts';
import { isBefore, SortedJobs } from './sorted-jobs.ts';
import { DecayedUsage } from './usage.ts';

export interface FairQueueOptions {
  /** Runs under way at the same time, over all. */
  readonly maxActive: number;
  /** How fast past usage is forgotten. Default 5 minutes. */
  readonly halfLifeMs?: number;
  /** Waiting so long outweighs one step of priority. Default 30 seconds. */
  readonly ageingMs?: number;
  /** Who has waited so long for places at several Endpoints has one kept free at each. Default 10 minutes. */
  readonly patienceMs?: number;
  readonly quotaOf?: (namespace: string) => Quota;
  /** How many runs may use an Endpoint at the same time; undefined: any number. */
  readonly endpointLimit?: (endpoint: string) => number | undefined;
}

/** Priorities beyond these count as these, so that ageing always wins in the end. */
const maxPriority = 100;

/** What a run under way counts before it has used any time: enough that slots that are free at once are shared. */
const entryPenalty = 0.05;

interface Tenant {
  readonly usage: DecayedUsage;
  /** By the Endpoints they use: within a group, only the first can be next. */
  readonly groups: Map<string, SortedJobs>;
}

/**
 * Decides whose turn it is. Between namespaces: whoever has used the least for its weight, now and in the recent past.
 * Within a namespace: priority, raised by waiting, then first come, first served. Nobody exceeds a limit, no slot stays
 * free while somebody may use it, nobody waits for ever: who needs places at several Endpoints, of which one or the other is always
 * taken, has them kept free in the end. Pure: time comes in with every call.
 */
export class FairQueue {
  readonly #options: Required<FairQueueOptions>;
  readonly #tenants = new Map<string, Tenant>();
  readonly #waiting = new Map<string, QueuedJob>();
  readonly #active = new Map<string, Pick<Job, 'namespace' | 'endpoints'>>();
  readonly #endpointUse = new Map<string, number>();

  constructor(options: FairQueueOptions) {
    this.#options = {
      halfLifeMs: 300_000,
      ageingMs: 30_000,
      patienceMs: 600_000,
      quotaOf: () => ({}),
      endpointLimit: () => undefined,
      ...options,
    };
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  get active(): number {
    return this.#active.size;
  }

  isActive(key: string): boolean {
    return this.#active.has(key);
  }

  /** Queues a job; one that is queued already takes its new place, and has waited since it was queued first. */
  enqueue(job: Job, now: number): void {
    const priority = Math.min(maxPriority, Math.max(-maxPriority, job.priority));
    const old = this.#waiting.get(job.key);
    const since = Math.min(job.since, old?.since ?? job.since);
    const queued = { ...job, since, endpoints: [...new Set(job.endpoints)], turn: since - priority * this.#options.ageingMs };
    if (old !== undefined && old.turn === queued.turn && groupOf(old) === groupOf(queued)) return;
    this.#unqueue(job.key);
    this.#waiting.set(job.key, queued);
    const { groups } = this.#tenant(job.namespace, now);
    const group = groups.get(groupOf(queued)) ?? new SortedJobs();
    groups.set(groupOf(queued), group);
    group.add(queued);
  }

  /** A run is under way, whether it was admitted here or not. */
  activate(job: Pick<Job, 'key' | 'namespace' | 'endpoints'>, now: number): void {
    this.#unqueue(job.key);
    if (this.#active.has(job.key)) return;
    const endpoints = [...new Set(job.endpoints)];
    this.#active.set(job.key, { namespace: job.namespace, endpoints });
    this.#tenant(job.namespace, now).usage.change(1, now);
    for (const endpoint of endpoints) this.#endpointUse.set(endpoint, this.#used(endpoint) + 1);
  }

  /** A run has ended, or does not want to start any more. */
  release(key: string, now: number): void {
    this.#unqueue(key);
    const job = this.#active.get(key);
    if (job === undefined) return;
    this.#active.delete(key);
    this.#tenant(job.namespace, now).usage.change(-1, now);
    for (const endpoint of job.endpoints) {
      const left = this.#used(endpoint) - 1;
      if (left > 0) this.#endpointUse.set(endpoint, left);
      else this.#endpointUse.delete(endpoint);
    }
  }

  /** Makes the next job active and returns it; undefined when nobody may start. */
  admit(now: number): Job | undefined {
    if (this.#active.size >= this.#options.maxActive) return undefined;
    let best: { readonly job: QueuedJob; readonly score: number } | undefined;
    for (const [namespace, tenant] of this.#tenants) {
      const job = this.#nextOf(namespace, tenant, now);
      if (job === undefined) {
        this.#forgetIdle(namespace, tenant, now);
        continue;
      }
      const score = (tenant.usage.average(now) + entryPenalty * tenant.usage.active) / this.#weight(namespace);
      if (best === undefined || score < best.score || (score === best.score && isBefore(job, best.job))) best = { job, score };
    }
    if (best === undefined) return undefined;
    this.activate(best.job, now);
    return best.job;
  }

  /**
   * About how many have their turn before this one, plus one: others are expected to get their share. Undefined when it
   * does not wait.
   */
  position(key: string): number | undefined {
    const job = this.#waiting.get(key);
    if (job === undefined) return undefined;
    let rank = 0;
    let others = 0;
    const weight = this.#weight(job.namespace);
    for (const group of this.#tenants.get(job.namespace)?.groups.values() ?? []) rank += group.before(job);
    for (const [namespace, { groups }] of this.#tenants) {
      if (namespace === job.namespace) continue;
      let queued = 0;
      for (const group of groups.values()) queued += group.size;
      others += Math.min(queued, Math.floor(((rank + 1) * this.#weight(namespace)) / weight));
    }
    return Math.min(this.#waiting.size, 1 + rank + others);
  }

  /** Why a job that waits does; undefined when it does not wait. */
  reason(key: string): WaitReason | undefined {
    const job = this.#waiting.get(key);
    if (job === undefined) return undefined;
    const full = this.#fullEndpoint(job);
    if (full !== undefined) return full;
    const active = this.#tenants.get(job.namespace)?.usage.active ?? 0;
    const { maxActive } = this.#options.quotaOf(job.namespace);
    if (maxActive !== undefined && active >= maxActive) return { kind: 'namespace', active, limit: maxActive };
    const limit = this.#options.maxActive;
    return this.#active.size >= limit ? { kind: 'total', active: this.#active.size, limit } : { kind: 'turn' };
  }

  /** The keys of the jobs that wait, in the order of their turn, for each namespace and set of Endpoints. */
  *lines(): Generator<Iterable<string>> {
    for (const { groups } of this.#tenants.values()) for (const group of groups.values()) yield group.keys();
  }

  #nextOf(namespace: string, { usage, groups }: Tenant, now: number): QueuedJob | undefined {
    const { maxActive } = this.#options.quotaOf(namespace);
    if (maxActive !== undefined && usage.active >= maxActive) return undefined;
    let next: QueuedJob | undefined;
    let overdue: QueuedJob | undefined;
    for (const { first } of groups.values()) {
      if (first === undefined) continue;
      if (this.#fullEndpoint(first) === undefined) {
        if (next === undefined || isBefore(first, next)) next = first;
      } else if (first.endpoints.length > 1 && now - first.since >= this.#options.patienceMs) {
        if (overdue === undefined || isBefore(first, overdue)) overdue = first;
      }
    }
    if (next === undefined || overdue === undefined || isBefore(next, overdue)) return next;
    return this.#firstBeside(overdue, groups);
  }

  /** Whose turn it is among those that leave a place at each Endpoint of somebody who has waited for them for long. */
  #firstBeside(overdue: QueuedJob, groups: Tenant['groups']): QueuedJob | undefined {
    let next: QueuedJob | undefined;
    for (const { first } of groups.values()) {
      if (first === undefined || this.#fullEndpoint(first) !== undefined) continue;
      if (isBefore(overdue, first) && overdue.endpoints.some((endpoint) => first.endpoints.includes(endpoint) && this.#isLast(endpoint)))
        continue;
      if (next === undefined || isBefore(first, next)) next = first;
    }
    return next;
  }

  #isLast(endpoint: string): boolean {
    const limit = this.#options.endpointLimit(endpoint);
    return limit !== undefined && this.#used(endpoint) + 1 >= limit;
  }

  #fullEndpoint(job: Job): WaitReason | undefined {
    for (const endpoint of job.endpoints) {
      const limit = this.#options.endpointLimit(endpoint);
      const active = this.#used(endpoint);
      if (limit !== undefined && active >= limit) return { kind: 'endpoint', endpoint, active, limit };
    }
    return undefined;
  }

  #used(endpoint: string): number {
    return this.#endpointUse.get(endpoint) ?? 0;
  }

  #weight(namespace: string): number {
    const { weight = 1 } = this.#options.quotaOf(namespace);
    return weight > 0 ? weight : 1;
  }

  #tenant(namespace: string, now: number): Tenant {
    const known = this.#tenants.get(namespace);
    if (known !== undefined) return known;
    const tenant = { usage: new DecayedUsage(this.#options.halfLifeMs, now), groups: new Map<string, SortedJobs>() };
    this.#tenants.set(namespace, tenant);
    return tenant;
  }

  #unqueue(key: string): void {
    const job = this.#waiting.get(key);
    if (job === undefined) return;
    this.#waiting.delete(key);
    const groups = this.#tenants.get(job.namespace)?.groups;
    const group = groups?.get(groupOf(job));
    group?.remove(job);
    if (group?.size === 0) groups?.delete(groupOf(job));
  }

  /** A namespace that uses nothing and has been forgotten about costs nothing. */
  #forgetIdle(namespace: string, { usage, groups }: Tenant, now: number): void {
    if (groups.size === 0 && usage.active === 0 && usage.average(now) < 0.001) this.#tenants.delete(namespace);
  }
}

function groupOf({ endpoints }: Job): string {
  return endpoints.join(' ');
}
