import type { ArtifactWorkflow, Order, OrderRun } from '@arc/api/arc';
import { forceAtAnnotation, orderFinalizer, retryAnnotation } from '@arc/api/arc';
import type { Workflow } from '@arc/api/argo';
import { isDeepStrictEqual } from 'node:util';
import type { Judge } from './judge.ts';
import type { Meddling } from './meddling.ts';
import { fleetingType } from './objects.ts';
import { named, titleOf } from './stored.ts';
import type { Stored } from './stored.ts';
import { find, visibleIn, wantedOf } from './wanted.ts';
import type { Wanted } from './wanted.ts';

/** One run that stands for one configuration. */
interface Standing {
  readonly orderUid: string;
  readonly configuration: string;
  readonly name: string;
}

/** Which run stands for which configuration, over the whole life of each Order. */
export class Identities {
  readonly #names = new Map<string, string>();
  readonly #configurations = new Map<string, string>();

  nameOf(orderUid: string, configuration: string): string | undefined {
    return this.#names.get(`${orderUid} ${configuration}`);
  }

  /** Says what is wrong when a name stands for a configuration other than the one it stood for. */
  note({ orderUid, configuration, name }: Standing): string[] {
    const known = this.#configurations.get(`${orderUid} ${name}`);
    this.#names.set(`${orderUid} ${configuration}`, name);
    this.#configurations.set(`${orderUid} ${name}`, configuration);
    return known === undefined || known === configuration ? [] : [`${name} stands for ${configuration} and stood for ${known}`];
  }
}

export interface Knowledge {
  readonly judge: Judge;
  readonly meddling: Meddling;
  readonly identities: Identities;
}

const terminal = ['Succeeded', 'Failed', 'Error'];

/** What is not yet as it should be in the end; empty when everything has converged. */
export function unconverged(stored: Stored, knowledge: Knowledge, now: number): string[] {
  const standing: Standing[] = [];
  const problems = [
    ...stored.orders.flatMap((order) => orderProblems(order, stored, { ...knowledge, standing }, now)),
    ...stored.runs.flatMap((run) => runProblems(run, stored, knowledge)),
    ...leftovers(stored),
  ];
  // Before, an entry may still be that of an earlier configuration that looks the same.
  return problems.length > 0 ? problems : standing.flatMap((one) => knowledge.identities.note(one));
}

function orderProblems(order: Order, stored: Stored, knowledge: Knowledge & { readonly standing: Standing[] }, now: number): string[] {
  const title = titleOf(order);
  const { uid = '', generation, annotations = {}, creationTimestamp, finalizers = [] } = order.metadata;
  const { status = {}, spec = {} } = order;
  const problems: string[] = [];
  const say = (text: string): void => void problems.push(`${title}: ${text}`);
  if (spec.ttl !== undefined && Date.parse(creationTimestamp ?? '') + Number.parseInt(spec.ttl, 10) * 1000 < now)
    say(`is older than its ttl ${spec.ttl}`);
  if (!finalizers.includes(orderFinalizer)) say('has no finalizer');
  if (status.observedGeneration !== generation) say(`observed generation ${status.observedGeneration} of ${generation}`);
  const retry = annotations[retryAnnotation];
  if (retry !== undefined && status.lastRetry !== retry) say(`retry ${retry} is not carried out`);
  const force = Number(annotations[forceAtAnnotation]);
  if (force * 1000 <= now && Date.parse(status.lastForceAt ?? '') !== force * 1000)
    say(`force-at ${force} is not in force: ${status.lastForceAt}`);
  if (force * 1000 > now) say('is to be forced in the future');

  const entries = Object.entries(status.artifactWorkflows ?? {});
  const left = new Map(entries);
  const wanted = wantedOf(order, stored);
  for (const one of wanted) {
    const found = entryFor(one, { left, all: entries }, order, knowledge);
    if (typeof found === 'string') {
      say(found);
      continue;
    }
    left.delete(found[0]);
    for (const problem of entryProblems(one, found[1], order, stored, knowledge))
      say(`artifact ${one.index} (${found[1].name ?? one.visible}): ${problem}`);
  }
  for (const [hash, entry] of left)
    say(
      `has an entry ${hash} for nothing that is wanted: ${JSON.stringify([entry, knowledge.judge.madeRun(uid, entry.name ?? '')?.spec])}`,
    );
  const names = new Set(entries.map(([, { name }]) => name));
  for (const run of stored.runs) {
    if (!ownedBy(run, uid) || names.has(run.metadata.name)) continue;
    if (!terminal.includes(run.status?.phase ?? '')) say(`${titleOf(run)} is not wanted and ${run.status?.phase}`);
  }
  problems.push(...rollUpProblems(order, wanted).map((problem) => `${title}: ${problem}`));
  for (const [name, seen] of Object.entries(status.endpointGenerations ?? {})) {
    const endpoint = named(stored.endpoints, order.metadata.namespace, name);
    if (endpoint !== undefined && wanted.every(({ state }) => state === 'run') && seen !== endpoint.metadata.generation)
      say(`saw generation ${seen} of Endpoint ${name}`);
  }
  return problems;
}

/** The entry that stands for what is wanted, or what is wrong. */
function entryFor(
  wanted: Wanted,
  { left, all }: { readonly left: ReadonlyMap<string, OrderRun>; readonly all: readonly (readonly [string, OrderRun])[] },
  order: Order,
  { judge, identities, standing }: Knowledge & { readonly standing: Standing[] },
): readonly [string, OrderRun] | string {
  const orderUid = order.metadata.uid ?? '';
  const shown = (entry: OrderRun): ReturnType<typeof visibleIn> | undefined => {
    const made = judge.madeRun(orderUid, entry.name ?? '');
    return made === undefined ? undefined : visibleIn(made);
  };
  if (wanted.state !== 'run') {
    const phase = wanted.state === 'wrong' ? 'Failed' : 'Pending';
    const problem = [...left].find(
      ([, entry]) => entry.name === undefined && entry.artifactIndex === wanted.index && entry.phase === phase,
    );
    // Artifacts that come to the same share what was made for them.
    const kept = wanted.state === 'blocked' ? all.find(([, entry]) => shown(entry)?.asked === wanted.visible) : undefined;
    return kept ?? problem ?? `no entry for artifact ${wanted.index}, which is ${wanted.state}: ${wanted.visible}`;
  }
  const { configuration } = wanted;
  const known = identities.nameOf(orderUid, configuration);
  const found = [...left].find(([, entry]) => (known === undefined ? shown(entry)?.visible === wanted.visible : entry.name === known));
  if (found === undefined) {
    // What was never made shows nothing, and is found by its place.
    const unmade = [...left].find(
      ([, { artifactIndex, name = '', reason }]) =>
        artifactIndex === wanted.index && reason === 'Suspended' && judge.madeRun(orderUid, name) === undefined,
    );
    if (known === undefined && unmade !== undefined) return unmade;
    return `no entry for artifact ${wanted.index}${known === undefined ? '' : `, which was ${known}`}: ${configuration}`;
  }
  standing.push({ orderUid, configuration, name: found[1].name ?? '' });
  return found;
}

function entryProblems(wanted: Wanted, entry: OrderRun, order: Order, stored: Stored, knowledge: Knowledge): string[] {
  const { phase = '', reason = '', name = '', expired } = entry;
  const is = `it is ${phase} (${reason}: ${entry.message})`;
  if (wanted.state === 'wrong') return phase === 'Failed' && /EndpointUsage|TypeNotAllowed/.test(reason) ? [] : [`does not fit and ${is}`];
  if (wanted.state === 'blocked' && entry.name === undefined)
    return phase === 'Pending' && entry.blocked === true && reason.startsWith('Missing') ? [] : [`is blocked and ${is}`];
  const problems: string[] = [];
  if (wanted.state === 'run') {
    if (entry.artifactIndex !== wanted.index) problems.push(`has index ${entry.artifactIndex} instead of ${wanted.index}`);
    const allowed = phasesOf(wanted, order, name, knowledge);
    if (!allowed.includes(phase === 'Pending' ? `Pending ${reason}` : phase)) problems.push(`should be ${allowed.join(' or ')}; ${is}`);
  }
  const objects = stored.runs.filter(({ metadata }) => metadata.namespace === order.metadata.namespace && metadata.name === name);
  const [run] = objects;
  if (run === undefined) {
    if (phase !== 'Succeeded' && expired !== true && reason !== 'Suspended') problems.push(`has no ArtifactWorkflow; ${is}`);
    return problems;
  }
  if (!ownedBy(run, order.metadata.uid ?? '')) problems.push('its ArtifactWorkflow is not of this Order');
  if ((run.status?.phase ?? 'Pending') !== phase) problems.push(`its ArtifactWorkflow is ${run.status?.phase} and ${is}`);
  if (isOverdue(run, order)) problems.push('should be gone by its time to live');
  return problems;
}

/** With `TTLSecondsAfterCompletion`, or the time of the fleeting type, which is a second. */
function isOverdue({ status, spec }: ArtifactWorkflow, order: Order): boolean {
  const ttl = order.spec?.TTLSecondsAfterCompletion ?? (spec?.type === fleetingType ? 1 : undefined);
  if (ttl === undefined || !terminal.includes(status?.phase ?? '')) return false;
  return Date.now() > Date.parse(status?.completionTime ?? '') + ttl * 1000;
}

function phasesOf(wanted: Wanted & { readonly state: 'run' }, order: Order, name: string, { judge, meddling }: Knowledge): string[] {
  const suspended = order.spec?.suspend === true ? ['Pending Suspended'] : [];
  if (wanted.refused) return ['Failed', ...suspended];
  if (wanted.scheduled) return ['Active', ...suspended];
  const cancelled = judge.workflowsOf(order.metadata.uid ?? '', name).some((uid) => meddling.hasEnded(uid)) ? ['Failed', 'Error'] : [];
  return [...outcomesOf(wanted.behaviour), ...cancelled, ...suspended];
}

function outcomesOf(behaviour: string): string[] {
  if (behaviour === 'fail') return ['Failed', 'Error'];
  return behaviour === 'either' ? ['Succeeded', 'Failed', 'Error'] : ['Succeeded'];
}

function rollUpProblems({ status = {}, metadata, spec }: Order, wanted: readonly Wanted[]): string[] {
  const entries = Object.values(status.artifactWorkflows ?? {});
  const count = (which: (entry: OrderRun) => boolean): number => entries.filter(which).length;
  const pending = count(({ phase, blocked }) => phase === 'Pending' && blocked !== true);
  const counts = {
    total: entries.length,
    succeeded: count(({ phase }) => phase === 'Succeeded'),
    failed: count(({ phase }) => phase === 'Failed' || phase === 'Error'),
    running: count(({ phase }) => phase === 'Running'),
    scheduled: count(({ phase }) => phase === 'Active'),
    pending,
    blocked: count(({ phase, blocked }) => phase === 'Pending' && blocked === true),
  };
  const problems: string[] = [];
  if (!isDeepStrictEqual({ ...status.counts }, counts))
    problems.push(`counts ${JSON.stringify(status.counts)} instead of ${JSON.stringify(counts)}`);
  const phase = rolledUp(counts);
  if (status.phase !== phase) problems.push(`is ${status.phase} instead of ${phase}`);
  const condition = (type: string): string | undefined => {
    const found = status.conditions?.find((candidate) => candidate.type === type);
    if (found?.observedGeneration !== metadata.generation) problems.push(`condition ${type} is of generation ${found?.observedGeneration}`);
    return found?.status;
  };
  const accepted = wanted.every(({ state }) => state === 'run');
  if (condition('Accepted') !== (accepted ? 'True' : 'False')) problems.push(`Accepted is not ${accepted}`);
  const complete = (phase === 'Succeeded' || phase === 'Failed') && counts.blocked + counts.scheduled === 0;
  if (condition('Completed') !== (complete ? 'True' : 'False')) problems.push(`Completed is not ${complete}`);
  if (condition('Failed') !== (phase === 'Failed' ? 'True' : 'False')) problems.push('Failed is wrong');
  const busy = counts.running + (spec?.suspend === true ? 0 : pending) > 0;
  if (condition('Progressing') !== (busy ? 'True' : 'False')) problems.push(`Progressing is not ${busy}`);
  return problems;
}

function rolledUp(counts: Readonly<Record<'succeeded' | 'failed' | 'running' | 'scheduled' | 'pending' | 'blocked', number>>): string {
  const { succeeded, failed, running, scheduled, pending, blocked } = counts;
  if (running + pending > 0) return running + succeeded + failed + scheduled > 0 ? 'Running' : 'Pending';
  if (failed > 0) return 'Failed';
  if (blocked > 0) return 'Pending';
  return scheduled > 0 ? 'Active' : 'Succeeded';
}

/** Of runs that no Order made, or that lost theirs. */
function runProblems(run: ArtifactWorkflow, stored: Stored, { judge, meddling }: Knowledge): string[] {
  const { metadata, spec = {}, status = {} } = run;
  if (metadata.ownerReferences?.some(({ controller }) => controller === true) === true) return [];
  const { phase = '', reason = '' } = status;
  if (spec.cron !== undefined || terminal.includes(phase)) {
    if (spec.cron !== undefined || metadata.name?.startsWith('h') !== true) return [];
  }
  const transfer = {
    namespace: metadata.namespace ?? '',
    type: spec.type ?? '',
    source: spec.srcRef?.name ?? '',
    destination: spec.dstRef?.name ?? '',
  };
  const { state } = find(stored, transfer);
  const workflow = stored.workflows.find(({ metadata: { ownerReferences } }) => ownerReferences?.[0]?.uid === metadata.uid);
  if (phase === 'Running' && workflow !== undefined && waitsForSecret(workflow, stored)) return [];
  const is = `${titleOf(run)} is ${phase} (${reason}: ${status.message})`;
  if (state !== 'run')
    return terminal.includes(phase) || (phase === 'Pending' && reason.startsWith('Missing'))
      ? []
      : [`${is} and should be blocked or have ended`];
  const behaviour = spec.parameters?.find(({ name }) => name === 'specBehaviour')?.value ?? '';
  const excused = judge.workflowsOf(metadata.uid ?? '', metadata.name ?? '').some((uid) => meddling.hasEnded(uid));
  return outcomesOf(behaviour).includes(phase) || excused ? [] : [`${is} and should be ${outcomesOf(behaviour).join(' or ')}`];
}

/** True for a Workflow whose steps cannot start, or start again, for a Secret is gone. */
function waitsForSecret({ metadata, spec }: Workflow, stored: Stored): boolean {
  const mounted = (spec.volumes ?? []).flatMap(({ secret }) => secret?.secretName ?? []);
  return mounted.some((name) => named(stored.secrets, metadata.namespace, name) === undefined);
}

/** What nobody is responsible for, and what does not go although it should. */
function leftovers(stored: Stored): string[] {
  const all = [
    stored.orders,
    stored.runs,
    stored.endpoints,
    stored.secrets,
    stored.types,
    stored.clusterTypes,
    stored.workflows,
    stored.cronWorkflows,
    stored.namespaces,
    stored.pods,
  ].flat();
  const uids = new Set(all.map(({ metadata }) => metadata.uid));
  const problems: string[] = [];
  for (const object of all) {
    if (object.metadata.deletionTimestamp !== undefined)
      problems.push(`${titleOf(object)} is being deleted, held by ${object.metadata.finalizers?.join(', ')}`);
    const owners = object.metadata.ownerReferences ?? [];
    if (owners.length > 0 && !owners.some(({ uid }) => uids.has(uid))) problems.push(`${titleOf(object)} has lost its owner`);
  }
  for (const workflow of stored.workflows) {
    const owner = workflow.metadata.ownerReferences?.find(({ controller }) => controller === true);
    if (owner === undefined) problems.push(`${titleOf(workflow)} has no owner`);
    if (owner?.kind === 'ArtifactWorkflow' && workflow.status?.finishedAt === undefined && !waitsForSecret(workflow, stored)) {
      problems.push(`${titleOf(workflow)} has not ended: ${workflow.status?.phase}`);
    }
  }
  for (const cron of stored.cronWorkflows) {
    const owner = stored.runs.find(({ metadata }) => metadata.uid === cron.metadata.ownerReferences?.[0]?.uid);
    const order = stored.orders.find(({ metadata }) => metadata.uid === owner?.metadata.ownerReferences?.[0]?.uid);
    if (cron.spec.suspend !== (order?.spec?.suspend === true))
      problems.push(`${titleOf(cron)} is ${cron.spec.suspend === true ? '' : 'not '}suspended`);
    if (!isDeepStrictEqual(cron.spec.schedules, owner?.spec?.cron?.schedules)) problems.push(`${titleOf(cron)} has other schedules`);
  }
  for (const run of stored.runs) {
    const hasConfig = stored.secrets.some(({ metadata }) => metadata.ownerReferences?.some(({ uid }) => uid === run.metadata.uid) === true);
    if (hasConfig && terminal.includes(run.status?.phase ?? '')) problems.push(`${titleOf(run)} has ended and has a configuration`);
    const schedules = stored.cronWorkflows.filter(({ metadata }) => metadata.ownerReferences?.[0]?.uid === run.metadata.uid).length;
    if (run.status?.phase === 'Active' && schedules !== 1) problems.push(`${titleOf(run)} has ${schedules} CronWorkflows`);
  }
  return problems;
}

function ownedBy({ metadata }: ArtifactWorkflow, uid: string): boolean {
  return metadata.ownerReferences?.some((owner) => owner.controller === true && owner.uid === uid) === true;
}
