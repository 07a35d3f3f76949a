import type { Status } from '@arc/apimachinery';
import { deleteObject } from '../object/delete-object.ts';
import { maxBodyBytes } from '../object/decode-body.ts';
import { jsonReply } from '../http/reply.ts';
import type { ServedResource } from '../registry/served-resource.ts';
import { negotiateObject, objectReply } from '../representation/object-reply.ts';
import { viewOfObject } from '../representation/object-view.ts';
import { type DeleteOptions, parseDeleteOptions } from '../request/delete-options.ts';
import type { RequestContext } from '../server-context.ts';
import type { VerbHandler } from './handler.ts';

/** DELETE of one object (wire contract 2.2, 3.2): a Status when it is gone, the object while something holds it. */
export const remove: VerbHandler = async (server, resource, request) => {
  const { exchange, info } = request;
  const representation = negotiateObject(exchange);
  const options = await readDeleteOptions(resource, request);
  const { gone, object } = await deleteObject(server, resource, request, { namespace: info.namespace, name: info.name, options });
  if (!gone)
    return objectReply(
      options.cascades ? 202 : 200,
      exchange,
      resource,
      viewOfObject(resource, object),
      representation,
      server.clock.now(),
    );
  return jsonReply(200, deleted(resource, info.name, object.metadata.uid));
};

export async function readDeleteOptions(resource: ServedResource, { exchange, signal }: RequestContext): Promise<DeleteOptions> {
  const body = await exchange.readBody(maxBodyBytes, signal);
  return parseDeleteOptions({ body, contentType: exchange.header('content-type'), query: exchange.query, resource: resource.type });
}

/** `details.kind` deliberately holds the plural, as in Kubernetes. */
function deleted({ type }: ServedResource, name: string, uid: string | undefined): Status {
  return {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Success',
    details: { name, ...(type.group !== '' && { group: type.group }), kind: type.plural, ...(uid !== undefined && { uid }) },
  };
}
