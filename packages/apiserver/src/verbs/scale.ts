import {
  apiVersionOf,
  applyConfiguration,
  cloneJson,
  failure,
  fieldError,
  type FieldWrite,
  type KubeObject,
  objectSchemaOf,
  rescale,
  type Scale,
  scaleKind,
  scaleManagers,
  scaleOf,
  type ScalePaths,
  statusError,
  trackFields,
  type UnstructuredObject,
  validateSchema,
} from '@arc/apimachinery';
import type { Reply } from '../http/reply.ts';
import { assertPlace } from '../object/assert-place.ts';
import { readObject } from '../object/decode-body.ts';
import { fieldWrite } from '../object/field-management.ts';
import { applyPatchType, patched, patchType, readPatch } from '../object/patched-object.ts';
import { refuse } from '../object/prepare-create.ts';
import { readConfig } from '../object/read-config.ts';
import { updateObject } from '../object/update-object.ts';
import type { ServedResource } from '../registry/served-resource.ts';
import { negotiateObject, objectReply } from '../representation/object-reply.ts';
import { viewOfCached, viewOfObject } from '../representation/object-view.ts';
import { freshEnough, parseGetVersion } from '../request/freshness.ts';
import { parseApplyOptions, parseWriteOptions } from '../request/write-options.ts';
import type { RequestContext, ServerContext } from '../server-context.ts';
import type { VerbHandler } from './handler.ts';

/** GET of `/scale` (wire contract 2.8): the replicas of an object as autoscaling/v1 Scale. */
export const getScale: VerbHandler = async (server, resource, request) => {
  const { exchange, info, signal } = request;
  negotiateObject(exchange);
  await freshEnough(server, parseGetVersion(exchange.query), signal);
  const found = resource.cache?.get(info.namespace, info.name);
  if (found === undefined) throw statusError.notFound(resource.type, info.name);
  const scale = scaleOf(viewOfCached(resource, found).parsed(), pathsOf(resource));
  if (scale.spec?.replicas === undefined) {
    const { specReplicasPath } = pathsOf(resource);
    throw failure(
      500,
      'InternalError',
      `Internal error occurred: the spec replicas field ${JSON.stringify(specReplicasPath)} does not exist`,
    );
  }
  return reply(server, resource, request, scale);
};

/** PUT of `/scale`: without a resourceVersion it overwrites. */
export const updateScale: VerbHandler = async (server, resource, request) => {
  const { dryRun, fieldManager, fieldValidation } = parseWriteOptions(request.exchange.query, 'UpdateOptions');
  negotiateObject(request.exchange);
  const sent = await readObject(scaleKind, request, fieldValidation);
  assertPlace(scaleResource(resource), request, sent);
  assertShape(sent);
  const scale = sent as Scale & UnstructuredObject;
  const wanted = { ...scale, spec: { replicas: 0, ...scale.spec } };
  return write(server, resource, request, { dryRun, fieldManager, wanted: () => structuredClone(wanted) });
};

/** PATCH of `/scale`, with every kind of patch a custom resource takes. */
export const patchScale: VerbHandler = async (server, resource, request) => {
  const scaled = scaleResource(resource);
  const type = patchType(scaled, request);
  if (type === applyPatchType) return applyScale(server, resource, request);
  const options = parseWriteOptions(request.exchange.query, 'PatchOptions');
  negotiateObject(request.exchange);
  const patch = await readPatch(type, request);
  return write(server, resource, request, { ...options, wanted: (current) => patched(scaled, request, { patch, current, options }) });
};

const applyScale: VerbHandler = async (server, resource, request) => {
  const scaled = scaleResource(resource);
  const options = parseApplyOptions(request.exchange.query);
  negotiateObject(request.exchange);
  const config = await readConfig(scaled, request, options);
  const { dryRun, fieldManager, force } = options;
  const owned = fieldWrite(server, scaled, request, { fieldManager, scope: 'scale' });
  return write(server, resource, request, {
    dryRun,
    fieldManager,
    wanted: (current) => applyConfiguration(current, cloneJson(config), { ...owned, force }),
    applies: true,
  });
};

interface ScaleWrite {
  readonly dryRun: boolean;
  readonly fieldManager: string;
  /** The Scale wanted in place of the current one; called again after every lost race. */
  wanted(current: UnstructuredObject): UnstructuredObject;
  /** Whether what is wanted comes with its managers. Default: they follow from what changes. */
  readonly applies?: true;
}

async function write(
  server: ServerContext,
  resource: ServedResource,
  request: RequestContext,
  { dryRun, fieldManager, wanted, applies }: ScaleWrite,
): Promise<Reply> {
  const paths = pathsOf(resource);
  const managers = scaleManagers(apiVersionOf(resource.type), paths.specReplicasPath);
  const owned = fieldWrite(server, scaleResource(resource), request, { fieldManager, scope: 'scale' });
  const managedScaleOf = (object: KubeObject): Scale & UnstructuredObject => {
    const scale = scaleOf(object, paths);
    return { ...scale, metadata: { ...scale.metadata, managedFields: managers.ofScale(object.metadata.managedFields) } };
  };
  const updated = await updateObject(server, resource, request, {
    scope: 'main',
    dryRun,
    requireResourceVersion: false,
    desired: (current) => {
      const before = managedScaleOf(current);
      const next = checked(wanted(before), before, paths);
      rescale(current, paths, next);
      const after = applies === true ? next.metadata.managedFields : tracked(before, next, owned);
      const managedFields = managers.ofObject(current.metadata.managedFields, after);
      if (managedFields === undefined) delete current.metadata.managedFields;
      else current.metadata.managedFields = managedFields;
      return current;
    },
    managedFields: (_old, _next, managedFields) => managedFields,
  });
  return reply(server, resource, request, scaleOf(updated, paths));
}

/** A Scale that can be taken over into its object. @throws ApiStatusError 400 or 422. */
function checked(next: UnstructuredObject, before: Scale, { specReplicasPath }: ScalePaths): Scale {
  assertShape(next);
  const scale: Scale = next;
  let replicas = scale.spec?.replicas;
  // As in a Go struct: replicas that are taken away are 0, those nobody has ever given are missing.
  if (replicas === undefined && before.spec?.replicas !== undefined) replicas = 0;
  if (replicas === undefined) {
    throw statusError.badRequest(`the spec replicas field ${JSON.stringify(specReplicasPath)} cannot be empty`);
  }
  if (replicas < 0) {
    refuse(scaleKind, next, [fieldError.invalid('spec.replicas', replicas, 'must be greater than or equal to 0')]);
  }
  return { ...scale, spec: { replicas } };
}

/** @throws ApiStatusError 422. */
function assertShape(scale: UnstructuredObject): void {
  refuse(scaleKind, scale, validateSchema(scale, objectSchemaOf(scaleKind), ''));
}

function tracked(before: Scale, next: Scale, owned: FieldWrite): Scale['metadata']['managedFields'] {
  return trackFields(before, next, { ...owned, sent: undefined });
}

function reply(server: ServerContext, resource: ServedResource, { exchange }: RequestContext, scale: Scale): Reply {
  const scaled = scaleResource(resource);
  return objectReply(200, exchange, scaled, viewOfObject(scaled, scale), negotiateObject(exchange), server.clock.now());
}

function pathsOf({ definition }: ServedResource): ScalePaths {
  const paths = definition.subresources?.scale;
  if (paths === undefined) throw statusError.noSuchRoute();
  return paths;
}

const scaleResources = new WeakMap<ServedResource, ServedResource>();

/** The resource as which `/scale` is decoded, owned and shown: of kind Scale, in the place of its object. */
function scaleResource(resource: ServedResource): ServedResource {
  const known = scaleResources.get(resource);
  if (known !== undefined) return known;
  const { group, version, kind } = scaleKind;
  const scaled: ServedResource = {
    ...resource,
    definition: scaleKind,
    stored: scaleKind,
    conversion: undefined,
    type: { ...resource.type, group, version, kind },
  };
  scaleResources.set(resource, scaled);
  return scaled;
}
