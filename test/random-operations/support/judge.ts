import type { ArtifactWorkflow, Order } from '@arc/api/arc';
import {
  artifactTypeLabel,
  artifactWorkflows,
  endpointsAnnotation,
  forceAtAnnotation,
  isFinishedPhase,
  orderUidLabel,
  orders,
  retryAnnotation,
} from '@arc/api/arc';
import type { Workflow } from '@arc/api/argo';
import { workflows } from '@arc/api/argo';
import { secrets } from '@arc/api/core';
import type { KubeObject, ResourceType } from '@arc/apimachinery';
import { parseDuration } from '@arc/kernel';
import type { ChangeType } from './api-history.ts';
import type { Meddling } from './meddling.ts';
import { fleetingType } from './objects.ts';

/** All that is known of one ArtifactWorkflow object. */
interface RunRecord {
  readonly name: string;
  readonly orderUid: string | undefined;
  object: ArtifactWorkflow;
  /** Workflows that were made for it. */
  readonly made: string[];
  readonly retries: Set<string>;
  readonly forces: Set<string>;
  deletion: string | undefined;
  /** Whether it had ended when it was deleted. */
  wasEnded: boolean;
}

interface WorkflowRecord {
  /** The Order and the name of the ArtifactWorkflow: one configuration. */
  readonly identity: string;
  /** namespace/name of the ArtifactWorkflow. */
  readonly run: string;
  /** What moves from which Endpoint to which for whom, whatever they look like. */
  readonly transfer: string;
  alive: boolean;
  succeeded: boolean;
}

interface OrderRecord {
  object: Order;
  hasHadTtl: boolean;
  deletion: string | undefined;
}

/** Watches every change and says what must not have happened, however operations and crashes fell. */
export class Judge {
  readonly complaints: string[] = [];
  readonly #meddling: Meddling;
  readonly #passwords: readonly string[];
  readonly #runs = new Map<string, RunRecord>();
  readonly #workflows = new Map<string, WorkflowRecord>();
  readonly #orders = new Map<string, OrderRecord>();
  /** By identity: the ArtifactWorkflow as it was made last. */
  readonly #made = new Map<string, ArtifactWorkflow>();
  /** By identity: uids of the Workflows made for it. */
  readonly #byIdentity = new Map<string, string[]>();

  constructor(meddling: Meddling, passwords: readonly string[]) {
    this.#meddling = meddling;
    this.#passwords = passwords;
  }

  /** The ArtifactWorkflow of this name as its Order made it. */
  madeRun(orderUid: string, name: string): ArtifactWorkflow | undefined {
    return this.#made.get(`${orderUid}/${name}`);
  }

  /** Uids of all Workflows that were ever made for a run of this name. */
  workflowsOf(orderUid: string, name: string): readonly string[] {
    return this.#byIdentity.get(`${orderUid}/${name}`) ?? [];
  }

  /** What was told about objects of these names, to read how something came about. */
  story(mentioned: (name: string) => boolean): string[] {
    return this.#story.filter(({ name }) => mentioned(name)).map(({ line }) => line);
  }

  readonly #story: { readonly name: string; readonly line: string }[] = [];

  readonly observe = (type: ResourceType, change: ChangeType, object: KubeObject): void => {
    const { namespace, name = '', uid, resourceVersion, deletionTimestamp } = object.metadata;
    const { phase, reason, message } = (object as ArtifactWorkflow).status ?? {};
    const line = [
      resourceVersion,
      change,
      type.kind,
      `${namespace}/${name}`,
      uid,
      phase,
      reason,
      message,
      deletionTimestamp !== undefined && 'deleting',
    ];
    if (type !== secrets)
      this.#story.push({ name: `${namespace}/${name}`, line: line.filter((part) => part !== undefined && part !== false).join(' ') });
    switch (type) {
      case orders:
        this.#observeOrder(object as Order);
        break;
      case artifactWorkflows:
        this.#observeRun(object as ArtifactWorkflow);
        break;
      case workflows:
        this.#observeWorkflow(change, object as Workflow);
        break;
      case secrets:
        this.#observeSecret(object);
        break;
      default:
    }
    if (type !== secrets && type !== workflows)
      this.#lookForPasswords(`${type.kind} ${object.metadata.namespace}/${object.metadata.name}`, JSON.stringify(object));
  };

  /** To be called when all that has happened has been observed. */
  conclude(): void {
    for (const [uid, run] of this.#runs) {
      this.#judgeHandOver(uid, run);
      this.#judgeRetention(uid, run);
    }
    for (const [uid, { object, deletion }] of this.#orders) {
      if (deletion === undefined || this.#meddling.hasDeleted(uid)) continue;
      const { metadata, spec } = object;
      const lived = Date.parse(deletion) - Date.parse(metadata.creationTimestamp ?? '');
      if (spec?.ttl === undefined || lived < parseDuration(spec.ttl)) {
        this.#complain(`Order ${metadata.namespace}/${metadata.name} was deleted ${lived} ms after its creation; its ttl is ${spec?.ttl}`);
      }
    }
  }

  lookForPasswords(where: string, text: string): void {
    this.#lookForPasswords(where, text);
  }

  #complain(text: string): void {
    if (!this.complaints.includes(text)) this.complaints.push(text);
  }

  #lookForPasswords(where: string, text: string): void {
    for (const password of this.#passwords) {
      if (text.includes(password) || text.includes(Buffer.from(password).toString('base64')))
        this.#complain(`${where} holds the password ${password}: ${around(text, password)}`);
    }
  }

  #observeOrder(order: Order): void {
    const uid = order.metadata.uid ?? '';
    const hasTtl = order.spec?.TTLSecondsAfterCompletion !== undefined;
    const record = this.#orders.get(uid) ?? { object: order, hasHadTtl: false, deletion: undefined };
    record.object = order;
    record.hasHadTtl ||= hasTtl;
    record.deletion ??= order.metadata.deletionTimestamp;
    this.#orders.set(uid, record);
  }

  #observeRun(run: ArtifactWorkflow): void {
    const { uid = '', namespace, name = '', labels, annotations, deletionTimestamp } = run.metadata;
    const orderUid = labels?.[orderUidLabel];
    const record = this.#recordOf(uid, `${namespace}/${name}`, run, orderUid);
    record.object = run;
    const retry = annotations?.[retryAnnotation];
    const force = annotations?.[forceAtAnnotation];
    if (retry !== undefined) record.retries.add(retry);
    if (force !== undefined) record.forces.add(force);
    if (deletionTimestamp !== undefined && record.deletion === undefined) {
      record.deletion = deletionTimestamp;
      record.wasEnded = isFinishedPhase(run.status?.phase);
    }
    if (orderUid !== undefined && !this.#made.has(`${orderUid}/${name}`)) this.#made.set(`${orderUid}/${name}`, run);
  }

  #recordOf(uid: string, name: string, object: ArtifactWorkflow, orderUid: string | undefined): RunRecord {
    const known = this.#runs.get(uid);
    if (known !== undefined) return known;
    const record: RunRecord = {
      name,
      orderUid,
      object,
      made: [],
      retries: new Set(),
      forces: new Set(),
      deletion: undefined,
      wasEnded: false,
    };
    this.#runs.set(uid, record);
    return record;
  }

  #observeWorkflow(change: ChangeType, workflow: Workflow): void {
    const { uid = '', namespace, name, ownerReferences = [], labels, annotations } = workflow.metadata;
    const owner = ownerReferences.find(({ controller }) => controller === true);
    const record = this.#workflows.get(uid);
    if (record !== undefined) {
      record.succeeded ||= workflow.status?.phase === 'Succeeded';
      record.alive = change !== 'DELETED' && workflow.status?.finishedAt === undefined;
      return;
    }
    if (owner === undefined) this.#complain(`Workflow ${namespace}/${name} was made without an owner`);
    if (owner?.kind !== 'ArtifactWorkflow') return;
    const orderUid = labels?.[orderUidLabel];
    const identity = `${orderUid ?? uid}/${owner.name}`;
    const parameters = workflow.spec.arguments?.parameters?.filter(({ name }) => name === 'specImage' || name === 'specBehaviour');
    const transfer = JSON.stringify([orderUid ?? owner.uid, labels?.[artifactTypeLabel], annotations?.[endpointsAnnotation], parameters]);
    this.#judgeStart(`${namespace}/${name}`, identity, transfer);
    this.#workflows.set(uid, {
      identity,
      run: `${namespace}/${owner.name}`,
      transfer,
      alive: change !== 'DELETED',
      succeeded: workflow.status?.phase === 'Succeeded',
    });
    this.#byIdentity.set(identity, [...(this.#byIdentity.get(identity) ?? []), uid]);
    this.#madeFor(owner.uid).push(uid);
  }

  readonly #madeByRun = new Map<string, string[]>();

  #madeFor(runUid: string): string[] {
    const made = this.#madeByRun.get(runUid) ?? [];
    this.#madeByRun.set(runUid, made);
    return made;
  }

  /** At the moment a Workflow is made: nothing delivers twice, and nothing has two writers. */
  #judgeStart(name: string, identity: string, transfer: string): void {
    for (const uid of this.#byIdentity.get(identity) ?? []) {
      const earlier = this.#workflows.get(uid);
      if (earlier?.alive === true) this.#complain(`Workflow ${name} was made while another of its identity was alive`);
      if (earlier?.succeeded === true && !this.#excused(uid, identity))
        this.#complain(`Workflow ${name} was made although one of its identity had delivered`);
    }
    for (const [uid, earlier] of this.#workflows) {
      if (earlier.alive && earlier.transfer === transfer && earlier.identity !== identity)
        this.#complain(`Workflow ${name} was made while ${uid} of the same transfer, of ${earlier.run} , was alive`);
    }
  }

  /** True when somebody took away the Workflow, or its run, before the delivery was on record. */
  #excused(workflowUid: string, identity: string): boolean {
    if (this.#meddling.hasUndone(workflowUid)) return true;
    const runUids = [...this.#madeByRun].filter(([, made]) => made.includes(workflowUid)).map(([uid]) => uid);
    return runUids.some((uid) => this.#meddling.hasUndone(uid)) || !identity.includes('/');
  }

  /** Each start of a run has a cause of its own. */
  #judgeHandOver(uid: string, { name, retries, forces }: RunRecord): void {
    const made = this.#madeByRun.get(uid) ?? [];
    const vanished = made.filter((workflow) => this.#meddling.hasDeleted(workflow)).length;
    const allowed = 1 + vanished + retries.size + forces.size;
    if (made.length > allowed) this.#complain(`ArtifactWorkflow ${name} was handed over ${made.length} times with cause for ${allowed}`);
  }

  /** What has ended stays unless its time is over, its Order goes or somebody deletes it. */
  #judgeRetention(uid: string, { name, object, orderUid = '', wasEnded, retries, forces }: RunRecord): void {
    if (!wasEnded || this.#meddling.hasDeleted(uid) || object.spec?.type === fleetingType) return;
    // One that is still to run once more has not ended for good: superseded, it is stopped.
    if ((this.#madeByRun.get(uid) ?? []).length < 1 + retries.size + forces.size) return;
    const order = this.#orders.get(orderUid);
    if (order === undefined || order.hasHadTtl || order.deletion !== undefined || this.#meddling.hasDeleted(orderUid)) return;
    this.#complain(`ArtifactWorkflow ${name} had ended and was deleted though nothing limits its time`);
  }

  #observeSecret({ metadata }: KubeObject): void {
    const { name = '', ownerReferences = [], finalizers = [], labels = {}, managedFields = [] } = metadata;
    if (!name.startsWith('creds-')) return;
    const strange = Object.keys(labels).filter((label) => label !== 'touched');
    const writers = managedFields.filter(({ manager }) => manager !== 'random-operations');
    if (
      ownerReferences.length > 0 ||
      finalizers.some((finalizer) => finalizer !== 'foregroundDeletion') ||
      strange.length > 0 ||
      writers.length > 0
    ) {
      this.#complain(`Secret ${metadata.namespace}/${name} was touched: ${JSON.stringify(metadata)}`);
    }
  }
}

function around(text: string, password: string): string {
  const at = text.indexOf(password);
  return text.slice(Math.max(0, at - 200), at + 100);
}
