import type { KubeObject, ResourceType } from '@arc/apimachinery';
import { apiVersionOf, failure, statusError } from '@arc/apimachinery';
import type { Clock } from '@arc/kernel';
import type { DeleteOptions, ObjectRef } from '../client.ts';

/** One committed change. `object` of a deletion is the last content carrying the revision of the deletion. */
export interface Change {
  readonly revision: number;
  readonly resource: string;
  readonly object: KubeObject | undefined;
  readonly previous: KubeObject | undefined;
}

export interface WriteContext {
  readonly dryRun: boolean;
}

type Loose = KubeObject & { status?: unknown; spec?: unknown };

/**
 * Objects, revisions and the change log of the fake server. Follows the wire contract, 2.6 (create, update) and 3.2
 * (deletion); stored objects are never changed, only replaced.
 */
export class ObjectState {
  readonly log: Change[] = [];
  readonly #objects = new Map<string, Map<string, KubeObject>>();
  readonly #clock: Clock;
  readonly #hasStatus: (type: ResourceType) => boolean;
  readonly #onChange: () => void;
  #revision = 1;
  #uids = 0;
  #names = 0;

  constructor(clock: Clock, hasStatus: (type: ResourceType) => boolean, onChange: () => void) {
    this.#clock = clock;
    this.#hasStatus = hasStatus;
    this.#onChange = onChange;
  }

  get revision(): number {
    return this.#revision;
  }

  find(type: ResourceType, ref: ObjectRef): KubeObject | undefined {
    return this.#of(type).get(keyOf(type, ref));
  }

  require(type: ResourceType, ref: ObjectRef): KubeObject {
    const found = this.find(type, ref);
    if (found === undefined) throw statusError.notFound(type, ref.name);
    return found;
  }

  /** In the order of the storage keys. */
  list(type: ResourceType, namespace: string | undefined): KubeObject[] {
    return [...this.#of(type).entries()]
      .filter(([, object]) => namespace === undefined || object.metadata.namespace === namespace)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([, object]) => object);
  }

  create(type: ResourceType, input: KubeObject, context: WriteContext): KubeObject {
    const object: Loose = copyOf(input);
    if (object.metadata.resourceVersion !== undefined) {
      throw statusError.badRequest('resourceVersion should not be set on objects to be created');
    }
    const name = object.metadata.name ?? this.#generateName(type, object);
    const ref = refOf(type, { ...object.metadata, name });
    if (this.find(type, ref) !== undefined) throw statusError.alreadyExists(type, name);
    this.#refuseWhenNamespaceTerminates(type, ref);
    object.apiVersion = apiVersionOf(type);
    object.kind = type.kind;
    delete object.metadata.deletionTimestamp;
    delete object.metadata.deletionGracePeriodSeconds;
    object.metadata.name = name;
    object.metadata.uid = this.#nextUid();
    object.metadata.creationTimestamp = this.#time();
    if (type.group !== '') object.metadata.generation = 1;
    if (this.#hasStatus(type)) delete object.status;
    if (isNamespaceType(type)) {
      object.spec = { finalizers: ['kubernetes'] };
      object.status = { phase: 'Active' };
    }
    return this.#commit(type, ref, object, undefined, context);
  }

  update(type: ResourceType, input: KubeObject, subresource: 'status' | 'finalize' | undefined, context: WriteContext): KubeObject {
    const sent: Loose = copyOf(input);
    const name = sent.metadata.name ?? '';
    const ref = refOf(type, sent.metadata);
    const current: Loose = this.require(type, ref);
    this.#checkLock(type, name, sent, current);
    const next = this.#merged(type, sent, current, subresource);
    this.#checkFinalizers(type, next, current);
    if (sameContent(next, current)) return current;
    if (type.group !== '' && specOf(next) !== specOf(current)) next.metadata.generation = (current.metadata.generation ?? 0) + 1;
    if (next.metadata.deletionTimestamp !== undefined && !holdsFinalizer(type, next)) {
      this.#commit(type, ref, undefined, current, context);
      return next;
    }
    return this.#commit(type, ref, next, current, context);
  }

  /** Stores the object whatever is there, keeping what it says about status, finalizers and deletion. */
  put(type: ResourceType, input: KubeObject): KubeObject {
    const object = copyOf(input);
    const ref = refOf(type, object.metadata);
    const current = this.find(type, ref);
    object.apiVersion = apiVersionOf(type);
    object.kind = type.kind;
    object.metadata.uid ??= current?.metadata.uid ?? this.#nextUid();
    object.metadata.creationTimestamp ??= current?.metadata.creationTimestamp ?? this.#time();
    if (type.group !== '') object.metadata.generation ??= (current?.metadata.generation ?? 0) + 1;
    return this.#commit(type, ref, object, current, { dryRun: false });
  }

  /** Removes the object, or marks it when finalizers hold it. */
  delete(type: ResourceType, ref: ObjectRef, options: DeleteOptions, context: WriteContext): void {
    const current = this.require(type, ref);
    const { uid, resourceVersion } = options.preconditions ?? {};
    if (uid !== undefined && uid !== current.metadata.uid) {
      const why = `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${current.metadata.uid}`;
      throw statusError.conflict(type, ref.name, why);
    }
    if (resourceVersion !== undefined && resourceVersion !== current.metadata.resourceVersion) {
      const why = `Precondition failed: ResourceVersion in precondition: ${resourceVersion}, ResourceVersion in object meta: ${current.metadata.resourceVersion}`;
      throw statusError.conflict(type, ref.name, why);
    }
    const next: Loose = copyOf(current);
    setFinalizers(next, collectorFinalizers(current.metadata.finalizers ?? [], options.propagationPolicy));
    if (!holdsFinalizer(type, next)) {
      this.#commit(type, ref, undefined, current, context);
      return;
    }
    if (next.metadata.deletionTimestamp === undefined) {
      next.metadata.deletionTimestamp = this.#time();
      next.metadata.deletionGracePeriodSeconds = 0;
      if (next.metadata.generation !== undefined) next.metadata.generation += 1;
      if (isNamespaceType(type)) next.status = { ...(next.status as object), phase: 'Terminating' };
    }
    if (!sameContent(next, current)) this.#commit(type, ref, next, current, context);
  }

  #merged(type: ResourceType, sent: Loose, current: Loose, subresource: 'status' | 'finalize' | undefined): Loose {
    if (subresource === 'status') return withStatus(copyOf(current), sent.status);
    if (subresource === 'finalize') return { ...copyOf(current), spec: sent.spec };
    const next: Loose = this.#hasStatus(type) ? withStatus(sent, current.status) : sent;
    next.apiVersion = current.apiVersion;
    next.kind = current.kind;
    if (isNamespaceType(type)) next.spec = current.spec;
    for (const field of ['uid', 'creationTimestamp', 'deletionTimestamp', 'deletionGracePeriodSeconds', 'generation'] as const) {
      delete next.metadata[field];
      if (current.metadata[field] !== undefined) Object.assign(next.metadata, { [field]: current.metadata[field] });
    }
    return next;
  }

  #checkLock(type: ResourceType, name: string, sent: KubeObject, current: KubeObject): void {
    if (sent.metadata.uid !== undefined && sent.metadata.uid !== current.metadata.uid) {
      const why = `Precondition failed: UID in precondition: ${sent.metadata.uid}, UID in object meta: ${current.metadata.uid}`;
      throw statusError.conflict(type, name, why);
    }
    if (sent.metadata.resourceVersion === undefined || sent.metadata.resourceVersion === '') {
      throw statusError.invalid(type, name, [
        { reason: 'FieldValueInvalid', field: 'metadata.resourceVersion', message: 'Invalid value: 0: must be specified for an update' },
      ]);
    }
    if (sent.metadata.resourceVersion !== current.metadata.resourceVersion) throw statusError.conflict(type, name);
  }

  #checkFinalizers(type: ResourceType, next: KubeObject, current: KubeObject): void {
    if (current.metadata.deletionTimestamp === undefined) return;
    const fresh = (next.metadata.finalizers ?? []).filter((name) => current.metadata.finalizers?.includes(name) !== true);
    if (fresh.length === 0) return;
    const printed = fresh.map((name) => JSON.stringify(name)).join(', ');
    throw statusError.invalid(type, next.metadata.name ?? '', [
      {
        reason: 'FieldValueForbidden',
        field: 'metadata.finalizers',
        message: `Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{${printed}}`,
      },
    ]);
  }

  #refuseWhenNamespaceTerminates(type: ResourceType, ref: ObjectRef): void {
    if (!type.namespaced) return;
    const namespace = this.#objects.get('/namespaces')?.get(`/${ref.namespace}`);
    if (namespace?.metadata.deletionTimestamp === undefined) return;
    const resource = type.group === '' ? type.plural : `${type.plural}.${type.group}`;
    const why = `unable to create new content in namespace ${ref.namespace} because it is being terminated`;
    throw failure(403, 'Forbidden', `${resource} ${JSON.stringify(ref.name)} is forbidden: ${why}`, {
      name: ref.name,
      kind: type.plural,
      causes: [{ reason: 'NamespaceTerminating', message: `namespace ${ref.namespace} is being terminated`, field: 'metadata.namespace' }],
    });
  }

  #commit(
    type: ResourceType,
    ref: ObjectRef,
    object: KubeObject | undefined,
    previous: KubeObject | undefined,
    context: WriteContext,
  ): KubeObject {
    if (context.dryRun) return object ?? previous ?? { apiVersion: '', kind: '', metadata: {} };
    this.#revision += 1;
    const stored = copyOf(object ?? previous ?? { apiVersion: '', kind: '', metadata: {} });
    stored.metadata.resourceVersion = String(this.#revision);
    if (object === undefined) this.#of(type).delete(keyOf(type, ref));
    else this.#of(type).set(keyOf(type, ref), stored);
    this.log.push({
      revision: this.#revision,
      resource: resourceOf(type),
      object: object === undefined ? undefined : stored,
      previous: object === undefined ? stored : previous,
    });
    this.#onChange();
    return stored;
  }

  #of(type: ResourceType): Map<string, KubeObject> {
    const resource = resourceOf(type);
    let objects = this.#objects.get(resource);
    if (objects === undefined) this.#objects.set(resource, (objects = new Map()));
    return objects;
  }

  #generateName(type: ResourceType, object: KubeObject): string {
    const { generateName } = object.metadata;
    if (generateName !== undefined) return `${generateName}${String((this.#names += 1)).padStart(5, '0')}`;
    throw statusError.invalid(type, '', [
      { reason: 'FieldValueRequired', field: 'metadata.name', message: 'Required value: name or generateName is required' },
    ]);
  }

  #nextUid(): string {
    return `00000000-0000-4000-8000-${String((this.#uids += 1)).padStart(12, '0')}`;
  }

  #time(): string {
    return `${new Date(this.#clock.now()).toISOString().slice(0, 19)}Z`;
  }
}

/** What identifies the stored objects of a type: all versions of a group serve the same ones. */
export function resourceOf(type: ResourceType): string {
  return `${type.group}/${type.plural}`;
}

/** A copy as it would arrive over HTTP: fields that are undefined are gone. */
export function copyOf<T>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T;
}

function refOf(type: ResourceType, metadata: { readonly namespace?: string; readonly name?: string }): ObjectRef {
  const name = metadata.name ?? '';
  if (!type.namespaced) return { name };
  if (metadata.namespace === undefined || metadata.namespace === '') {
    throw statusError.badRequest(`an object of the namespaced kind ${type.kind} needs a namespace`);
  }
  return { namespace: metadata.namespace, name };
}

function keyOf(type: ResourceType, ref: ObjectRef): string {
  return `${type.namespaced ? (ref.namespace ?? '') : ''}/${ref.name}`;
}

function isNamespaceType(type: ResourceType): boolean {
  return type.group === '' && type.plural === 'namespaces';
}

function holdsFinalizer(type: ResourceType, object: Loose): boolean {
  if ((object.metadata.finalizers ?? []).length > 0) return true;
  const spec = object.spec as { finalizers?: unknown[] } | undefined;
  return isNamespaceType(type) && (spec?.finalizers ?? []).length > 0;
}

function collectorFinalizers(finalizers: readonly string[], policy: DeleteOptions['propagationPolicy']): string[] {
  if (policy === undefined) return [...finalizers];
  const others = finalizers.filter((name) => name !== 'orphan' && name !== 'foregroundDeletion');
  if (policy === 'Orphan') return [...others, 'orphan'];
  return policy === 'Foreground' ? [...others, 'foregroundDeletion'] : others;
}

function setFinalizers(object: KubeObject, finalizers: string[]): void {
  if (finalizers.length === 0) delete object.metadata.finalizers;
  else object.metadata.finalizers = finalizers;
}

function withStatus(object: Loose, status: unknown): Loose {
  if (status === undefined) delete object.status;
  else object.status = status;
  return object;
}

function sameContent(a: KubeObject, b: KubeObject): boolean {
  return canonical(a) === canonical(b);
}

function specOf(object: Loose): string {
  const { status: _status, metadata: _metadata, ...rest } = object;
  return canonical(rest);
}

function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );
}
