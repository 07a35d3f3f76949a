import type { ResourceType } from '@arc/apimachinery/client';

export interface RequestTarget {
  /** Absent: all namespaces, or a cluster-scoped resource. */
  readonly namespace?: string | undefined;
  readonly name?: string;
  readonly subresource?: string;
  readonly query?: Readonly<Record<string, string | undefined>>;
}

/** The path and query of a request (wire contract 2.1), for the few requests the client has no method for. */
export function requestPath(type: ResourceType, target: RequestTarget): string {
  const { namespace, name, subresource, query = {} } = target;
  const parts = [
    ...(type.group === '' ? ['api', type.version] : ['apis', type.group, type.version]),
    ...(namespace !== undefined && type.namespaced ? ['namespaces', namespace] : []),
    type.plural,
    ...(name === undefined ? [] : [name]),
    ...(subresource === undefined ? [] : [subresource]),
  ];
  const parameters = new URLSearchParams();
  for (const [key, value] of Object.entries(query)) {
    if (value !== undefined) parameters.set(key, value);
  }
  const text = parameters.toString();
  return `/${parts.map(encodeURIComponent).join('/')}${text === '' ? '' : `?${text}`}`;
}
