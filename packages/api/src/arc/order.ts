import { fieldError, s, stringifyJson } from '@arc/apimachinery';
import type { FieldError, KindDefinition, KubeObject, ResourceType, Static } from '@arc/apimachinery';
import { cron, defaultMinimumCronInterval, validateCron } from './cron.ts';
import type { Cron, CronLimits } from './cron.ts';
import { conflictText, flattenSpec, parameterConflict } from './flatten-spec.ts';
import { unsetNulls, firstLine, newErrors, referenceName, validateDuration } from './field-rules.ts';
import { arcCategory, arcGroup, arcVersion, resourceOf } from './group.ts';
import { conditions, duration, localReference, optional } from './shared-schemas.ts';
import { forceAtAnnotation, parseForceAt } from './well-known.ts';
import { scheduleColumns } from './schedule-columns.ts';

const artifact = s.object({
  type: optional(s.string({ description: 'Name of an ArtifactType of this namespace or of a ClusterArtifactType.' })),
  srcRef: optional({ ...localReference, description: 'The Endpoint the artifact comes from; unset: the default.' }),
  dstRef: optional({ ...localReference, description: 'The Endpoint the artifact goes to; unset: the default.' }),
  dstRefs: optional(s.array(localReference, { description: 'Several Endpoints the artifact goes to, instead of dstRef.' })),
  spec: optional(s.freeForm({ description: 'What to transfer, in the words of the artifact type.' })),
  cron: optional(cron),
});
export type Artifact = Static<typeof artifact>;

const orderSpec = s.object(
  {
    defaults: optional(
      s.object(
        {
          srcRef: optional({ ...localReference, description: 'The source of artifacts that name none.' }),
          dstRef: optional({ ...localReference, description: 'The destination of artifacts that name none.' }),
          dstRefs: optional(s.array(localReference, { description: 'Several destinations, instead of dstRef.' })),
          cron: optional(cron),
        },
        { description: 'What holds for artifacts that do not say otherwise.' },
      ),
    ),
    suspend: optional(s.boolean({ description: 'True: nothing new is started; what runs goes on.' })),
    dryRun: optional(s.boolean({ description: 'True: everything is checked and nothing is transferred.' })),
    priority: optional(s.integer({ description: 'Higher ones of a namespace go first; unset: that of the type.' })),
    artifacts: optional(s.array(artifact, { description: 'The artifacts to bring in.' })),
    ttl: optional(duration('How long after its creation the Order is removed; unset or 0 keeps it.')),
    TTLSecondsAfterCompletion: optional(
      s.integer({
        description:
          'Seconds after its completion that a run is kept; wins over the times of the type; unset keeps it, 0 removes it at once.',
      }),
    ),
  },
  { description: 'What is wanted.' },
);
export type OrderSpec = Static<typeof orderSpec>;

const orderRun = s.object({
  artifactIndex: s.integer({ description: 'Index in spec.artifacts.' }),
  name: optional(s.string({ description: 'Name of the ArtifactWorkflow; absent when there is none.' })),
  phase: optional(s.string({ description: 'Pending, Running, Succeeded, Failed, Error, Active or Stopped.' })),
  reason: optional(s.string({ description: 'One word: why it is in this phase.' })),
  message: optional(s.string({ description: 'A sentence for people.' })),
  blocked: optional(s.boolean({ description: 'True while the run waits for an object that does not exist.' })),
  slot: optional(s.string({ description: 'Names what was asked for, whatever the Endpoints, Secrets and types look like.' })),
  destination: optional(s.string({ description: 'The Endpoint it goes to, where the artifact goes to several.' })),
  expired: optional(s.boolean({ description: 'True once the time to keep the ArtifactWorkflow is over; this entry is the record of it.' })),
  progress: optional(s.string({ description: 'Done and total as the workflow reports them, N/M.' })),
  progressUnit: optional(s.string({ description: 'What progress counts: Bytes once a step reports some, else Steps.' })),
  startTime: optional(s.time({ description: 'When the run started.' })),
  completionTime: optional(s.time({ description: 'When the run ended.' })),
  failureTime: optional(s.time({ description: 'When the run failed.' })),
  lastScheduled: optional(s.time({ description: 'When the last scheduled run was due.' })),
  nextScheduled: optional(s.time({ description: 'When the next scheduled run is due.' })),
  succeeded: optional(s.integer({ description: 'Succeeded runs.' })),
  failed: optional(s.integer({ description: 'Failed runs.' })),
});
export type OrderRun = Static<typeof orderRun>;

const orderStatus = s.object(
  {
    observedGeneration: optional(s.integer({ description: 'The generation this status was computed for.' })),
    phase: optional(s.string({ description: 'Pending, Running, Active, Succeeded or Failed: the roll-up of all runs.' })),
    message: optional(s.string({ description: 'A sentence for people.' })),
    conditions: optional(conditions),
    counts: optional(
      s.object(
        {
          total: s.integer(),
          succeeded: s.integer(),
          failed: s.integer(),
          running: s.integer(),
          pending: s.integer(),
          blocked: s.integer(),
          scheduled: optional(s.integer()),
        },
        { description: 'Numbers of runs.' },
      ),
    ),
    artifactWorkflows: optional(s.map(orderRun, { description: 'The runs the spec asks for, by content hash.' })),
    deliveries: optional(
      s.map(s.time(), { description: 'What was delivered and is not asked for at the moment, by content hash; never transferred again.' }),
    ),
    endpointGenerations: optional(s.map(s.integer(), { description: 'Generation of each Endpoint the runs were made from.' })),
    secretGenerations: optional(
      s.map(s.integer(), { description: 'A number for each Secret in use, raised when its type or data changes.' }),
    ),
    secretDigests: optional(
      s.map(s.string(), { description: 'Keyed digest of each Secret in use; tells that it changed, not what it holds.' }),
    ),
    lastScheduled: optional(s.time({ description: 'When the last scheduled run of any artifact was due.' })),
    nextScheduled: optional(s.time({ description: 'When the next scheduled run of any artifact is due.' })),
    lastReconcileAt: optional(s.time()),
    lastForceAt: optional(s.time({ description: 'The force-at value that was carried out last.' })),
    lastRetry: optional(s.string({ description: 'The retry annotation that was carried out last.' })),
  },
  { description: 'What is the case.' },
);
export type OrderStatus = Static<typeof orderStatus>;

/** A wish: these artifacts, from there, to there. */
export interface Order extends KubeObject {
  spec?: OrderSpec;
  status?: OrderStatus;
}

/** The names of the Endpoints one artifact goes to, defaults considered; empty when there are none. */
export function destinationNames(spec: OrderSpec, artifact: Artifact): string[] {
  const own = namesOf(artifact);
  const names = own.length > 0 ? own : namesOf(spec.defaults ?? {});
  return [...new Set(names)];
}

/** The schedule of one artifact, default considered; undefined when it is transferred once. */
export function scheduleOf(spec: OrderSpec, artifact: Artifact): Cron | undefined {
  const cron = artifact.cron ?? spec.defaults?.cron;
  return cron?.disabled === true ? undefined : cron;
}

/** The name of the Endpoint one artifact comes from, default considered. */
export function sourceName(spec: OrderSpec, artifact: Artifact): string | undefined {
  return referenceName(artifact.srcRef) ?? referenceName(spec.defaults?.srcRef);
}

function namesOf(holder: Pick<Artifact, 'dstRef' | 'dstRefs'>): string[] {
  const several = (holder.dstRefs ?? []).map(referenceName).filter((name) => name !== undefined);
  if (several.length > 0) return several;
  const one = referenceName(holder.dstRef);
  return one === undefined ? [] : [one];
}

function errorsOf(order: Order, minimumCronInterval: number): FieldError[] {
  const spec = order.spec ?? {};
  const errors: FieldError[] = [];
  errors.push(...validateDuration(spec.ttl, 'spec.ttl'));
  const ttlSeconds = spec.TTLSecondsAfterCompletion;
  if (ttlSeconds !== undefined && ttlSeconds < 0) {
    errors.push(fieldError.invalid('spec.TTLSecondsAfterCompletion', ttlSeconds, 'must be greater than or equal to 0'));
  }
  if (spec.defaults?.cron !== undefined) errors.push(...validateCron(spec.defaults.cron, 'spec.defaults.cron', minimumCronInterval));
  errors.push(...destinationErrors(spec.defaults ?? {}, 'spec.defaults'));
  for (const [index, artifact] of (spec.artifacts ?? []).entries()) {
    errors.push(...artifactErrors(spec, artifact, `spec.artifacts[${index}]`, minimumCronInterval));
  }
  return errors;
}

function artifactErrors(spec: OrderSpec, artifact: Artifact, path: string, minimumCronInterval: number): FieldError[] {
  const errors: FieldError[] = [];
  if ((artifact.type ?? '') === '') errors.push(fieldError.required(`${path}.type`));
  if (sourceName(spec, artifact) === undefined) errors.push(fieldError.required(`${path}.srcRef`));
  if (destinationNames(spec, artifact).length === 0) errors.push(fieldError.required(`${path}.dstRef`));
  errors.push(...destinationErrors(artifact, path));
  if (artifact.cron !== undefined) errors.push(...validateCron(artifact.cron, `${path}.cron`, minimumCronInterval));
  const conflict = parameterConflict(flattenSpec(artifact.spec));
  if (conflict !== undefined) errors.push(fieldError.invalid(`${path}.spec`, conflict.name, conflictText(conflict)));
  return errors;
}

function destinationErrors(holder: Pick<Artifact, 'dstRef' | 'dstRefs'>, path: string): FieldError[] {
  const several = (holder.dstRefs ?? []).flatMap((reference, index) =>
    referenceName(reference) === undefined ? [fieldError.required(`${path}.dstRefs[${index}].name`)] : [],
  );
  const both = referenceName(holder.dstRef) !== undefined && (holder.dstRefs ?? []).length > 0;
  return both ? [...several, fieldError.forbidden(`${path}.dstRef`, 'may not be set together with dstRefs')] : several;
}

/** Clients print every one of them. */
const maxWarnings = 10;

function warningsOf(order: Order): string[] {
  const spec = order.spec ?? {};
  const warnings: string[] = [];
  const force = order.metadata.annotations?.[forceAtAnnotation];
  if (force !== undefined && parseForceAt(force) === undefined) {
    warnings.push(`metadata.annotations[${forceAtAnnotation}] is not a Unix time in seconds and has no effect`);
  }
  const artifacts = spec.artifacts ?? [];
  if (artifacts.length === 0) warnings.push('spec.artifacts is empty: the Order transfers nothing');
  const { priority = 0 } = spec;
  if (priority < -100 || priority > 100) warnings.push(`spec.priority ${priority} counts as ${priority < 0 ? -100 : 100}`);
  const seen = new Map<string, number>();
  for (const [index, artifact] of artifacts.entries()) {
    const path = `spec.artifacts[${index}]`;
    const source = sourceName(spec, artifact);
    const destinations = destinationNames(spec, artifact);
    if (source !== undefined && destinations.includes(source)) {
      warnings.push(`${path}: its source and a destination are the same Endpoint ${JSON.stringify(source)}`);
    }
    const asked = stringifyJson([artifact.type, artifact.spec ?? {}, source, destinations, scheduleOf(spec, artifact)]);
    const first = seen.get(asked);
    if (first === undefined) seen.set(asked, index);
    else warnings.push(`${path} asks for the same as spec.artifacts[${first}] and is transferred once with it`);
  }
  if (/[1-9]/.test(spec.ttl ?? '') && artifacts.some((artifact) => scheduleOf(spec, artifact) !== undefined)) {
    warnings.push('spec.ttl removes the Order, and with it its schedules');
  }
  return warnings.slice(0, maxWarnings);
}

/** The kind as a server with these limits has it. */
export function orderKind({ minimumCronInterval = defaultMinimumCronInterval }: CronLimits = {}): KindDefinition<Order> {
  const rules = (order: Order): FieldError[] => errorsOf(order, minimumCronInterval);
  return {
    group: arcGroup,
    version: arcVersion,
    kind: 'Order',
    names: { plural: 'orders', singular: 'order', shortNames: ['ord'], categories: [arcCategory] },
    scope: 'Namespaced',
    description: 'Order asks for artifacts to be brought from source Endpoints to destination Endpoints.',
    schema: s.object({ spec: optional(orderSpec), status: optional(orderStatus) }),
    subresources: { status: true },
    selectableFields: ['status.phase'],
    strategy: {
      prepareForCreate: (order) => unsetNulls(order.spec, ['spec']),
      prepareForUpdate: (order) => unsetNulls(order.spec, ['spec']),
      validate: (order, old) => newErrors(rules, order, old),
      warnings: warningsOf,
    },
    columns: [
      {
        name: 'Phase',
        type: 'string',
        description: 'Roll-up of all runs.',
        value: ({ status }) => status?.phase ?? 'Pending',
      },
      {
        name: 'Artifacts',
        type: 'string',
        description: 'Runs that succeeded, of all.',
        value: ({ status }) => (status?.counts === undefined ? undefined : `${status.counts.succeeded}/${status.counts.total}`),
      },
      {
        name: 'Failed',
        type: 'integer',
        description: 'Runs that failed.',
        priority: 1,
        value: ({ status }) => status?.counts?.failed,
      },
      ...scheduleColumns,
      {
        name: 'Message',
        type: 'string',
        description: 'First line of the status message.',
        priority: 1,
        value: ({ status }) => firstLine(status?.message),
      },
      { name: 'Age', type: 'date', description: 'Time since creation.', value: ({ metadata }) => metadata.creationTimestamp ?? undefined },
    ],
  };
}

export const orderDefinition = orderKind();

export const orders: ResourceType = resourceOf(orderDefinition);
