import { trackFields } from '@arc/apimachinery';
import { fieldWrite } from '../object/field-management.ts';
import { applyPatchType, patched, patchType, readPatch } from '../object/patched-object.ts';
import type { UpdateScope } from '../object/prepare-update.ts';
import { updateObject } from '../object/update-object.ts';
import { negotiateObject, objectReply } from '../representation/object-reply.ts';
import { viewOfObject } from '../representation/object-view.ts';
import { parseWriteOptions } from '../request/write-options.ts';
import { apply } from './apply.ts';
import type { VerbHandler } from './handler.ts';

/**
 * PATCH of an object or its status (wire contract 2.7): the patch is applied to the newest state, again after every lost
 * race, unless it names a resourceVersion that no longer fits. Apply patches are served by `apply`.
 */
export function patch(scope: UpdateScope): VerbHandler {
  return async (server, resource, request) => {
    // Before the options: what an apply patch may say is wrong for others, and clients fall back on exactly 415.
    const type = patchType(resource, request);
    if (type === applyPatchType) return apply(scope)(server, resource, request);
    const options = parseWriteOptions(request.exchange.query, 'PatchOptions');
    const representation = negotiateObject(request.exchange);
    const patch = await readPatch(type, request);
    const write = fieldWrite(server, resource, request, { ...options, scope });
    const updated = await updateObject(server, resource, request, {
      scope,
      dryRun: options.dryRun,
      requireResourceVersion: false,
      desired: (current) => patched(resource, request, { patch, current, options }),
      managedFields: (old, next, sent) => trackFields(old, next, { ...write, sent }),
    });
    return objectReply(200, request.exchange, resource, viewOfObject(resource, updated), representation, server.clock.now());
  };
}
