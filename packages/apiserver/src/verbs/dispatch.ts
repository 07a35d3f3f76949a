import { statusError, type Verb } from '@arc/apimachinery';
import type { Reply } from '../http/reply.ts';
import { isNamespaceKind, type ServedResource } from '../registry/served-resource.ts';
import type { RequestInfo } from '../request/request-info.ts';
import type { RequestContext, ServerContext } from '../server-context.ts';
import { connect } from './connect.ts';
import { create } from './create.ts';
import { removeCollection } from './delete-collection.ts';
import { remove } from './delete.ts';
import { get } from './get.ts';
import type { VerbHandler } from './handler.ts';
import { list } from './list.ts';
import { patch } from './patch.ts';
import { review } from './review.ts';
import { getScale, patchScale, updateScale } from './scale.ts';
import { update } from './update.ts';
import { watch } from './watch.ts';

type Handlers = ReadonlyMap<string, VerbHandler>;

const handlers: Handlers = new Map<Verb, VerbHandler>([
  ['create', create],
  ['get', get],
  ['list', list],
  ['watch', watch],
  ['update', update('main')],
  ['patch', patch('main')],
  ['delete', remove],
  ['deletecollection', removeCollection],
]);
const statusHandlers: Handlers = new Map([
  ['get', get],
  ['update', update('status')],
  ['patch', patch('status')],
]);
const finalizeHandlers: Handlers = new Map([
  ['update', update('finalize')],
  ['create', update('finalize')],
]);

const scaleHandlers: Handlers = new Map([
  ['get', getScale],
  ['update', updateScale],
  ['patch', patchScale],
]);

interface Route {
  readonly resource: ServedResource;
  readonly handler: VerbHandler;
}

/**
 * Finds what serves a resource request (wire contract 2.1).
 * @throws ApiStatusError 404 when there is no such place, 405 when it does not do what is asked.
 */
function route(server: ServerContext, info: RequestInfo): Route {
  const resource = server.registry.find(info.group, info.version, info.resource);
  if (resource === undefined || info.parts.length > 3) throw statusError.noSuchRoute();
  const { type } = resource;
  const handler = info.subresource === '' ? mainHandler(resource, info) : subresourceHandler(resource, info);
  if (handler === undefined) throw statusError.methodNotSupported(type, info.verb);
  // A namespace lies in itself and in no other.
  const inNamespace = info.namespace !== '' && !(isNamespaceKind(resource.definition) && info.name === info.namespace);
  if (inNamespace && !type.namespaced) throw statusError.noSuchRoute();
  if (!inNamespace && type.namespaced) {
    if (info.name !== '') throw statusError.noSuchRoute();
    // Without a namespace only reading across all of them makes sense.
    if (info.verb !== 'list' && info.verb !== 'watch') throw statusError.methodNotSupported(type, info.verb);
  }
  return { resource, handler };
}

function mainHandler({ verbs, review: answers }: ServedResource, { verb, name }: RequestInfo): VerbHandler | undefined {
  if (!verbs.has(verb) || (verb === 'create' && name !== '')) return undefined;
  return verb === 'create' && answers !== undefined ? review : handlers.get(verb);
}

function subresourceHandler(resource: ServedResource, { subresource, verb }: RequestInfo): VerbHandler | undefined {
  const connector = resource.connectors.find((candidate) => candidate.subresource === subresource);
  if (connector !== undefined) return connector.verbs.some((offered) => offered === verb) ? connect(connector) : undefined;
  if (subresource === 'status' && resource.definition.subresources?.status === true) return statusHandlers.get(verb);
  if (subresource === 'scale' && resource.definition.subresources?.scale !== undefined) return scaleHandlers.get(verb);
  if (subresource === 'finalize' && isNamespaceKind(resource.definition)) return finalizeHandlers.get(verb);
  throw statusError.noSuchRoute();
}

/** Watches and connections have no deadline and take no place of the in-flight limits. */
export function isLongRunning(server: ServerContext, info: RequestInfo): boolean {
  if (!info.resourceRequest) return false;
  if (info.verb === 'watch') return true;
  if (info.subresource === '') return false;
  const resource = server.registry.find(info.group, info.version, info.resource);
  return resource?.connectors.some(({ subresource }) => subresource === info.subresource) === true;
}

export function serve(server: ServerContext, request: RequestContext): Promise<Reply> {
  const { resource, handler } = route(server, request.info);
  const info = resource.type.namespaced ? request.info : { ...request.info, namespace: '' };
  return handler(server, resource, { ...request, info });
}
