import type { CronWorkflow } from '@arc/api/argo';
import { arcGroup, isFinishedPhase, kueueQueueLabel } from '@arc/api/arc';
import type { AnyArtifactType, ArtifactWorkflow, Endpoint, Order } from '@arc/api/arc';
import type { KueueVersion } from '@arc/api/kueue';
import type { KubeObject } from '@arc/apimachinery';
import type { ControllerDefinition, ControllerSource, Reconciler, ReconcileRequest } from '@arc/controller';
import { ArcError, silentLogger, systemClock } from '@arc/kernel';
import type { Clock, Logger } from '@arc/kernel';
import { createEventRecorder } from '@arc/kube-client';
import type { EventRecorder, KubeClient } from '@arc/kube-client';
import { Admission } from './admission/admission.ts';
import { endpointLimit, quotaOf } from './admission/quotas.ts';
import { scheduleOfRun } from './artifact-workflow/build-cron-workflow.ts';
import type { HandOverSettings } from './artifact-workflow/hand-over.ts';
import { artifactWorkflowReconciler } from './artifact-workflow/reconciler.ts';
import { runsOfKey, slotKeeper, WakeSource } from './artifact-workflow/slot-keeper.ts';
import type { EndpointProbe } from './endpoint/probe.ts';
import { endpointReconciler } from './endpoint/reconciler.ts';
import { endpointSources } from './endpoint/sources.ts';
import { createArcInformers } from './informers/arc-informers.ts';
import type { ArcInformers } from './informers/arc-informers.ts';
import type { SecretRecord } from './informers/secret-record.ts';
import { requestFor, secretChanged, source, specChanged } from './informers/source.ts';
import type { WorkflowRecord } from './informers/workflow-record.ts';
import type { WorkloadRecord } from './informers/workload-record.ts';
import { lineKeeper } from './kueue/line-keeper.ts';
import { controllerOf } from './metadata/owner.ts';
import { isDeleting, keyOf } from './metadata/references.ts';
import type { ArcMetrics } from './metrics/arc-metrics.ts';
import { failureReasons } from './metrics/failure-reason.ts';
import { readinessChanged } from './order/readiness.ts';
import { orderReconciler } from './order/reconciler.ts';

export interface ArcLimits {
  /** Workflows under way at the same time, over all namespaces. Default 8. */
  readonly maxActiveWorkflows?: number;
  /** The same for each namespace whose annotations say nothing. Default: no limit. */
  readonly maxActivePerNamespace?: number;
  /** Runs that use an Endpoint at the same time, when it says nothing. Default: no limit. */
  readonly maxActivePerEndpoint?: number;
  /** Shortest time between two writes of mere progress of one run, milliseconds. Default 1000. */
  readonly progressIntervalMs?: number;
  /** How long the status of a run waits for the Workflow it has just got to begin, or to end, milliseconds. Default 250. */
  readonly startIntervalMs?: number;
  /**
   * Shortest time between two status writes of one Order that is not finished, milliseconds. Default 1000. What becomes of its
   * runs within a tenth of it is looked at together.
   */
  readonly orderStatusIntervalMs?: number;
  /** Endpoints probed at the same time. Default 4. */
  readonly maxActiveProbes?: number;
}

export interface ArcControllersOptions {
  readonly client: KubeClient;
  /**
   * Key of the digests by which changes of Secrets are noticed, at least 16 bytes. It has to stay the same for the life of
   * an installation: another key makes every artifact that uses a Secret look changed, and run again.
   */
  readonly digestKey: Uint8Array;
  readonly clock?: Clock;
  readonly logger?: Logger;
  readonly limits?: ArcLimits;
  /** How Workflows are handed over to Argo. */
  readonly handOver?: HandOverSettings;
  /**
   * Runs in namespaces and of Orders with the label of a LocalQueue wait until a Workload of theirs is admitted by Kueue, which serves this
   * version of them. Default: their pods carry the label.
   */
  readonly kueue?: { readonly version: KueueVersion };
  /** How Endpoints are probed. Without it they are not, and say so. */
  readonly endpointProbe?: EndpointProbe;
  /** How old the result of a probe may become, milliseconds; 0 probes only after changes. Default 10 minutes. */
  readonly endpointProbeTtlMs?: number;
  readonly metrics?: ArcMetrics;
}

/** Dispose after the controllers have stopped: it writes the events that are still under way. */
export interface ArcControllers extends AsyncDisposable {
  readonly definitions: readonly ControllerDefinition[];
  /** Every one is a source of some controller, so starting the controllers starts them. */
  readonly informers: ArcInformers;
}

/**
 * The Order, the ArtifactWorkflow and the Endpoint controller, ready to be started.
 *
 * @throws ArcError `InvalidConfiguration`
 */
export function createArcControllers(options: ArcControllersOptions): ArcControllers {
  const { digestKey, clock = systemClock, logger = silentLogger, limits = {}, metrics } = options;
  const { client, reasonOf } = failureReasons(options.client);
  const { maxActiveWorkflows = 8, maxActiveProbes = 4 } = limits;
  const { progressIntervalMs = 1000, startIntervalMs = 250, orderStatusIntervalMs = 1000 } = limits;
  const runDelayMs = orderStatusIntervalMs / 10;
  if (!Number.isInteger(maxActiveWorkflows) || maxActiveWorkflows < 1) {
    throw new ArcError('InvalidConfiguration', `maxActiveWorkflows is ${maxActiveWorkflows}`, {
      hint: 'Use a whole number of at least 1.',
    });
  }
  if (digestKey.length < 16) {
    throw new ArcError('InvalidConfiguration', `the digest key has ${digestKey.length} bytes`, { hint: 'Use at least 16 random bytes.' });
  }
  const informers = createArcInformers(client, { digestKey, clock, logger, kueueVersion: options.kueue?.version });
  const turns = new WakeSource();
  const admission = new Admission({
    maxActive: maxActiveWorkflows,
    quotaOf: (namespace) => quotaOf(informers.namespaces.get(undefined, namespace), limits.maxActivePerNamespace),
    endpointLimit: (endpoint) => endpointLimit(informers.endpoints, endpoint, limits.maxActivePerEndpoint),
    clock,
    wake: (key) => runsOfKey(key, informers).forEach((run) => turns.wake(run)),
  });
  informers.workflows.addHandler(slotKeeper(admission));
  informers.workloads?.addHandler(lineKeeper(admission, informers));
  const reconsider = (): void => admission.reconsider();
  informers.namespaces.addHandler({ added: reconsider, updated: reconsider });
  informers.endpoints.addHandler({ added: reconsider, updated: (endpoint, old) => specChanged(endpoint, old) && reconsider() });
  const counting = metrics?.follow(informers);
  const counted = (controller: Parameters<ArcMetrics['reconcileFailed']>[0], reconcile: Reconciler): Reconciler =>
    countingFailures(reconcile, (error) => {
      const reason = reasonOf(error);
      if (reason !== undefined) metrics?.reconcileFailed(controller, reason);
    });
  const kueue =
    options.kueue === undefined || informers.workloads === undefined ? undefined : { ...options.kueue, workloads: informers.workloads };
  const common = { ...informers, client, clock };
  const recorder = (name: string): EventRecorder => createEventRecorder(client, { controller: `${arcGroup}/${name}`, clock, logger });
  const orderEvents = recorder('order-controller');
  const runEvents = recorder('artifact-workflow-controller');
  const endpointEvents = recorder('endpoint-controller');
  return {
    async [Symbol.asyncDispose]() {
      admission[Symbol.dispose]();
      counting?.[Symbol.dispose]();
      await Promise.all([orderEvents, runEvents, endpointEvents].map((events) => events[Symbol.asyncDispose]()));
    },
    informers,
    definitions: [
      {
        name: 'order',
        reconcile: counted(
          'order',
          orderReconciler({
            ...common,
            logger: logger.child({ controller: 'order' }),
            digestKey,
            events: orderEvents,
            statusIntervalMs: orderStatusIntervalMs,
            runDelayMs,
          }),
        ),
        sources: orderSources(informers, runDelayMs),
      },
      {
        name: 'artifact-workflow',
        reconcile: counted(
          'artifactworkflow',
          artifactWorkflowReconciler({
            ...common,
            logger: logger.child({ controller: 'artifact-workflow' }),
            admission,
            handOver: options.handOver ?? {},
            kueue,
            digestKey,
            events: runEvents,
            progressIntervalMs,
            startIntervalMs,
          }),
        ),
        sources: artifactWorkflowSources(informers, turns),
        workers: 8,
      },
      {
        name: 'endpoint',
        reconcile: counted(
          'endpoint',
          endpointReconciler({
            ...common,
            logger: logger.child({ controller: 'endpoint' }),
            events: endpointEvents,
            probe: options.endpointProbe,
            ttlMs: options.endpointProbeTtlMs ?? 600_000,
          }),
        ),
        sources: endpointSources(informers),
        workers: maxActiveProbes,
      },
    ],
  };
}

function countingFailures(reconcile: Reconciler, failed: (error: unknown) => void): Reconciler {
  return async (request, signal) => {
    try {
      return await reconcile(request, signal);
    } catch (error) {
      if (!signal.aborted) failed(error);
      throw error;
    }
  };
}

/** A change of an Endpoint, a Secret or a type leads to exactly the Orders that use it. */
function orderSources(informers: ArcInformers, runDelayMs: number): ControllerSource[] {
  const usersOf = (endpoint: KubeObject): readonly ReconcileRequest[] =>
    informers.orders.byIndex('endpoint', keyOf(endpoint.metadata.namespace, endpoint.metadata.name ?? '')).map(requestFor);
  return [
    source({ informer: informers.orders }),
    source<ArtifactWorkflow>({
      informer: informers.artifactWorkflows,
      // Each look at an Order is a look at all its artifacts, which change at about the same time.
      delayMs: runDelayMs,
      requests: (run) => {
        const owner = controllerOf(run);
        const ownerRequest = owner?.kind === 'Order' ? [{ namespace: run.metadata.namespace ?? '', name: owner.name }] : [];
        // Orders that wait for a run of somebody else to make room for theirs.
        const waiting = informers.orders.byIndex('run', keyOf(run.metadata.namespace, run.metadata.name ?? ''));
        return [...ownerRequest, ...waiting.filter(({ metadata }) => metadata.name !== owner?.name).map(requestFor)];
      },
    }),
    source<Endpoint>({ informer: informers.endpoints, requests: usersOf, changed: specChanged }),
    source<Endpoint>({
      informer: informers.endpoints,
      // What has been delivered is not concerned by whether an Endpoint answers.
      requests: (endpoint) =>
        usersOf(endpoint).filter(({ namespace, name }) => informers.orders.get(namespace, name)?.status?.phase !== 'Succeeded'),
      changed: readinessChanged,
    }),
    source<SecretRecord>({
      informer: informers.secrets,
      requests: ({ metadata }) => informers.endpoints.byIndex('secret', keyOf(metadata.namespace, metadata.name ?? '')).flatMap(usersOf),
      changed: secretChanged,
    }),
    source<AnyArtifactType>({
      informer: informers.artifactTypes,
      requests: ({ metadata }) => informers.orders.byIndex('type', keyOf(metadata.namespace, metadata.name ?? '')).map(requestFor),
      changed: specChanged,
    }),
    source<AnyArtifactType>({
      informer: informers.clusterArtifactTypes,
      requests: ({ metadata }) => informers.orders.byIndex('clusterType', metadata.name ?? '').map(requestFor),
      changed: specChanged,
    }),
  ];
}

function artifactWorkflowSources(informers: ArcInformers, turns: WakeSource): ControllerSource[] {
  const runsOf = (endpoint: KubeObject): readonly ReconcileRequest[] =>
    informers.artifactWorkflows.byIndex('endpoint', keyOf(endpoint.metadata.namespace, endpoint.metadata.name ?? '')).map(requestFor);
  return [
    source({ informer: informers.artifactWorkflows }),
    source<WorkflowRecord>({
      informer: informers.workflows,
      requests: (workflow) => {
        const owner = controllerOf(workflow);
        if (owner?.kind === 'ArtifactWorkflow') return [{ namespace: workflow.metadata.namespace ?? '', name: owner.name }];
        if (owner?.kind !== 'CronWorkflow') return [];
        // By its name: the CronWorkflow may be gone before the last Workflow it has made.
        return informers.artifactWorkflows.byIndex('cronWorkflow', keyOf(workflow.metadata.namespace, owner.name)).map(requestFor);
      },
    }),
    source<CronWorkflow>({ informer: informers.cronWorkflows, requests: ownerRequests }),
    source<SecretRecord>({
      informer: informers.secrets,
      requests: (secret) => {
        const { metadata } = secret;
        const owner = controllerOf(secret);
        if (owner?.kind === 'ArtifactWorkflow') return [{ namespace: metadata.namespace ?? '', name: owner.name }];
        const key = keyOf(metadata.namespace, metadata.name ?? '');
        const mounting = informers.artifactWorkflows.byIndex('secret', key).map(requestFor);
        return [...mounting, ...informers.endpoints.byIndex('secret', key).flatMap(runsOf)];
      },
      changed: secretChanged,
    }),
    source<Endpoint>({ informer: informers.endpoints, requests: runsOf, changed: specChanged }),
    source<AnyArtifactType>({
      informer: informers.artifactTypes,
      requests: ({ metadata }) =>
        informers.artifactWorkflows.byIndex('type', keyOf(metadata.namespace, metadata.name ?? '')).map(requestFor),
      changed: specChanged,
    }),
    source<AnyArtifactType>({
      informer: informers.clusterArtifactTypes,
      requests: ({ metadata }) => informers.artifactWorkflows.byIndex('clusterType', metadata.name ?? '').map(requestFor),
      changed: specChanged,
    }),
    source<Order>({
      informer: informers.orders,
      // A run that has delivered goes only once its Order says so.
      requests: ({ metadata }) =>
        informers.artifactWorkflows
          .byIndex('owner', metadata.uid ?? '')
          .filter(isDeleting)
          .map(requestFor),
    }),
    source<Order>({
      informer: informers.orders,
      requests: ({ metadata }) =>
        informers.artifactWorkflows
          .byIndex('owner', metadata.uid ?? '')
          .filter((run) => isUnstarted(run) || scheduleOfRun(run) !== undefined)
          .map(requestFor),
      changed: (order, old) =>
        order.spec?.suspend !== old.spec?.suspend || order.spec?.priority !== old.spec?.priority || queueChanged(order, old),
    }),
    source<KubeObject>({
      informer: informers.namespaces,
      requests: ({ metadata }) => (informers.workloads?.byIndex('namespace', metadata.name ?? '') ?? []).flatMap(ownerRequests),
      changed: queueChanged,
    }),
    ...(informers.workloads === undefined ? [] : [source<WorkloadRecord>({ informer: informers.workloads, requests: ownerRequests })]),
    source({ informer: turns }),
  ];
}

/** The ArtifactWorkflow an object belongs to. */
function ownerRequests(object: KubeObject): readonly ReconcileRequest[] {
  const owner = controllerOf(object);
  return owner?.kind === 'ArtifactWorkflow' ? [{ namespace: object.metadata.namespace ?? '', name: owner.name }] : [];
}

/** True when what is to wait for quota is to do so elsewhere. */
function queueChanged({ metadata }: KubeObject, old: KubeObject): boolean {
  return metadata.labels?.[kueueQueueLabel] !== old.metadata.labels?.[kueueQueueLabel];
}

function isUnstarted({ status }: ArtifactWorkflow): boolean {
  return !isFinishedPhase(status?.phase) && status?.activeWorkflowRef === undefined;
}
