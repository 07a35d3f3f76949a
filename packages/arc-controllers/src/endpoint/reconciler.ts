import { endpoints, referenceName, secretNames } from '@arc/api/arc';
import type { Endpoint, LocalReference } from '@arc/api/arc';
import { secrets } from '@arc/api/core';
import type { Secret } from '@arc/api/core';
import type { KubeObject } from '@arc/apimachinery';
import type { Reconciler } from '@arc/controller';
import type { Clock, Logger } from '@arc/kernel';
import type { EventRecorder, KubeClient } from '@arc/kube-client';
import { readIfThere } from '@arc/kube-client';
import { timestamp } from '../metadata/conditions.ts';
import { OwnWrites } from '../metadata/own-writes.ts';
import { isDeleting } from '../metadata/references.ts';
import { writeStatus } from '../metadata/write-status.ts';
import type { LookupInformers } from '../resolve/lookups.ts';
import { delayUntil } from '../retention/delay-until.ts';
import { advised } from './advice.ts';
import type { EndpointFindings, EndpointProbe } from './probe.ts';
import { endpointForce, nextProbe, probeReason } from './probe-schedule.ts';
import { probeTarget } from './probe-target.ts';
import { endpointStatus, knownFindings, knownRecord } from './status.ts';
import type { EndpointFacts } from './status.ts';
import { secretNotFound, validation, validUntil } from './validation.ts';

/** What the Endpoint controller works with. */
export interface EndpointContext extends LookupInformers {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly events: Pick<EventRecorder, 'event'>;
  /** Undefined: Endpoints are validated, and not probed. */
  readonly probe: EndpointProbe | undefined;
  /** How old the result of a probe may become, milliseconds; 0: any age. */
  readonly ttlMs: number;
}

const notProbed: EndpointFindings = {
  reachable: { status: 'Unknown', reason: 'ProbingDisabled', message: 'this ARC probes no Endpoints' },
  authenticated: { status: 'Unknown', reason: 'ProbingDisabled', message: 'this ARC probes no Endpoints' },
};

/** Says in the status of an Endpoint whether it can be used. Nothing waits for that: it informs. */
export function endpointReconciler(context: EndpointContext): Reconciler {
  const ownWrites = new OwnWrites();
  context.endpoints.addHandler({ deleted: (endpoint) => ownWrites.forget(endpoint) });
  return async (request, signal) => {
    const endpoint = context.endpoints.get(request.namespace, request.name);
    if (endpoint === undefined || isDeleting(endpoint) || ownWrites.isBehind(endpoint)) return undefined;
    const force = endpointForce(endpoint, context.clock.now());
    const facts = await factsOf(context, endpoint, force.value, signal);
    const now = context.clock.now();
    const status = endpointStatus(endpoint, facts, now);
    const written = await writeStatus(context.client, endpoints, endpoint, status, signal);
    if (written !== undefined) {
      ownWrites.note(endpoint, written);
      reportReadiness(context, endpoint, status);
    }
    const nextLook = facts.findings === undefined ? undefined : nextProbe(status, endpoint.metadata.uid ?? '', context.ttlMs);
    const end = validUntil(endpoint);
    const requeueAfterMs = delayUntil(now, [nextLook, force.next, end !== undefined && end > now ? end : undefined]);
    return requeueAfterMs === undefined ? undefined : { requeueAfterMs };
  };
}

/** What is known of an Endpoint, probed anew where that is needed. */
async function factsOf(
  context: EndpointContext,
  endpoint: Endpoint,
  force: string | undefined,
  signal: AbortSignal,
): Promise<EndpointFacts> {
  const { clock, probe, ttlMs } = context;
  const validated = validation(endpoint, context, clock.now());
  if (validated.status !== 'True') return { validated, force };
  if (probe === undefined) return { validated, findings: notProbed, force };
  const { metadata, spec, status = {} } = endpoint;
  const known = secretNames(endpoint).map((name) => context.secrets.get(metadata.namespace, name));
  const reason = probeReason(endpoint, { secretVersion: versionOf(known), force, ttlMs }, clock.now());
  const findings = knownFindings(status);
  if (reason === undefined && findings !== undefined) return { validated, findings, record: knownRecord(status), force };

  const read = new Map<string, Secret>();
  for (const name of secretNames(endpoint)) {
    // Their values are kept nowhere.
    const secret = await readIfThere<Secret>(context.client, secrets, { namespace: metadata.namespace ?? '', name }, signal);
    if (secret === undefined) return { validated: secretNotFound(endpoint, name), force };
    read.set(name, secret);
  }
  const secretOf = (reference: LocalReference | undefined): Secret | undefined => read.get(referenceName(reference) ?? '');
  const used = { credentials: secretOf(spec?.secretRef), tls: secretOf(spec?.tls?.secretRef) };
  const { reachable, authenticated } = await probe(probeTarget(endpoint, used), signal);
  context.logger.debug('endpoint probed', {
    namespace: metadata.namespace,
    name: metadata.name,
    because: reason,
    reachable: reachable.reason,
    authenticated: authenticated.reason,
  });
  const secretVersion = versionOf([...read.values()]);
  return {
    validated,
    findings: advised({ reachable, authenticated }, endpoint),
    record: {
      lastProbeTime: timestamp(clock.now()),
      probedGeneration: metadata.generation ?? 0,
      ...(secretVersion !== undefined && { probedSecretVersion: secretVersion }),
    },
    force,
  };
}

/** What a probe used of Secrets; undefined of none. */
function versionOf(used: readonly (KubeObject | undefined)[]): string | undefined {
  return used.length === 0 ? undefined : used.map((secret) => secret?.metadata.resourceVersion ?? '').join(',');
}

/** Tells when an Endpoint becomes usable, or no longer is; what is not known yet is no news. */
function reportReadiness(context: EndpointContext, endpoint: Endpoint, { conditions = [] }: NonNullable<Endpoint['status']>): void {
  const before = endpoint.status?.conditions?.find(({ type }) => type === 'Ready')?.status ?? 'Unknown';
  const ready = conditions.find(({ type }) => type === 'Ready');
  if (ready === undefined || ready.status === before) return;
  context.events.event(endpoint, {
    type: ready.status === 'True' ? 'Normal' : 'Warning',
    reason: ready.reason,
    action: 'Probe',
    note: ready.message,
  });
}
