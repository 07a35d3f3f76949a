import { statusError, trackFields, type UnstructuredObject } from '@arc/apimachinery';
import { createObject } from '../object/create-object.ts';
import { readObject } from '../object/decode-body.ts';
import { fieldWrite } from '../object/field-management.ts';
import type { ServedResource } from '../registry/served-resource.ts';
import { negotiateObject, objectReply } from '../representation/object-reply.ts';
import { viewOfObject } from '../representation/object-view.ts';
import { parseWriteOptions } from '../request/write-options.ts';
import type { RequestContext } from '../server-context.ts';
import type { VerbHandler } from './handler.ts';

/** POST to a collection (wire contract 2.6): decode, admit, default and validate, store, answer. */
export const create: VerbHandler = async (server, resource, request) => {
  const options = parseWriteOptions(request.exchange.query, 'CreateOptions');
  const representation = negotiateObject(request.exchange);
  const object = await readObject(resource.definition, request, options.fieldValidation);
  assertPlace(resource, request, object);
  const write = fieldWrite(server, resource, request, { ...options, scope: 'main' });
  const created = await createObject(server, resource, request, {
    object,
    options: { dryRun: options.dryRun, managedFields: (next, sent) => trackFields(undefined, next, { ...write, sent }) },
  });
  return objectReply(201, request.exchange, resource, viewOfObject(resource, created), representation, server.clock.now());
};

/** Name and namespace of the body must agree with the URL; the namespace is filled in from it. */
function assertPlace(resource: ServedResource, request: RequestContext, object: UnstructuredObject): void {
  const { metadata } = object;
  if ((metadata.resourceVersion ?? '') !== '') {
    throw statusError.badRequest('resourceVersion should not be set on objects to be created');
  }
  if (!resource.type.namespaced) return;
  const { namespace } = request.info;
  if ((metadata.namespace ?? '') !== '' && metadata.namespace !== namespace) {
    throw statusError.badRequest('the namespace of the provided object does not match the namespace sent on the request');
  }
  metadata.namespace = namespace;
}
