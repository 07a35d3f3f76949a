import { statusError, type UnstructuredObject } from '@arc/apimachinery';
import { anySignal } from '@arc/kernel';
import type { Connector } from '../registry/connector.ts';
import { viewOfCached } from '../representation/object-view.ts';
import type { VerbHandler } from './handler.ts';

/** A subresource that streams, such as `pods/log`: the parent must exist, the rest is the connector's. */
export function connect(connector: Connector): VerbHandler {
  return async (server, resource, request) => {
    const { info, exchange } = request;
    await server.cache.waitUntilFresh(request.signal);
    const found = resource.cache?.get(info.namespace, info.name);
    if (found === undefined) throw statusError.notFound(resource.type, info.name);
    const { contentType, body } = await connector.handle({
      namespace: info.namespace,
      name: info.name,
      query: exchange.query,
      signal: anySignal(request.signal, server.shutdown),
      object: viewOfCached(resource, found).parsed() as UnstructuredObject,
    });
    return { code: 200, headers: { 'content-type': contentType }, body: { kind: 'live', chunks: body } };
  };
}
