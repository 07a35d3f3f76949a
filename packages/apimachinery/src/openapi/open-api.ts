import { pathOf } from '../discovery/discovery.ts';
import { contentHash } from '../discovery/hashes.ts';
import type { Hashes } from '../discovery/hashes.ts';
import { servedGroupVersions } from '../discovery/served-kinds.ts';
import type { ServedApi } from '../discovery/served-kinds.ts';
import { openApiDocument } from './document.ts';

export interface OpenApiDocument {
  readonly json: string;
  /** Upper-case hexadecimal, the value of `?hash=`. */
  readonly hash: string;
  /** The hash in double quotes, as the header wants it. */
  readonly etag: string;
}

/** OpenAPI v3 of a server, made once. */
export interface OpenApi {
  /** `GET /openapi/v3`. */
  readonly index: OpenApiDocument;
  /** `GET /openapi/v3/<key>`: `apis/<g>/<v>`, `api/v1`. */
  readonly documents: ReadonlyMap<string, OpenApiDocument>;
}

export interface OpenApiOptions {
  /** Version of the server, shown as the version of the documents. */
  readonly version: string;
  /** Whether PATCH takes `application/apply-patch+yaml`. Default: false. */
  readonly serverSideApply?: boolean;
}

/** Builds the OpenAPI v3 index and one document per group-version (wire contract 1.4). Hashes depend on the content only. */
export function buildOpenApi(
  api: ServedApi,
  hashes: Pick<Hashes, 'sha512'>,
  { version, serverSideApply = false }: OpenApiOptions,
): OpenApi {
  const document = (value: unknown): OpenApiDocument => {
    const json = JSON.stringify(value);
    const hash = contentHash(json, hashes);
    return { json, hash, etag: `"${hash}"` };
  };
  const documents = new Map<string, OpenApiDocument>();
  for (const groupVersion of servedGroupVersions(api)) {
    documents.set(pathOf(groupVersion).slice(1), document(openApiDocument(groupVersion, { version, serverSideApply })));
  }
  const paths = Object.fromEntries(
    [...documents].map(([key, { hash }]) => [key, { serverRelativeURL: `/openapi/v3/${key}?hash=${hash}` }]),
  );
  return { index: document({ paths }), documents };
}
