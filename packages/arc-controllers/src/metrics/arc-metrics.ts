import type { ArtifactWorkflow } from '@arc/api/arc';
import { artifactTypeLabel, isFinishedPhase } from '@arc/api/arc';
import type { Gauge, Metrics } from '@arc/kernel';
import { scheduleOfRun } from '../artifact-workflow/build-cron-workflow.ts';
import { cronWorkflowName } from '../identity/names.ts';
import type { ArcInformers } from '../informers/arc-informers.ts';
import { keyOf } from '../metadata/references.ts';
import { failedWrites } from './failure-reason.ts';
import { tally } from './tally.ts';

/** Where ARC's controllers count. Each registry takes one. */
export interface ArcMetrics {
  /** Shows what these informers know until disposed; of several the last is shown. Call it before they run. */
  follow(informers: ArcInformers): Disposable;
  reconcileFailed(controller: 'order' | 'artifactworkflow' | 'endpoint', reason: string): void;
}

/** Seconds (reference, section 5). */
const durationBuckets = [10, 30, 60, 120, 300, 600, 1800, 3600, 7200];

/** Combinations of namespace, type and phase: enough for 1,000 namespaces with three types; what is beyond is shown as one. */
const maxSeries = 10_000;

/** What there is to show of one set of informers. */
interface Followed {
  readonly gauges: readonly { readonly resource: string; readonly isSynced: () => boolean; show(): void }[];
}

const results: Readonly<Record<string, string>> = { Succeeded: 'succeeded', Failed: 'failed', Error: 'error' };

/**
 * Orders, ArtifactWorkflows and Endpoints under the names of the reference (section 5). Phases are those of the statuses, which one
 * roll-up makes for tables, the CLI and these numbers alike. Only a process that follows informers shows any.
 */
export function arcMetrics(metrics: Metrics): ArcMetrics {
  const orders = metrics.gauge({ name: 'arc_orders', help: 'Orders by phase.', labels: ['namespace', 'phase'], maxSeries });
  const runs = metrics.gauge({
    name: 'arc_artifactworkflows',
    help: 'ArtifactWorkflows by artifact type, phase, and whether they run once or on a schedule.',
    labels: ['namespace', 'artifact_type', 'mode', 'phase'],
    maxSeries,
  });
  const endpoints = metrics.gauge({ name: 'arc_endpoints', help: 'Endpoints by readiness.', labels: ['namespace', 'ready'], maxSeries });
  const lastScheduled = metrics.gauge({
    name: 'arc_artifactworkflow_last_scheduled_timestamp_seconds',
    help: 'When scheduled ArtifactWorkflows last ran, of those of a type the one whose time is longest ago.',
    labels: ['namespace', 'artifact_type'],
    maxSeries,
  });
  const lastSuccess = metrics.gauge({
    name: 'arc_artifactworkflow_last_success_timestamp_seconds',
    help: 'When scheduled ArtifactWorkflows last succeeded, of those of a type the one whose success is longest ago.',
    labels: ['namespace', 'artifact_type'],
    maxSeries,
  });
  const completions = metrics.counter({
    name: 'arc_artifactworkflow_completions_total',
    help: 'ArtifactWorkflows that run once and have ended.',
    labels: ['namespace', 'artifact_type', 'result'],
    maxSeries,
  });
  const duration = metrics.histogram({
    name: 'arc_artifactworkflow_duration_seconds',
    help: 'Time from the start of the Workflow to its end, of ArtifactWorkflows that run once.',
    labels: ['artifact_type', 'result'],
    buckets: durationBuckets,
    maxSeries: 500,
  });
  const reconcileErrors = metrics.counter({
    name: 'arc_reconcile_errors_total',
    help: 'Reconciles that failed and are tried again. What waits for an object that does not exist has not failed.',
    labels: ['controller', 'reason'],
    maxSeries: 500,
  });
  const collectorErrors = metrics.counter({
    name: 'arc_collector_errors_total',
    help: 'Scrapes for which a resource could not be counted, as it could not be listed yet.',
    labels: ['resource'],
  });
  // Known from the start, or the first of each would be no increase to whoever asks for rates.
  for (const controller of ['order', 'artifactworkflow', 'endpoint']) {
    for (const reason of failedWrites) reconcileErrors.add({ controller, reason }, 0);
  }
  for (const resource of ['orders', 'artifactworkflows', 'endpoints']) collectorErrors.add({ resource }, 0);
  let followed: Followed | undefined;
  metrics.beforeExposition(() => {
    for (const gauge of [orders, runs, endpoints, lastScheduled, lastSuccess]) gauge.clear();
    for (const { resource, isSynced, show } of followed?.gauges ?? []) {
      if (isSynced()) show();
      else collectorErrors.add({ resource });
    }
  });

  function follow(informers: ArcInformers): Disposable {
    const orderCounts = tally(informers.orders, ({ metadata, status }) => sort(metadata.namespace, status?.phase ?? 'Pending'));
    const runCounts = tally(informers.artifactWorkflows, (run) =>
      sort(run.metadata.namespace, artifactTypeOf(run), modeOf(run), run.status?.phase ?? 'Unknown'),
    );
    const endpointCounts = tally(informers.endpoints, ({ metadata, status }) =>
      sort(metadata.namespace, (status?.conditions?.find(({ type }) => type === 'Ready')?.status ?? 'Unknown').toLowerCase()),
    );
    const scheduled = scheduledRuns(informers);
    informers.artifactWorkflows.addHandler({
      updated: (run, old) => {
        if (isFinishedPhase(run.status?.phase) && !isFinishedPhase(old.status?.phase) && modeOf(run) === 'single') countEnd(run);
      },
    });
    const shown: Followed = {
      gauges: [
        { resource: 'orders', isSynced: syncedFlag(informers.orders), show: () => fill(orders, ['namespace', 'phase'], orderCounts) },
        {
          resource: 'artifactworkflows',
          isSynced: syncedFlag(informers.artifactWorkflows),
          show: () => {
            fill(runs, ['namespace', 'artifact_type', 'mode', 'phase'], runCounts);
            showOldest(scheduled, informers);
          },
        },
        {
          resource: 'endpoints',
          isSynced: syncedFlag(informers.endpoints),
          show: () => fill(endpoints, ['namespace', 'ready'], endpointCounts),
        },
      ],
    };
    followed = shown;
    return {
      [Symbol.dispose]: () => {
        if (followed === shown) followed = undefined;
      },
    };
  }

  function countEnd(run: ArtifactWorkflow): void {
    const { phase = '', startTime = '', completionTime = '' } = run.status ?? {};
    const result = results[phase];
    if (result === undefined) return;
    const artifact_type = artifactTypeOf(run);
    completions.add({ namespace: run.metadata.namespace ?? '', artifact_type, result });
    const seconds = (Date.parse(completionTime) - Date.parse(startTime)) / 1000;
    if (seconds >= 0) duration.observe({ artifact_type, result }, seconds);
  }

  function showOldest(scheduled: ReadonlyMap<string, ArtifactWorkflow>, informers: ArcInformers): void {
    const oldest = (timeOf: (run: ArtifactWorkflow) => number | undefined, gauge: Gauge<'namespace' | 'artifact_type'>): void => {
      const times = new Map<string, number>();
      for (const run of scheduled.values()) {
        const time = timeOf(run);
        const group = sort(run.metadata.namespace, artifactTypeOf(run));
        if (time !== undefined) times.set(group, Math.min(times.get(group) ?? Infinity, time));
      }
      for (const [group, time] of times) gauge.set(labelsOf(['namespace', 'artifact_type'], group), time);
    };
    oldest(({ status }) => secondsOf(status?.lastScheduled), lastScheduled);
    oldest((run) => lastSuccessOf(run, informers), lastSuccess);
  }

  return { follow, reconcileFailed: (controller, reason) => reconcileErrors.add({ controller, reason }) };
}

/** By uid. */
function scheduledRuns(informers: Pick<ArcInformers, 'artifactWorkflows'>): ReadonlyMap<string, ArtifactWorkflow> {
  const scheduled = new Map<string, ArtifactWorkflow>();
  const keep = (run: ArtifactWorkflow): void => void (modeOf(run) === 'cron' && scheduled.set(run.metadata.uid ?? '', run));
  informers.artifactWorkflows.addHandler({
    added: keep,
    updated: keep,
    deleted: ({ metadata }) => void scheduled.delete(metadata.uid ?? ''),
  });
  return scheduled;
}

/** Seconds since the epoch. Engines keep the last Workflow that succeeded, also when later ones have failed. */
function lastSuccessOf(run: ArtifactWorkflow, { workflows }: Pick<ArcInformers, 'workflows'>): number | undefined {
  const { completionTime, failureTime } = run.status ?? {};
  const made = workflows.byIndex('cronWorkflow', keyOf(run.metadata.namespace, cronWorkflowName(run.metadata.name ?? '')));
  const ends = made.filter(({ phase }) => phase === 'Succeeded').map(({ finishedAt }) => finishedAt);
  const times = [...ends, failureTime === undefined ? completionTime : undefined].flatMap((text) => secondsOf(text) ?? []);
  return times.length === 0 ? undefined : Math.max(...times);
}

function secondsOf(text: string | undefined): number | undefined {
  const ms = Date.parse(text ?? '');
  return Number.isNaN(ms) ? undefined : ms / 1000;
}

function modeOf(run: ArtifactWorkflow): 'single' | 'cron' {
  return scheduleOfRun(run) === undefined ? 'single' : 'cron';
}

function artifactTypeOf({ metadata, spec }: ArtifactWorkflow): string {
  return metadata.labels?.[artifactTypeLabel] ?? spec?.type ?? '';
}

function syncedFlag(informer: { synced(): Promise<void> }): () => boolean {
  let isSynced = false;
  void informer.synced().then(() => (isSynced = true));
  return () => isSynced;
}

/** No part of it can hold the separator, for it is not legal in the API. */
function sort(...parts: readonly (string | undefined)[]): string {
  return parts.map((part = '') => part).join('\n');
}

function labelsOf<L extends string>(names: readonly L[], text: string): Readonly<Record<L, string>> {
  const parts = text.split('\n');
  return Object.fromEntries(names.map((name, at) => [name, parts[at] ?? ''])) as Record<L, string>;
}

/** Added, not set: combinations beyond the limit are one. */
function fill<L extends string>(gauge: Gauge<L>, names: readonly L[], counts: ReadonlyMap<string, number>): void {
  for (const [text, count] of counts) gauge.add(labelsOf(names, text), count);
}
