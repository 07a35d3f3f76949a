import { ApiStatusError } from '@arc/apimachinery';
import { type ListResult, type Selection, StorageError } from '@arc/storage';
import type { ServedResource } from '../registry/served-resource.ts';
import { listReply, negotiateList } from '../representation/list-reply.ts';
import { type ContinueToken, decodeContinue, encodeContinue } from '../request/continue-token.ts';
import { freshEnough } from '../request/freshness.ts';
import { type ListOptions, parseListOptions, type VersionMatch } from '../request/list-options.ts';
import { selectionOf } from '../request/selection.ts';
import type { RequestContext, ServerContext } from '../server-context.ts';
import type { VerbHandler } from './handler.ts';

export interface Page {
  readonly result: ListResult;
  /** Empty on the last page. */
  readonly continueToken: string;
}

/** GET of a collection, from the watch cache (wire contract 2.5, 4.6). */
export const list: VerbHandler = async (server, resource, request) => {
  const { exchange } = request;
  const representation = negotiateList(exchange);
  const options = parseListOptions(exchange.query);
  const page = await readPage(server, resource, request, options);
  return listReply(exchange, resource, page, representation, server.clock.now());
};

/** @throws ApiStatusError 400, 410 or 504. */
export async function readPage(
  server: ServerContext,
  resource: ServedResource,
  request: RequestContext,
  options: ListOptions,
): Promise<Page> {
  const { cache, type } = resource;
  if (cache === undefined) throw new Error(`${type.plural} is not stored`);
  const selection = { ...selectionOf(resource, options), namespace: scopeOf(resource, request) };
  const token = options.continueToken === '' ? undefined : decodeContinue(options.continueToken);
  await freshEnough(server, token === undefined ? options.version : freshnessOf(token), request.signal);

  const at =
    token !== undefined && token.revision > 0 ? token.revision : options.version.kind === 'exact' ? options.version.revision : undefined;
  warnOfOmissions(resource, request, selection);
  const result = readAt(resource, { selection, limit: options.limit, token, at });
  return {
    result,
    continueToken:
      result.next === undefined ? '' : encodeContinue({ revision: result.revision, after: result.next.slice(resource.prefix.length) }),
  };
}

/** Another replica may have begun the list. */
function freshnessOf({ revision }: ContinueToken): VersionMatch {
  return revision > 0 ? { kind: 'notOlderThan', revision } : { kind: 'mostRecent' };
}

function scopeOf({ type }: ServedResource, { info }: RequestContext): string {
  return type.namespaced ? info.namespace : '';
}

/** A list of many goes on without what cannot be read, and says so. Who asks for one name hears of that one only. */
function warnOfOmissions({ cache }: ServedResource, request: RequestContext, { namespace = '', requirements = [] }: Selection): void {
  const name = requirements.find((requirement) => requirement.by === 'field' && requirement.name === 'metadata.name')?.values[0];
  const [first, ...others] = cache?.undecodable({ namespace, ...(name !== undefined && { name }) }) ?? [];
  if (first === undefined) return;
  const what =
    others.length === 0
      ? '1 object that cannot be read, stored under'
      : `${others.length + 1} objects that cannot be read, the first stored under`;
  request.warn(`this list lacks ${what} ${first}; "arcctl storage doctor" lists such objects`);
}

interface Reading {
  readonly selection: Selection;
  readonly limit: number;
  readonly token: ContinueToken | undefined;
  readonly at: number | undefined;
}

function readAt({ cache, prefix }: ServedResource, { selection, limit, token, at }: Reading): ListResult {
  if (cache === undefined) throw new Error(`${prefix} is not stored`);
  try {
    return cache.list({
      ...selection,
      ...(limit > 0 && { limit }),
      ...(token !== undefined && { after: `${prefix}${token.after}` }),
      ...(at !== undefined && { at }),
    });
  } catch (error) {
    if (error instanceof StorageError && error.code === 'Compacted') throw expired(token);
    throw error;
  }
}

/** 410; after an expired token the client may go on with one that reads the newest state (2.3). */
function expired(token: ContinueToken | undefined): ApiStatusError {
  return new ApiStatusError({
    kind: 'Status',
    apiVersion: 'v1',
    metadata: token === undefined ? {} : { continue: encodeContinue({ revision: -1, after: token.after }) },
    status: 'Failure',
    message:
      token === undefined
        ? 'The resourceVersion for the provided list is too old.'
        : 'The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.',
    reason: 'Expired',
    code: 410,
  });
}
