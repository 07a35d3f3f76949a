import { failure, statusError, type UnstructuredObject } from '@arc/apimachinery';
import type { ServedResource } from '../registry/served-resource.ts';
import type { RequestContext, ServerContext } from '../server-context.ts';

const namespaces = { group: '', plural: 'namespaces' };

/**
 * Lets objects be created only in namespaces that exist and are not being deleted (wire contract 3.5).
 * @throws ApiStatusError 404 or 403.
 */
export async function admitIntoNamespace(
  server: ServerContext,
  resource: ServedResource,
  request: RequestContext,
  object: UnstructuredObject,
): Promise<void> {
  if (server.namespaces === undefined || !resource.type.namespaced) return;
  const name = object.metadata.namespace ?? '';
  const found = await server.namespaces.find(name, request.signal);
  if (found === undefined) throw statusError.notFound(namespaces, name);
  if (found.terminating) throw terminating(resource, object, name);
}

function terminating({ type }: ServedResource, object: UnstructuredObject, namespace: string): Error {
  const name = object.metadata.name ?? '';
  const qualified = type.group === '' ? type.plural : `${type.plural}.${type.group}`;
  return failure(
    403,
    'Forbidden',
    `${qualified} ${JSON.stringify(name)} is forbidden: unable to create new content in namespace ${namespace} because it is being terminated`,
    {
      ...(name !== '' && { name }),
      ...(type.group !== '' && { group: type.group }),
      kind: type.plural,
      causes: [
        {
          reason: 'NamespaceTerminating',
          message: `namespace ${namespace} is being terminated`,
          field: 'metadata.namespace',
        },
      ],
    },
  );
}
