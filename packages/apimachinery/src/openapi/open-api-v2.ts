import { contentHash } from '../discovery/hashes.ts';
import type { Hashes } from '../discovery/hashes.ts';
import { servedGroupVersions } from '../discovery/served-kinds.ts';
import type { ServedApi } from '../discovery/served-kinds.ts';
import { isObject, type JsonObject } from '../json/object.ts';
import { openApiDocument } from './document.ts';
import type { OpenApiOptions } from './open-api.ts';
import { encodeOpenApiV2 } from './open-api-v2-protobuf.ts';

/** OpenAPI v2 of a server, for kubectl below 1.29 and for aggregators (wire contract 1.3). */
export interface OpenApiV2 {
  readonly json: string;
  /** gnostic's `openapi.v2.Document`. */
  readonly protobuf: Uint8Array;
  /** In double quotes; the same for both forms. */
  readonly etag: string;
}

/** Builds one document of all kinds from what OpenAPI v3 says, under the same definition names. */
export function buildOpenApiV2(
  api: ServedApi,
  hashes: Pick<Hashes, 'sha512'>,
  { version, serverSideApply = false }: OpenApiOptions,
): OpenApiV2 {
  const paths: JsonObject = {};
  const definitions: JsonObject = {};
  for (const groupVersion of servedGroupVersions(api)) {
    const document = openApiDocument(groupVersion, { version, serverSideApply });
    for (const [path, item] of entriesOf(document['paths'])) paths[path] = pathItemOf(objectOf(item));
    for (const [name, schema] of entriesOf(objectOf(document['components'])['schemas'])) {
      // DeleteOptions are of every group: the definition lists them all.
      definitions[name] = withKindsOf(definitions[name], schemaOf(objectOf(schema)));
    }
  }
  const document = { swagger: '2.0', info: { title: 'Kubernetes', version }, paths, definitions };
  const json = JSON.stringify(document);
  return { json, protobuf: encodeOpenApiV2(document), etag: `"${contentHash(json, hashes)}"` };
}

const kindKey = 'x-kubernetes-group-version-kind';

function withKindsOf(earlier: unknown, schema: JsonObject): JsonObject {
  const own = schema[kindKey];
  if (!isObject(earlier) || !Array.isArray(earlier[kindKey]) || !Array.isArray(own)) return schema;
  const all = new Map([...earlier[kindKey], ...own].map((kind) => [JSON.stringify(kind), kind as unknown]));
  return { ...schema, [kindKey]: [...all.values()] };
}

function pathItemOf(item: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries(item).map(([key, value]) =>
      key === 'parameters' ? [key, listOf(value).map(parameterOf)] : [key, operationOf(objectOf(value))],
    ),
  );
}

function operationOf({ requestBody, parameters, responses, ...rest }: JsonObject): JsonObject {
  const body = isObject(requestBody) ? requestBody : undefined;
  const contents = entriesOf(responses).flatMap(([, response]) => entriesOf(objectOf(response)['content']).map(([type]) => type));
  const bodySchema = entriesOf(body?.['content'])[0]?.[1];
  const all = [
    ...(body === undefined
      ? []
      : [{ name: 'body', in: 'body', required: body['required'] === true, schema: schemaOf(objectOf(objectOf(bodySchema)['schema'])) }]),
    ...listOf(parameters).map(parameterOf),
  ];
  return {
    ...rest,
    consumes: body === undefined ? ['*/*'] : entriesOf(body['content']).map(([type]) => type),
    produces: [...new Set(contents)],
    ...(all.length > 0 && { parameters: all }),
    responses: Object.fromEntries(entriesOf(responses).map(([code, response]) => [code, responseOf(objectOf(response))])),
  };
}

function responseOf({ description, content }: JsonObject): JsonObject {
  const media = entriesOf(content)[0]?.[1];
  return { description, ...(isObject(media) && isObject(media['schema']) && { schema: schemaOf(media['schema']) }) };
}

function parameterOf(parameter: unknown): JsonObject {
  const { schema, ...rest } = objectOf(parameter);
  return { ...rest, ...objectOf(schema) };
}

/** Version 2 knows neither `anyOf` nor `nullable`; a reference with siblings is the reference with a description. */
function schemaOf(schema: JsonObject): JsonObject {
  const {
    anyOf: _anyOf,
    oneOf: _oneOf,
    not: _not,
    nullable: _nullable,
    allOf,
    $ref,
    properties,
    items,
    additionalProperties,
    ...rest
  } = schema;
  const [only] = listOf(allOf);
  const reference = typeof $ref === 'string' ? $ref : isObject(only) && typeof only['$ref'] === 'string' ? only['$ref'] : undefined;
  if (reference !== undefined) {
    const { description } = rest;
    return { ...(description !== undefined && { description }), $ref: reference.replace('#/components/schemas/', '#/definitions/') };
  }
  return {
    ...rest,
    ...(isObject(properties) && {
      properties: Object.fromEntries(Object.entries(properties).map(([name, property]) => [name, schemaOf(objectOf(property))])),
    }),
    ...(isObject(items) && { items: schemaOf(items) }),
    ...(isObject(additionalProperties) && { additionalProperties: schemaOf(additionalProperties) }),
  };
}

function entriesOf(value: unknown): [string, unknown][] {
  return isObject(value) ? Object.entries(value) : [];
}

function objectOf(value: unknown): JsonObject {
  return isObject(value) ? value : {};
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
