import { trackFields } from '@arc/apimachinery';
import { assertPlace } from '../object/assert-place.ts';
import { readObject } from '../object/decode-body.ts';
import { fieldWrite } from '../object/field-management.ts';
import type { UpdateScope } from '../object/prepare-update.ts';
import { updateObject } from '../object/update-object.ts';
import { negotiateObject, objectReply } from '../representation/object-reply.ts';
import { viewOfObject } from '../representation/object-view.ts';
import { parseWriteOptions } from '../request/write-options.ts';
import type { VerbHandler } from './handler.ts';

/** PUT of a whole object, of its status, or (namespaces) of its spec.finalizers (wire contract 2.6, 2.8). */
export function update(scope: UpdateScope): VerbHandler {
  return async (server, resource, request) => {
    const options = parseWriteOptions(request.exchange.query, 'UpdateOptions');
    const representation = negotiateObject(request.exchange);
    const object = await readObject(resource.definition, request, options.fieldValidation);
    assertPlace(resource, request, object);
    const write = fieldWrite(server, resource, request, { ...options, scope });
    const updated = await updateObject(server, resource, request, {
      scope,
      dryRun: options.dryRun,
      requireResourceVersion: scope === 'main',
      desired: () => structuredClone(object),
      managedFields: (old, next, sent) => trackFields(old, next, { ...write, sent }),
    });
    return objectReply(200, request.exchange, resource, viewOfObject(resource, updated), representation, server.clock.now());
  };
}
