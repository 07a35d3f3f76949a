import { applyDefaults, objectSchemaOf, validateSchema } from '@arc/apimachinery';
import { readObject } from '../object/decode-body.ts';
import { refuse } from '../object/prepare-create.ts';
import { negotiateObject, objectReply } from '../representation/object-reply.ts';
import { viewOfObject } from '../representation/object-view.ts';
import { parseWriteOptions } from '../request/write-options.ts';
import type { VerbHandler } from './handler.ts';

/** POST of a kind that is a question: answered, never stored. */
export const review: VerbHandler = async (server, resource, request) => {
  const { definition } = resource;
  const options = parseWriteOptions(request.exchange.query, 'CreateOptions');
  const representation = negotiateObject(request.exchange);
  const object = await readObject(definition, request, options.fieldValidation);
  const schema = objectSchemaOf(definition);
  applyDefaults(object, schema);
  delete object['status'];
  if (resource.type.namespaced) object.metadata.namespace = request.info.namespace;
  refuse(definition, object, validateSchema(object, schema, ''));
  refuse(definition, object, definition.strategy?.validate?.(object) ?? []);
  if (resource.review === undefined) throw new Error(`${definition.kind} has no review handler`);
  const answered = await resource.review.handle({ object, user: request.user, signal: request.signal });
  return objectReply(201, request.exchange, resource, viewOfObject(resource, answered), representation, server.clock.now());
};
