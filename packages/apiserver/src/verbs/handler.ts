import type { Reply } from '../http/reply.ts';
import type { ServedResource } from '../registry/served-resource.ts';
import type { RequestContext, ServerContext } from '../server-context.ts';

/** Serves one verb on one resource; everything before (who, whether) has been settled. */
export type VerbHandler = (server: ServerContext, resource: ServedResource, request: RequestContext) => Promise<Reply>;
