import { statusError, type UnstructuredObject } from '@arc/apimachinery';
import type { ServedResource } from '../registry/served-resource.ts';
import type { RequestContext } from '../server-context.ts';

/**
 * Name and namespace of what a PUT carries must agree with the URL; what is missing is filled in from it.
 * @throws ApiStatusError 400.
 */
export function assertPlace(resource: ServedResource, { info }: RequestContext, { metadata }: UnstructuredObject): void {
  if ((metadata.name ?? '') === '') metadata.name = info.name;
  if (metadata.name !== info.name) {
    throw statusError.badRequest(`the name of the object (${metadata.name}) does not match the name on the URL (${info.name})`);
  }
  if (!resource.type.namespaced) return;
  if ((metadata.namespace ?? '') === '') metadata.namespace = info.namespace;
  if (metadata.namespace !== info.namespace) {
    throw statusError.badRequest('the namespace of the provided object does not match the namespace sent on the request');
  }
}
