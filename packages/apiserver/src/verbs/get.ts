import { statusError } from '@arc/apimachinery';
import { freshEnough, parseGetVersion } from '../request/freshness.ts';
import { negotiateObject, objectReply } from '../representation/object-reply.ts';
import { viewOfCached } from '../representation/object-view.ts';
import type { VerbHandler } from './handler.ts';

/** GET of one object, from the watch cache (wire contract 2.5). */
export const get: VerbHandler = async (server, resource, request) => {
  const { exchange, info, signal } = request;
  const representation = negotiateObject(exchange);
  await freshEnough(server, parseGetVersion(exchange.query), signal);
  const found = resource.cache?.get(info.namespace, info.name);
  if (found === undefined) throw statusError.notFound(resource.type, info.name);
  return objectReply(200, exchange, resource, viewOfCached(resource, found), representation, server.clock.now());
};
