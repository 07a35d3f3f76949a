type RequestVerb =
  | 'get'
  | 'list'
  | 'watch'
  | 'create'
  | 'update'
  | 'patch'
  | 'delete'
  | 'deletecollection'
  /** Non-resource requests carry the lower-case method. */
  | (string & {});

/** What a URL and method ask for, before anything is known about kinds (wire contract 2.1). */
export interface RequestInfo {
  readonly resourceRequest: boolean;
  /** The path without query, percent-encoded as received. */
  readonly path: string;
  readonly verb: RequestVerb;
  /** `api` or `apis`; empty for non-resource requests. */
  readonly prefix: string;
  readonly group: string;
  readonly version: string;
  /** Empty at the cluster scope and for "all namespaces". */
  readonly namespace: string;
  readonly resource: string;
  readonly subresource: string;
  readonly name: string;
  /** Path segments from the resource on; more than three match no route. */
  readonly parts: readonly string[];
}

const resourceVerbs: Readonly<Record<string, string>> = {
  GET: 'get',
  HEAD: 'get',
  POST: 'create',
  PUT: 'update',
  PATCH: 'patch',
  DELETE: 'delete',
};

const namespaceSubresources = new Set(['status', 'finalize']);

/**
 * Parses a request target.
 * @throws URIError when a path segment is not valid percent-encoding.
 */
export function parseRequestInfo(method: string, path: string, query: URLSearchParams): RequestInfo {
  const segments = path.split('/').filter((segment) => segment !== '');
  const [prefix = '', ...rest] = segments;
  const headLength = prefix === 'api' ? 1 : prefix === 'apis' ? 2 : Number.POSITIVE_INFINITY;
  if (rest.length <= headLength) return nonResourceRequest(method, path);

  const [group, version] = prefix === 'api' ? ['', rest[0] ?? ''] : [decodeURIComponent(rest[0] ?? ''), decodeURIComponent(rest[1] ?? '')];
  let parts = rest.slice(headLength).map(decodeURIComponent);
  let namespace = '';
  const [first, second, third] = parts;
  if (first === 'namespaces' && second !== undefined) {
    // Namespaces count as lying in themselves, so that rights granted in a namespace cover it.
    namespace = second;
    if (third !== undefined && !namespaceSubresources.has(third)) parts = parts.slice(2);
  }
  const [resource = '', name = '', subresource = ''] = parts;

  let verb = resourceVerbs[method] ?? method.toLowerCase();
  if (name === '') {
    if (verb === 'get') verb = isTrue(query.get('watch')) ? 'watch' : 'list';
    if (verb === 'delete') verb = 'deletecollection';
  }
  return { resourceRequest: true, path, verb, prefix, group, version, namespace, resource, subresource, name, parts };
}

export function nonResourceRequest(method: string, path: string): RequestInfo {
  return {
    resourceRequest: false,
    path,
    verb: method.toLowerCase(),
    prefix: '',
    group: '',
    version: '',
    namespace: '',
    resource: '',
    subresource: '',
    name: '',
    parts: [],
  };
}

/** Kubernetes' reading of a boolean query parameter: present and neither `0` nor `false`. */
export function isTrue(value: string | null): boolean {
  return value !== null && value !== '0' && value.toLowerCase() !== 'false';
}
