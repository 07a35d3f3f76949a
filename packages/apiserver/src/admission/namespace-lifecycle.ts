import { failure, statusError, type UnstructuredObject } from '@arc/apimachinery';
import { parseBytes } from '../representation/object-view.ts';
import type { ServedResource } from '../registry/served-resource.ts';
import type { RequestContext, ServerContext } from '../server-context.ts';

const namespaces = { group: '', plural: 'namespaces' };

/**
 * Lets objects be created only in namespaces that exist and are not being deleted (wire contract 3.5). Servers without a
 * namespace kind have no such rule.
 * @throws ApiStatusError 404 or 403.
 */
export async function admitIntoNamespace(
  server: ServerContext,
  resource: ServedResource,
  request: RequestContext,
  object: UnstructuredObject,
): Promise<void> {
  const kept = server.registry.find('', 'v1', 'namespaces')?.cache;
  if (kept === undefined || !resource.type.namespaced) return;
  const name = object.metadata.namespace ?? '';
  let found = kept.get('', name);
  if (found === undefined) {
    await server.cache.waitUntilFresh(request.signal);
    found = kept.get('', name);
  }
  if (found === undefined) throw statusError.notFound(namespaces, name);
  if (parseBytes(found.bytes).metadata.deletionTimestamp !== undefined) throw terminating(resource, object, name);
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
