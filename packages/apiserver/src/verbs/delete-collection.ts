import { isStatusReason } from '@arc/apimachinery';
import type { CachedObject } from '@arc/storage';
import { deleteObject } from '../object/delete-object.ts';
import { listReply, negotiateList } from '../representation/list-reply.ts';
import { parseListOptions } from '../request/list-options.ts';
import { readDeleteOptions } from './delete.ts';
import type { VerbHandler } from './handler.ts';
import { readPage } from './list.ts';

/** Deletions of one collection in flight at once; they share commits. */
const batchSize = 64;

/** DELETE of a collection: every object on its own, not atomic (wire contract 3.2). Answers the list of what it deleted. */
export const removeCollection: VerbHandler = async (server, resource, request) => {
  const { exchange } = request;
  const representation = negotiateList(exchange);
  const listOptions = parseListOptions(exchange.query);
  const options = await readDeleteOptions(resource, request);
  const page = await readPage(server, resource, request, listOptions);
  const removeOne = async ({ namespace, name }: CachedObject): Promise<void> => {
    try {
      await deleteObject(server, resource, request, { namespace, name, options });
    } catch (error) {
      if (!isStatusReason(error, 'NotFound')) throw error;
    }
  };
  const { objects } = page.result;
  for (let from = 0; from < objects.length; from += batchSize) {
    await Promise.all(objects.slice(from, from + batchSize).map(removeOne));
  }
  return listReply(exchange, resource, page, representation, server.clock.now());
};
